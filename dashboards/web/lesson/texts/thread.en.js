// What the thread says, in English. A translation is another file with the same keys; `{…}` is put in by the page, and
// `^(…)` stands raised.

export const THREAD = {
  label: "One image, followed from its pixels to the mix's answer",
  legend: {
    label: "{class}, the true class",
    rival: {
      held: "{class}, where the attack leads g",
      corrected: "{class}, what h takes it for",
    },
    other: "other classes",
    winner: "the largest of its stage",
    before: "h's own probability, without the transform",
    line: "beyond this line a class wins with g's vote",
    some: "{shown} of {all} classes are shown; the mathematics takes all.",
    hint: "Point at a class, or take the arrow keys in a chart, to read its numbers at every stage.",
  },

  pixels: {
    title: "Image x",
    label: "Which picture is shown",
    points: { clean: "clean", perturbation: "added ×\u00a0{magnify}", attacked: "attacked" },
    help: {
      clean: "Follow the clean image",
      perturbation: "What the attack has added, magnified; what is followed is the attacked image",
      attacked: "Follow the attacked image",
    },
    pictures: {
      clean: "The clean image: {class}, image {number} of the bundle.",
      perturbation: "What the attack has added, magnified {magnify} times: middle grey is no change, lighter is more, darker is less.",
      attacked: "The attacked image: {class}, with every pixel changed a little.",
    },
    notes: {
      clean: "As it was taken, a {class}.",
      perturbation: "Magnified {magnify} times. Grey: unchanged.",
      attacked: "Its true class is still {class}.",
      Linf: "No pixel moved by more than {eps} % of the way from black to white.",
      L2: "Moved by at most {eps} in ℓ2 norm.",
    },
  },

  roads: {
    h: "The robust model",
    g: "The standard model",
    rightSure: "says {class}: right, and clearly, {margin} ahead of {second}",
    rightUnsure: "says {class}: right, but only {margin} ahead of {second}",
    wrongSure: "says {class}: wrong, and clearly, {margin} ahead of {second}",
    wrongUnsure: "says {class}: wrong, but only {margin} ahead of {second}",
    tie: "cannot decide: two classes are equal",
    says: "says {class}",
  },

  aside: {
    fooled: "fooled, and {confidence} % sure of {class}",
    wrong: "wrong, and {confidence} % sure of {class}",
    right: "right, and {confidence} % sure of {class}",
    why: "No transform on this road: it is for h, whose confidence means something under attack.",
  },

  stages: {
    h: { title: "Logits", formula: "h(x)", note: "What h makes of the image." },
    ln: { title: "Layer norm", formula: "z = LN(h)", note: "Mean 0, spread 1: only the shape counts." },
    clamp: { title: "Clamp", formula: "v = {clamped}", note: "Far below zero, differences vanish." },
    power: { title: "Power, scale", formula: "M = {s} |v|^({p}) sgn v", note: "The large grow, the small fade: a lead gets larger." },
    softmax: { title: "Softmax", formula: "σ(M)", note: "Leads by {margin}; without the transform, by {plain}." },
    g: { title: "Logits", formula: "g(x)", note: "" },
    vote: { title: "Vote", formula: "σ(g/T), T = {temperature}", note: "g's probabilities." },
    mix: { title: "The mix", formula: "{rest} g + {alpha} M(h)", note: "" },
  },
  // what is said where a setting makes nothing, or the contrary, of a stage
  clampOff: { note: "No clamp: all stays as it is." },
  powerOne: { note: "With p = 1, all grow alike." },
  powerLess: { note: "With p below 1, a lead gets smaller." },
  lnOff: { formula: "z = h, no LN", note: "No layer norm: the logits stay as they are." },
  voteHard: { formula: "T = 0", note: "All of it on one class." },
  clamps: { gelu: "GELU(z{c})", relu: "ReLU(z{c})", elu: "ELU(z{c})", softplus: "softplus(z{c})", linear: "z{c}" },
  mix: {
    fromH: "{alpha} · M(h)",
    fromG: "{rest} · g",
    answers: "The mix answers",
    right: "right",
    wrong: "wrong",
    agree: "g and M(h) agree.",
    holds: "M(h) leads g's {std} by {gap}, more than (1−α)/α = {threshold}: g cannot overrule it.",
    overruled: "M(h) leads g's {std} by {gap}, no more than (1−α)/α = {threshold}: g overrules it.",
    soft: "The class with the largest sum wins.",
    plain: "Mixed without the transform, at the same α: {plain}, {outcome}.",
  },

  table: {
    show: "Numbers as a table",
    label: "The numbers of every stage",
    class: "class",
    columns: { h: "h(x)", ln: "LN", clamp: "clamp", power: "M(h)", softmax: "σ(M(h))", g: "g(x)", vote: "g's vote", mix: "mix" },
  },
  read: "{class}: {stage} {value}",
  alternative: "{stage}. {values}. {largest}",
  largest: "Largest: {class}.",
  noLargest: "No class is ahead.",
  said: "The mix answers {class}: {outcome}.",
};

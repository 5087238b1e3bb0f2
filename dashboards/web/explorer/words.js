// What the explorer's components say: the whole catalogue, by component. A translation is another file like this one.
//
// A text with gaps is a function of what goes into them, numbers as text already but for those of things that are counted.

import { counted, thousands } from "../engine/text.js";

export const WORDS = {
  classifiers: {
    std: "Standard model",
    rob: "Robust model",
    mapped: "Transformed M(h)",
    adaptive: "α by the image",
    plain: "Plain mix",
    mix: "This mix",
  },
  parts: { clean: "clean", attacked: "attacked" },
  optimistic: "MMAA points only: optimistic, no attack on a mix is among them.",
  optimisticShort: "MMAA points only: optimistic",
  lost:
    "The kernel does not answer: it is busy, the connection is broken, or it ended with its server. The figures go on; verifying, " +
    "importing and saving wait for it. If it stays away, reload the page.",
  interval: (low, high) => `${low} to ${high}`,
  images: (n) => `n = ${n}`,

  strip: {
    title: "Results of this mix",
    clean: "Clean accuracy",
    attacked: "Accuracy under attack, at most",
    noAttack: "no attacked images",
    gains: (robust, plain) => `Compared with the robust model: ${robust}. Compared with the plain mix: ${plain}.`,
    gain: (points, what, errors) => `${points} ${what} accuracy${errors ? ` (${errors})` : ""}`,
    points: (x) => `${x} points`,
    fewer: (share) => `${share} % fewer errors`,
    more: (share) => `${share} % more errors`,
    sameErrors: "no more and no fewer errors",
    testsTitle: "Could that be chance?",
    tests: (robust, plain) => `McNemar's exact test, against the robust model: ${robust}; against the plain mix: ${plain}.`,
    test: (what, p, clear) => `${what} p = ${p}${clear ? "" : " (chance could explain it)"}`,
  },

  brief: {
    alpha: "Weight of M(h), α",
  },

  headline: {
    title: "Accuracies",
    corner: "Classifier",
    columns: {
      clean: ["Clean accuracy", "Exact on the images of the bundle."],
      attacked: [
        "Attacked, at most",
        "Share of the attacked images that are right at every known point: an upper bound on robust accuracy, as good as the " +
          "points are. The standard model has one only where it was attacked itself.",
      ],
      by_margin: [
        "Right by margin",
        "Share that M(h) gets right at every attacked point with margin ≥ (1-α)/α: right there whatever the standard model " +
          "says (Eq. 7).",
      ],
      certified: [
        "Certified, at least",
        "Share of the clean images that are right whatever the standard model says and whatever the perturbation within the " +
          "radius named below: a lower bound, as far as the certificate of the robust model holds.",
      ],
      verified: [
        "Verified",
        "What an adaptive attack (B.2.1) on this very mix has left, once you have run it under Verify.",
      ],
    },
    notAttacked: "not attacked",
    notCertified: "not for this mix",
    notYet: "not yet",
    alpha: (alpha) => `α = ${alpha}`,
  },

  remarks: {
    noAttack: "The bundle has no attacked part: there are no figures under attack.",
    intervals: (points) => `Intervals: 95 %, Wilson's; of gains, Tango's on the same images. Attacked points: ${points}.`,
    certified: (within, basis) =>
      `Certified, at least: right for every g and every perturbation within ${within}, by the certified margin bound (Bai et al., ` +
      `2024b, Lemma 1) from what was imported ${basis}: a lower bound, as far as that holds.`,
    otherRadius: "The bundle states no ε in this norm: the radius is the customary one, and not that of the attack.",
    notCertified: (reason) => `Of this mix nothing is certified: ${reason}.`,
    verify: "Only an adaptive attack on the mix itself verifies its robust accuracy.",
  },

  sources: {
    title: "The pool of attacked points",
    none: "The bundle has no attacked part.",
    columns: ["Attack", "Images", "Points kept"],
    notRecorded: "not recorded",
    on: (name, target) => `${name} on ${target}`,
    attacks: (count, on) => `${counted(count, "attack")} on ${on}`,
    furtherAttacks: (count, on) => `${count} on ${on}`,
    targets: { mixes: "mixes", g: "g", others: "other classifiers" },
    settled: (count, n) => `${count} of ${n} images are settled: some point fools both g and h.`,
  },

  examples: {
    title: "Images the mix fixes or breaks, relative to the robust model h",
    tabs: { clean: "Clean images", attacked: "Attacked images" },
    show: "Show",
    kinds: { both: "fixed and broken", fixed: "fixed", broken: "broken" },
    columns: {
      image: ["image", "Which clean image of the bundle"],
      what: ["the mix", "Against the robust model h by itself"],
      label: ["true class", ""],
      std: ["standard g", ""],
      rob: ["robust h", ""],
      mix: ["this mix", ""],
      margin: ["margin", "Of M(h): below (1−α)/α g can overrule it"],
    },
    fixes: "fixes",
    breaks: "breaks",
    note: (fixed, broken, n, part) =>
      `${thousands(fixed)} of ${counted(n, `${part} image`)} fixed, ${thousands(broken)} broken (relative to h)`,
    selected: (fixed, broken, n, part) =>
      `of ${counted(n, `selected ${part} image`)} ${thousands(fixed)} fixed, ${thousands(broken)} broken (relative to h)`,
    nothing: "The mix fixes and breaks no image here.",
    noneSelected: "The mix fixes and breaks none of the selected images.",
    loading: "Loading examples …",
    noAttack: "The bundle has no attacked images.",
  },

  selection: {
    count: (n) => `${counted(n, "image")} selected`,
    tooMany: " (Too many for a link, which leaves them out.)",
    clear: "Clear selection",
    clearHelp: "Select no image; so does Escape",
  },

  story: {
    label: "The chosen image",
    picture: (number) => `clean image ${number}, without a perturbation`,
    choose: "Choose a row, or a point of the scatter, to follow that image; the simplex and the probabilities show it, too.",
    title: (part, number) => `${part} image ${number}`,
    outcomes: {
      fixed: "The mix fixes it: the robust model h is wrong, the mix is right.",
      broken: "The mix breaks it: the robust model h is right, the mix is wrong.",
      right: "Right with the robust model h and with the mix.",
      wrong: "Wrong with the robust model h and with the mix.",
    },
    votes: { label: "true class", std: "standard g", rob: "robust h", mapped: "M(h)", mix: "this mix" },
    tie: (threshold) => `M(h)'s margin equals the threshold (${threshold}): a tie, and ties go to g.`,
    reaches: (margin, threshold) => `M(h)'s margin (${margin}) reaches the threshold (${threshold}), so g cannot overrule it.`,
    below: (margin, threshold, overrules) =>
      `M(h)'s margin (${margin}) is below the threshold (${threshold}), so g ${overrules ? "overrules it" : "can overrule it"}.`,
    point: (point) => `Shown: ${point}.`,
    changed: (before, after) =>
      `Here M itself changes the class, from ${before} to ${after}: the clamp is not monotone everywhere (GELU dips below zero), ` +
      "or classes tie after it.",
    close: "Show the paper's two cases again",
  },

  assumptions: {
    title: "Do the paper's assumptions hold here?",
    columns: ["Assumption", "says", "on this bundle"],
    says: {
      4.1: "where M(h) is right, g is right",
      4.2: "M changes no prediction",
      "Theorem 4.4": "M(h)'s margin is independent of whether g is right",
    },
    rightToo: (tally) => `${tally} clean images`,
    changed: (clean, attacked) => `changed: ${clean} clean${attacked ? ` and ${attacked} attacked` : ""} images`,
    kept: (kept, right) =>
      `of the clean images that M(h) gets wrong, ${kept} keep a margin ≥ (1−α)/α; of those that g gets right, ${right}`,
    cost: (promised, gained, fixed, broken, notSecond) =>
      `The objective predicts a gain of ${promised} points over M(h); the actual gain is ${gained} (${counted(fixed, "image")} gained, ` +
      `${thousands(broken)} lost). In ${counted(notSecond, "further case")} g is right and the margin is low, but g's class is not M(h)'s runner-up.`,
  },

  seen: {
    none: "Without an attacked part nothing was chosen on these images.",
    seen: (figure) => `The search chooses on the clean images that were attacked: there the mix has ${figure}`,
    all: (seen) => `${seen}. These are all: no image is left unseen (Table 8).`,
    unseen: (seen, figure) => `${seen}; on the others, which it has not seen, ${figure} (Table 8).`,
  },

  stars: {
    title: "Verified mixes at hand",
    columns: { name: "mix", settings: "settings", alpha: "α", clean: "clean, %", verified: "verified, %" },
    none: "No verified mix of this bundle is at hand.",
  },

  snapshots: {
    title: "Snapshots",
    columns: {
      name: ["snapshot", ""],
      settings: ["settings", ""],
      alpha: ["α", ""],
      clean: ["clean, %", "Exact on the images of the bundle"],
      seen: ["clean, seen, %", "On the clean images that the search saw, and below on those that it did not see (Table 8)"],
      attacked: ["attacked, %", "An upper bound; see the table above"],
      by_margin: ["by margin, %", "See the table above"],
      verified: ["verified, %", "By an adaptive attack on that mix"],
    },
    current: "current",
    unseen: (figure) => `unseen ${figure}`,
    allSeen: "no others",
    against: (points) => `${points} against the current mix, on the same images`,
    restore: "Restore",
    drop: "Remove",
  },

  found: {
    title: "What the search found",
    nothing: "Nothing has been searched yet: choose Find best.",
    byLevel: (beta) => `best of the grid for β = ${beta}, chosen on these images:`,
    byAccuracy: (kept, least) => `best of the grid at ${kept} accuracy of at least ${least} %, T = 0:`,
    mix: (s, p, c, alpha) => `s = ${s}, p = ${p}, c = ${c}, α = ${alpha}`,
    objective: (share, wrong, seen) => `objective ${share} % of ${counted(wrong, "wrong clean image")} (${thousands(seen)} seen)`,
    cells: (size, grid, tied) => `${counted(size, "cell")}, grid ${grid}; ${thousands(tied)} tied`,
    attacked: (share, n) => `attacked, at most ${share} % of ${counted(n, "image")}`,
    optimistic: " (MMAA points only: optimistic)",
    clean: (parts) => `clean ${parts}`,
    cleanPart: (share, n, name) => `${share} % of ${n} ${name}`,
    parts: { seen: "seen", unseen: "unseen" },
    plain: (clean, attacked, gain) => `plain mix: clean ${clean} % of the seen, attacked ${attacked} %; gain ${gain} attacked`,
    noPlain: "no α of the plain mix reaches that",
    grid: (mixes, cells, name) => `${counted(mixes, "mix", "mixes")} of ${counted(cells, "cell")}, grid ${name}`,
    cellsTitle: "Best cells; choose one to go there",
    columns: { place: "rank", s: "s", p: "p", c: "c", alpha: "α", objective: "objective, %" },
    ranks: { chosen: "chosen", tied: "tied" },
    widen: "Search a wider grid",
    stale: "The settings have moved on since.",
  },

  provenance: {
    title: "About this data",
    sizes: (clean, attacked, classes) => `${clean} clean and ${attacked} attacked images, ${classes} classes`,
    noThreat: "no threat model stated",
    rows: {
      title: "Bundle",
      sizes: "Images",
      dataset: "Data",
      pixels: "Pixels",
      threat: "Threat model",
      std: "Standard model",
      rob: "Robust model",
      digest: "Tensors",
      created: "Made",
      command: "Its maker gives this command, which nobody has checked",
    },
    again: "Reproduce on the command line",
    file: "BUNDLE.safetensors stands for this bundle's file, CONFIG.json for the configuration that you export.",
  },

  exports: {
    help: "The configuration of this mix (mnuts-config/1), which mnuts and MixedClassifier.from_config take.",
    preview: "Preview of the configuration",
    download: "Download JSON",
    copy: "Copy",
    copied: "Configuration copied.",
    refused: "The browser did not allow copying: select the text and copy it.",
    saved: (name) => `Saved as ${name}.`,
  },

  attack: {
    n: { label: "Images", help: "How many of the attacked images, from the first on" },
    steps: { label: "Steps", help: "Of APGD and FAB; 100 as in AutoAttack, fewer are weaker" },
    images: {
      label: "Images from",
      help: "Data spec of the images that the bundle was built from",
      placeholder: "cifar10-jpeg:/path/to/folder",
    },
    start: "Verify this mix",
    startHelp: "Attack it adaptively (B.2.1); takes a minute or more",
    cancel: "Cancel the attack",
    cancelHelp: "Stop it: nothing is verified then",
    progress: "Progress of the attack",
    notHere: (reason) => `Verification is not available here: ${reason}.`,
    attacking: (n, settings, share = "0", most = null) =>
      `Attacking ${counted(n, "image")} at ${settings}: ${share} %.${most === null ? "" : ` So far at most ${most} % stay right.`} You can keep ` +
      "exploring meanwhile.",
    waiting: (before) =>
      `Waiting: ${counted(before, "verification")} of other visitors before yours. Keep exploring; ` +
      "Cancel gives up your place.",
    cancelled: "Cancelled: nothing was verified.",
    failed: (message) => `Verification: ${message}`,
    beside: (attacked, byMargin, robust) =>
      `On the same images: attacked ${attacked} %, right by margin ${byMargin} %, robust model under its own attack ${robust} %.`,
    done: "Verified; its points have joined the bundle. The same on the command line:",
    command: "The command that does the same",
  },

  verification: {
    needs: "Verifying a mix by an adaptive attack needs “mnuts dashboard”: this page has no models to attack.",
    how: "Export this configuration, then, where mnuts is installed:",
    dashboard: "mnuts dashboard",
    orEvaluate: "or attack it on the command line, and open the result there or here:",
    evaluate: "mnuts evaluate CONFIG.json --std SPEC --rob SPEC --data DATA",
    notVerified: "This mix has not been verified.",
    clean: (share) => `clean on the same images: ${share} %`,
    steps: (steps) => `after each part of the attack, in %: ${steps}`,
    verified: (share, low, high, n, settings) => `verified: ${share} % (${low} to ${high}), n = ${n}, for ${settings}`,
  },
};

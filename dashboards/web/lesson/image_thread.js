// One image through all steps: which stages a step lights, and which mix it shows on the image.

import { Toggle } from "../controls/buttons.js";
import { fill, h, setText } from "../controls/dom.js";
import { IDENTITY, LN_ONLY } from "../engine/params.js";
import { mountThread } from "./thread/thread.js";

/** The step that teaches a stage, for those that do not stand there from the first one on. */
const TAUGHT = { softmax: "margin", vote: "line", mix: "line", ln: "norm", clamp: "clamp", power: "power" };

/**
 * What a step shows: the stages that it is about, the mix as far as it has been taught, and the picture, where the step says
 * which; `own` is the mix that the images were picked for.
 *
 * @type {Object<string, (state: object, own: object) => {lit: string[]|null, mix: object, picture?: string}>}
 */
const OF_STEP = {
  failures: ({ attack }) => ({ lit: ["pixels", "h", "g"], mix: IDENTITY, picture: attack === "on" ? "attacked" : "clean" }),
  margin: () => ({ lit: ["h", "softmax"], mix: IDENTITY }),
  benign: ({ of }) => ({ lit: of === "g" ? ["g"] : ["h", "softmax"], mix: IDENTITY }),
  line: ({ cut }) => ({ lit: ["softmax", "mix"], mix: { ...IDENTITY, alpha: 1 / (1 + cut) } }),
  norm: ({ scale }) => ({ lit: ["ln", "softmax"], mix: scale === "normed" ? LN_ONLY : IDENTITY }),
  clamp: ({ c }) => ({ lit: ["ln", "clamp"], mix: { ...LN_ONLY, clamp: "gelu", c } }),
  power: ({ p }, own) => ({ lit: ["power", "softmax"], mix: { ...own, p } }),
  mix: ({ alpha }, own) => ({ lit: ["softmax", "vote", "mix"], mix: { ...own, alpha: alpha ?? own.alpha } }),
  price: (_, own) => ({ lit: null, mix: own }),
};

const ORDER = Object.keys(OF_STEP);

/** The stages that a step does not know of yet. */
function ahead(step) {
  return Object.keys(TAUGHT).filter((stage) => ORDER.indexOf(TAUGHT[stage]) > ORDER.indexOf(step));
}

export class ImageThread {
  /**
   * @param {Element} root
   * @param {{examples: import("./thread/numbers.js").Example[], missing: string|null, mix: import("../engine/params.js").MixParams,
   *   bundle: string}} record See `dashboards/page/thread.py`.
   * @param {import("../app/texts.js").Texts} texts
   */
  constructor(root, { examples, missing, mix, bundle }, texts) {
    Object.assign(this, { examples, missing, own: mix, bundle, texts, thread: null, chosen: null, asked: null, step: null, picture: null });
    const choices = examples.map(({ kind }) => [texts.plain(`thread.example.${kind}`), kind, ""]);
    this.toggle = new Toggle({ label: texts.plain("thread.examples"), choices, onChoose: (kind) => this.choose(kind) });
    this.toggle.element.hidden = examples.length < 2;
    this.place = h("div");
    this.source = h("p", { class: "thread-source" });
    const head = h("div", { class: "thread-top" }, h("h3", null, texts.plain("thread.title")), this.toggle.element);
    this.element = h("section", { class: "image-thread", "aria-label": texts.plain("thread.title") }, head, this.place, this.source);
    fill(root, this.element);
    this.choose(examples[0]?.kind ?? null);
  }

  /** Follow another image. */
  choose(kind) {
    this.thread?.destroy();
    this.chosen = kind;
    this.toggle.show(kind);
    const example = this.examples.find((one) => one.kind === kind) ?? null;
    setText(this.source, example ? this.texts.plain("thread.source", { ...this.own, number: example.number, bundle: this.bundle }) : "");
    const { lit, ahead, mix } = this.asked ?? { lit: null, ahead: [], mix: this.own };
    this.thread = mountThread(this.place, { example, missing: this.missing ?? "", settings: mix, texts: this.texts, lit, ahead });
  }

  /**
   * Show what a step is about.
   *
   * @param {string} step Its key.
   * @param {object} state Where the controls stand.
   */
  show(step, state) {
    const { lit, mix, picture } = OF_STEP[step](state, this.own);
    this.asked = { lit, ahead: ahead(step), mix: { ...this.own, ...mix } };
    this.thread.light(lit);
    this.thread.keepBack(this.asked.ahead);
    this.thread.update(this.asked.mix);
    if (picture && picture !== this.picture) this.thread.show(picture);
    if (!picture && this.step !== step) this.thread.show(this.examples.find(({ kind }) => kind === this.chosen)?.point ?? "attacked");
    Object.assign(this, { step, picture: picture ?? null });
  }
}

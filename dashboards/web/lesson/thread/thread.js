// One image followed all the way: its pixels, the robust model's logits through every step of the transform, the standard
// model's vote, the mix and its answer; all stages at once, moving with the settings.

import { Announcer } from "../../controls/announce.js";
import { fill, h, setText } from "../../controls/dom.js";
import { oneLine } from "../../controls/visible.js";
import { Answer } from "./answer.js";
import { axisOf } from "./axes.js";
import { Motion } from "./motion.js";
import { CHARTS, G_ROAD, H_ROAD, STAGES, leaderOf, numbersOf, shownClasses } from "./numbers.js";
import { Pixels } from "./pixels.js";
import { Stage } from "./stage.js";
import { NumbersTable } from "./table.js";
import { captionFields, captionOf, endText, numberText, verdictOfG, verdictOfH } from "./words.js";

const MOST = 10; // classes that are shown
const LONGEST = 40; // characters of a class's name
const PARTS = { mix: ["fromH", "fromG"] };

/**
 * Mount the thread.
 * @param {Element} root What it fills.
 * @param {object} given
 * @param {import("./numbers.js").Example|null} given.example
 * @param {string} [given.missing] Why there is no example, where there is none; it stands there instead.
 * @param {import("../../engine/params.js").MixParams} given.settings With α as a number.
 * @param {import("../../app/texts.js").Texts} given.texts The catalogue, of which it takes `thread.…`.
 * @param {string[]|null} [given.lit] Which of `STAGES` are lit, the others dimmed; null: all as they are.
 * @param {string[]} [given.ahead] Which of `CHARTS` are still kept back: what comes later in the lesson.
 * @returns {{update: (settings: object) => void, light: (stages: string[]|null) => void, keepBack: (stages: string[]) => void,
 *   show: (picture: "clean"|"perturbation"|"attacked") => void, destroy: () => void}}
 */
export function mountThread(root, { example, missing = "", settings, texts, lit = null, ahead = [] }) {
  if (!example) {
    fill(root, h("p", { class: "thread-missing" }, missing));
    const nothing = () => {};
    return { update: nothing, light: nothing, keepBack: nothing, show: nothing, destroy: () => fill(root) };
  }
  const thread = new Thread(example, settings, texts);
  fill(root, thread.element);
  thread.light(lit);
  thread.keepBack(ahead);
  return {
    update: (changed) => thread.motion.to(changed) && thread.hold(),
    light: (stages) => thread.light(stages),
    keepBack: (stages) => thread.keepBack(stages),
    show: (picture) => thread.show(picture),
    destroy: () => {
      thread.motion.stop();
      fill(root);
    },
  };
}

class Thread {
  constructor(example, settings, texts) {
    const classes = example.classes.map((name) => oneLine(name, LONGEST));
    this.example = { ...example, classes };
    this.texts = texts;
    this.shown = shownClasses(example, MOST);
    this.motion = new Motion(settings, (pace) => this.draw(pace), () => this.settle());
    this.pixels = new Pixels(this.example, texts, (picture) => this.show(picture));
    this.parts = [h("span"), h("span")];
    this.stages = Object.fromEntries(CHARTS.map((name) => [name, this.stage(name)]));
    this.answer = new Answer(texts);
    this.announcer = new Announcer();
    this.table = new NumbersTable(classes, texts, () => this.numbers);
    this.element = this.layout(classes);
    this.at = example.point;
    this.pixels.show(example.point);
    this.draw({ share: 1, glide: 0 });
    this.settle();
  }

  stage(name) {
    const { example, texts, shown, parts } = this;
    const known = { title: texts.plain(`thread.stage.${name}.title`), shown, classes: example.classes, roleOf: (k) => this.roleOf(k) };
    const swatch = (i) => h("span", { class: `thread-swatch part-${i}`, "aria-hidden": "true" });
    const below = name === "mix" && h("p", { class: "thread-parts" }, parts.map((part, i) => [swatch(i), part]));
    return new Stage(name, { ...known, parts: PARTS[name]?.length, below }, (k, stage) => this.point(k, stage));
  }

  roleOf(k) {
    const { label, rival } = this.example;
    return k === label ? "true" : k === rival ? "rival" : "";
  }

  layout(classes) {
    const { texts, stages, shown } = this;
    this.verdicts = { h: h("p", { class: "thread-verdict" }), g: h("p", { class: "thread-verdict" }) };
    this.sure = h("p", { class: "thread-sure" });
    const ribbons = shown.map((k) => h("div", { class: `thread-row ${this.roleOf(k)}` }));
    this.why = h("p", { class: "thread-note" }, texts.plain("thread.g.why"));
    const words = h("div", null, this.sure, this.why);
    const aside = h("div", { class: "thread-aside" }, h("div", { class: "thread-ribbons", "aria-hidden": "true" }, ribbons), words);
    const head = (name) => h("div", { class: "thread-head" }, badge(name), h("b", null, texts.plain(`thread.${name}`)), this.verdicts[name]);
    const road = (name, ...content) => h("div", { class: `thread-road ${name}` }, head(name), h("div", { class: "thread-stages" }, content));
    const elements = (names) => names.map((name) => stages[name].element);
    const [g, vote] = elements(G_ROAD);
    this.mix = h("div", { class: "thread-mix" }, stages.mix.element, this.answer.element);
    const short = classes.every((name) => name.length <= 2);
    return h(
      "section",
      { class: `thread${short ? " short-names" : ""}`, "aria-label": texts.plain("thread.label") },
      this.legend(),
      h("div", { class: "thread-flow" }, this.pixels.element, road("h", elements(H_ROAD)), road("g", g, aside, vote), this.mix),
      h("p", { class: "thread-hint" }, texts.plain("thread.hint")),
      this.table.element,
      this.announcer.element,
    );
  }

  legend() {
    const { texts, shown } = this;
    const { kind, classes, label, rival } = this.example;
    const entry = (swatch, key, fields) => h("li", null, h("span", { class: `thread-swatch ${swatch}`, "aria-hidden": "true" }), texts.plain(`thread.legend.${key}`, fields));
    const own = [entry("true", "true", { class: classes[label] }), entry("rival", `rival.${kind}`, { class: classes[rival] }), entry("other", "other")];
    const some = shown.length < classes.length && h("li", null, texts.plain("thread.legend.some", { shown: shown.length, all: classes.length }));
    this.lineEntry = entry("line", "line");
    this.beforeEntry = entry("before", "before");
    return h("ul", { class: "thread-legend" }, own, entry("leads", "largest"), this.beforeEntry, this.lineEntry, some);
  }

  /** Follow the image at another point, with another picture of it large. */
  show(picture) {
    const point = picture === "clean" ? "clean" : "attacked";
    this.pixels.show(picture);
    if (point === this.at) return;
    this.at = point;
    this.hold();
    this.motion.leap();
  }

  /** What is drawn now is to fade. */
  hold() {
    for (const stage of Object.values(this.stages)) stage.hold();
  }

  /** Light some stages and dim the others; null: none of that. */
  light(lit) {
    const wrong = lit?.find((name) => !STAGES.includes(name));
    if (wrong !== undefined) throw new RangeError(`there is no stage '${wrong}': stages are ${STAGES.join(", ")}`);
    const of = (name) => (lit ? lit.includes(name) : null);
    this.element.classList.toggle("some-lit", lit !== null);
    for (const [name, stage] of Object.entries({ ...this.stages, pixels: this.pixels })) stage.light(of(name));
  }

  /** Keep stages back: their places stay empty, and with them the marks that only they explain. */
  keepBack(ahead) {
    const waits = (name) => ahead.includes(name);
    for (const [name, stage] of Object.entries(this.stages)) stage.keepBack(waits(name));
    this.mix.classList.toggle("ahead", waits("mix"));
    this.mix.inert = waits("mix");
    this.why.hidden = this.beforeEntry.hidden = waits("ln");
    this.element.classList.toggle("no-before", waits("ln"));
    this.element.classList.toggle("no-line", waits("mix"));
  }

  point(k, stage = null) {
    for (const one of Object.values(this.stages)) one.point(k);
    if (!stage) return;
    const value = numberText(stage.name, this.numbers[stage.name][k]);
    this.announcer.say(this.texts.plain("thread.read", { class: this.example.classes[k], stage: stage.title, value }));
  }

  /** @returns {boolean} Whether an axis still moves. */
  draw(pace) {
    const { example, texts, shown, stages } = this;
    const { settings } = this.motion;
    const moments = Object.fromEntries(Object.entries(example.points).map(([name, point]) => [name, numbersOf(point, settings)]));
    const numbers = (this.numbers = moments[this.at]);
    let moves = false;
    for (const [name, stage] of Object.entries(stages)) {
      const axis = axisOf(name, numbers, Object.values(moments), shown);
      const parts = (PARTS[name] ?? [name]).map((part) => numbers[part]);
      const leader = name === "mix" ? numbers.answer : leaderOf(numbers[name]);
      const marks = name === "softmax" ? { line: settings.temperature === 0 ? lineOf(numbers) : null, before: numbers.before } : {};
      moves = stage.draw({ parts, axis, leader, text: (x) => numberText(name, x), ...marks }, pace) || moves;
      stage.write({ ...captionOf(name, settings, numbers, texts), ends: axis.map(endText) });
    }
    this.write(moments);
    return moves;
  }

  write({ clean }) {
    const { example, numbers, texts, motion } = this;
    const verdict = verdictOfG(numbers, example, this.at === "attacked" && clean.std === example.label, texts);
    setText(this.verdicts.h, verdictOfH(numbers, example, texts));
    setText(this.verdicts.g, texts.plain("thread.g.says", { class: example.classes[numbers.std] }));
    setText(this.sure, verdict);
    const fields = captionFields(motion.settings, numbers, texts);
    this.parts.forEach((part, i) => setText(part, texts.plain(`thread.mix.${PARTS.mix[i]}`, fields)));
    this.lineEntry.hidden = motion.settings.temperature > 0;
    this.answer.show(numbers, example, motion.settings);
  }

  /** What is said once nothing moves any more. */
  settle() {
    const { example, numbers, shown, stages, texts } = this;
    for (const [name, stage] of Object.entries(stages)) {
      const values = shown.map((k) => `${example.classes[k]}: ${numberText(name, numbers[name][k])}`).join("; ");
      const leader = name === "mix" ? numbers.answer : leaderOf(numbers[name]);
      const key = leader < 0 ? "thread.alternative_tie" : "thread.alternative";
      stage.describe(texts.plain(key, { stage: stage.title, values, largest: example.classes[leader] ?? "" }));
    }
    this.table.update();
    if (this.said !== undefined && this.said !== numbers.answer) this.announcer.say(this.answer.sentence(numbers, example));
    this.said = numbers.answer;
  }
}

/** From where on a class wins with g's vote at T = 0. */
function lineOf({ softmax, threshold }) {
  return Math.max(0, Math.max(...softmax) - threshold);
}

function badge(name) {
  return h("span", { class: `thread-badge ${name}`, "aria-hidden": "true" }, name);
}

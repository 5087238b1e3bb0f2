// A step's question: a slider with its box, or a few answers to choose from; checked, shown, or tried again.

import { button } from "../controls/buttons.js";
import { fill, h, setText, uniqueId } from "../controls/dom.js";
import { Slider } from "../controls/slider.js";
import { localNumber } from "../controls/words.js";

const KINDS = {
  percent: { low: 0, high: 100, step: 1, unit: "unit.percent", scale: 0.01 },
  share: { low: 0, high: 1, step: 0.01, unit: "unit.none", scale: 1 },
  number: { scale: 1 },
};

/** A question with all that its kind implies; `scale` turns an answer into the truth's units. */
export function completed(question) {
  return question.kind === "choice" ? question : { ...KINDS[question.kind], ...question };
}

/** Whether a question allows an answer. */
export function allowsAnswer(question, answer) {
  if (question.kind === "choice") return question.options.some(([, value]) => value === answer);
  return typeof answer === "number" && answer >= question.low && answer <= question.high;
}

/** An answer as it is to be read: `50 %`, `0.20`, `fewer`. */
export function answerText(question, answer, texts) {
  if (question.kind === "choice") return texts.plain("ask.quoted", { answer: texts.plain(question.options.find(([, value]) => value === answer)[0]) });
  const digits = question.step >= 1 ? 0 : question.step >= 0.1 ? 1 : 2;
  const exact = Number(answer.toFixed(digits)) === answer ? answer.toFixed(digits) : String(answer);
  return `${localNumber(exact)} ${texts.plain(question.unit)}`.trim().replace(" %", "\u00a0%");
}

export class QuestionPanel {
  /**
   * @param {import("../app/texts.js").Texts} texts
   * @param {{answer: (value: any) => void, forget: () => void}} on `answer`: called with an answer, or with null to be shown.
   */
  constructor(texts, on) {
    Object.assign(this, { texts, on, shown: null, value: null });
    this.input = h("div");
    this.check = button(texts.plain("ask.check"), "", () => this.decide(), { class: "primary" });
    this.show = button(texts.plain("ask.show"), "", () => on.answer(null));
    this.missing = h("p", { class: "missing", role: "status" });
    this.element = h("div", { class: "question" }, this.input, h("div", { class: "buttons" }, this.check, this.show), this.missing);
  }

  decide() {
    if (this.answered) this.on.forget();
    else if (this.slider?.wrong) this.slider.number.box.focus(); // it says already what is wrong, and is no answer
    else if (this.value === null) this.missing.textContent = this.texts.plain("ask.choose");
    else this.on.answer(this.value);
  }

  /**
   * Ask, or show what was answered.
   * @param {string} slot Of the answer: another slot is another question.
   * @param {object} question Completed.
   * @param {string} label
   * @param {{answered: boolean, answer: any}} given
   */
  ask(slot, question, label, { answered, answer }) {
    const key = `${slot} ${label}`;
    if (key !== this.shown || answered) setText(this.missing, "");
    if (key !== this.shown) this.make(key, question, label);
    this.answered = answered;
    if (answer !== null) this.put(answer);
    this.enable(!answered);
    this.check.textContent = this.texts.plain(answered ? "ask.again" : "ask.check");
    this.show.hidden = answered;
  }

  make(key, question, label) {
    Object.assign(this, { shown: key, question, value: null });
    if (question.kind === "choice") this.makeChoice(question, label);
    else this.makeSlider(question, label);
  }

  makeChoice({ options }, label) {
    const name = uniqueId("answer");
    this.radios = options.map(([text, value]) => {
      const radio = h("input", { type: "radio", name, onchange: () => this.choose(value) });
      return { value, radio, label: h("label", { class: "radio" }, radio, this.texts.plain(text)) };
    });
    this.slider = null;
    fill(this.input, h("fieldset", null, h("legend", null, label), h("div", { class: "radios" }, this.radios.map((one) => one.label))));
  }

  choose(value) {
    this.value = value;
    setText(this.missing, "");
  }

  makeSlider({ low, high, step, unit }, label) {
    const range = { low, high, low_open: false, slider_low: low, slider_high: high, step, scale: "linear" };
    const name = this.texts.plain("ask.your_answer");
    const suffix = this.texts.plain(unit);
    const spec = { ...range, name: "answer", symbol: name, label: suffix ? `${name} (${suffix})` : name, help: label };
    this.slider = new Slider(spec, { set: (value) => (this.value = value), refuse: (problem) => setText(this.missing, problem ?? "") });
    this.value = Number((low + Math.round((high - low) / 2 / step) * step).toFixed(6));
    this.slider.show(this.value);
    const group = { role: "group", "aria-label": label };
    fill(this.input, h("p", { class: "asked" }, label), h("div", group, this.slider.element));
  }

  put(answer) {
    this.value = answer;
    if (this.slider) this.slider.show(answer);
    else for (const { value, radio } of this.radios) radio.checked = value === answer;
  }

  enable(enabled) {
    if (this.slider && !enabled) this.slider.number.revert(); // what was refused is not what is judged
    if (this.slider) this.slider.enable(enabled);
    else for (const { radio } of this.radios) radio.disabled = !enabled;
  }
}

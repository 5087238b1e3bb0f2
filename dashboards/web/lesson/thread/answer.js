// What the mix answers, whether that is right, and why.

import { h, setText } from "../../controls/dom.js";
import { reasonOf, said } from "./words.js";

export class Answer {
  /** @param {object} texts */
  constructor(texts) {
    this.texts = texts;
    this.name = h("b", { class: "thread-answer-class" });
    this.outcome = h("span", { class: "thread-outcome" });
    this.reason = h("p", { class: "thread-note" });
    this.plain = h("p", { class: "thread-note" });
    this.element = h("div", { class: "thread-answer" }, h("span", null, texts.mix.answers), this.name, this.outcome, this.reason, this.plain);
  }

  /** Show what comes of these numbers. */
  show(numbers, { classes, label }, settings) {
    const { mix } = this.texts;
    const outcome = (k) => (k === label ? mix.right : mix.wrong);
    setText(this.name, classes[numbers.answer]);
    setText(this.outcome, outcome(numbers.answer));
    this.element.classList.toggle("right", numbers.answer === label);
    setText(this.reason, reasonOf(numbers, settings, classes, this.texts));
    setText(this.plain, said(mix.plain, { plain: classes[numbers.plain], outcome: outcome(numbers.plain) }));
  }

  /** The same in a sentence, to be read aloud. */
  sentence({ answer }, { classes, label }) {
    return said(this.texts.said, { class: classes[answer], outcome: this.texts.mix[answer === label ? "right" : "wrong"] });
  }
}

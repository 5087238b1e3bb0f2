// What the mix answers, whether that is right, and why.

import { h, setText } from "../../controls/dom.js";
import { isPlain } from "../../engine/params.js";
import { reasonOf } from "./words.js";

export class Answer {
  /** @param {import("../../app/texts.js").Texts} texts */
  constructor(texts) {
    this.texts = texts;
    this.name = h("b", { class: "thread-answer-class" });
    this.outcome = h("span", { class: "thread-outcome" });
    this.reason = h("p", { class: "thread-note" });
    this.plain = h("p", { class: "thread-note" });
    this.element = h("div", { class: "thread-answer" }, h("span", null, texts.plain("thread.mix.answers")), this.name, this.outcome, this.reason, this.plain);
  }

  /** Show what comes of these numbers. */
  show(numbers, { classes, label }, settings) {
    const { texts } = this;
    setText(this.name, classes[numbers.answer]);
    setText(this.outcome, this.outcomeOf(numbers.answer, label));
    this.element.classList.toggle("right", numbers.answer === label);
    setText(this.reason, reasonOf(numbers, settings, classes, texts));
    this.plain.hidden = isPlain(settings); // it is this very mix
    setText(this.plain, texts.plain("thread.mix.plain", { plain: classes[numbers.plain], outcome: this.outcomeOf(numbers.plain, label) }));
  }

  /** The same in a sentence, to be read aloud. */
  sentence({ answer }, { classes, label }) {
    return this.texts.plain("thread.mix.said", { class: classes[answer], outcome: this.outcomeOf(answer, label) });
  }

  outcomeOf(answer, label) {
    return this.texts.plain(`thread.mix.${answer === label ? "right" : "wrong"}`);
  }
}

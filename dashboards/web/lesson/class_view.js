// What is seen of the class: to the class, that it is counted; to its teacher, what it predicts, on request.

import { fill, h, setText } from "../controls/dom.js";
import { general } from "../controls/numbers.js";
import { localNumber } from "../controls/words.js";
import { PARTS } from "./classroom.js";

const EVERY = 2000; // milliseconds from one look at the counts to the next
const TICKS = [0, PARTS / 4, PARTS / 2, (3 * PARTS) / 4, PARTS];

export class ClassView {
  /**
   * @param {import("./classroom.js").Classroom|null} classroom
   * @param {import("../app/texts.js").Texts} texts
   */
  constructor(classroom, texts) {
    Object.assign(this, { classroom, texts, asked: null, open: false, timer: null });
    this.element = h("div", { class: "class-place" });
    if (!classroom) return;
    if (!classroom.isTeacher) {
      this.note = h("p", { class: "class-note", role: "status" });
      fill(this.element, this.note);
      classroom.changed = () => this.showNote();
      this.showNote();
      return;
    }
    this.button = h("button", { type: "button", "aria-expanded": "false", onclick: () => this.toggle() }, texts.plain("class.show"));
    this.count = h("p", { role: "status" });
    this.bars = h("div", { class: "class-bars", role: "list" });
    this.ends = h("div", { class: "class-ends", "aria-hidden": "true" });
    this.box = h("section", { class: "class-box", "aria-label": texts.plain("class.title"), hidden: true }, this.count, this.bars, this.ends);
    fill(this.element, this.button, this.box);
  }

  /**
   * Be about another question, or about the same one with its answer.
   *
   * @param {{bundle: number, question: string}} asked
   * @param {object} question Completed.
   * @param {number|null} truth In which part the data lie; null as long as that is hidden.
   */
  ask(asked, question, truth) {
    if (!this.classroom) return;
    const other = JSON.stringify(asked) !== JSON.stringify(this.asked);
    Object.assign(this, { asked, question, truth });
    if (!this.classroom.isTeacher) return;
    if (other) this.show(new Array(PARTS).fill(0));
    else this.mark();
    if (this.open) this.look();
  }

  /** Have a prediction counted. */
  say(part) {
    if (!this.classroom || this.classroom.isTeacher) return;
    this.classroom.say(this.asked, part);
  }

  /** Say whether the predictions are counted. */
  showNote() {
    setText(this.note, this.texts.plain(`class.${this.classroom.state}`));
  }

  toggle() {
    this.open = !this.open;
    this.box.hidden = !this.open;
    this.button.setAttribute("aria-expanded", String(this.open));
    if (!this.open) return clearTimeout(this.timer);
    this.box.scrollIntoView?.({ block: "nearest" }); // on a projector it stands below the screen's edge
    this.look();
  }

  /** Look at the counts, now and again. */
  async look() {
    clearTimeout(this.timer);
    const { asked } = this;
    try {
      const counts = await this.classroom.counts(asked);
      if (asked === this.asked) this.show(counts);
    } catch {
      setText(this.count, this.texts.plain("class.failed"));
    }
    clearTimeout(this.timer);
    if (this.open) this.timer = setTimeout(() => this.look(), EVERY);
  }

  show(counts) {
    const { question, texts } = this;
    const shown = question.kind === "choice" ? counts.slice(0, question.options.length) : counts;
    const most = Math.max(1, ...shown);
    const bar = (count, part) => {
      const said = texts.plain("class.bar", { answer: this.nameOf(part), count });
      const column = h("span", { class: "class-bar", style: { height: `${(100 * count) / most}%` } });
      return h("div", { role: "listitem", title: said, "aria-label": said }, column, h("small", null, count || ""));
    };
    fill(this.bars, shown.map(bar));
    const ends = question.kind === "choice" ? question.options.map(([key]) => texts.plain(key)) : TICKS.map((part) => this.endOf(part));
    fill(this.ends, ends.map((end) => h("span", null, end)));
    this.ends.classList.toggle("choice", question.kind === "choice");
    setText(this.count, texts.plain("class.count", { n: shown.reduce((sum, count) => sum + count, 0) }));
    this.mark();
  }

  /** Mark where the data lie. */
  mark() {
    [...this.bars.children].forEach((bar, part) => bar.classList.toggle("truth", part === this.truth));
  }

  nameOf(part) {
    const { question, texts } = this;
    if (question.kind === "choice") return texts.plain(question.options[part][0]);
    return texts.plain("class.bin", { low: this.endOf(part), high: this.endOf(part + 1) });
  }

  /** A part's lower end. */
  endOf(part) {
    const { low, high } = this.question;
    return localNumber(general(low + ((high - low) * part) / PARTS, 3));
  }

  close() {
    clearTimeout(this.timer);
    this.open = false;
  }
}

// The steps as a list to go to, and the way back and on.

import { button } from "../controls/buttons.js";
import { h, setText } from "../controls/dom.js";

export class Nav {
  /**
   * @param {string[]} titles Of the steps, the end last.
   * @param {import("../app/texts.js").Texts} texts
   * @param {(step: number) => void} go Steps count from 1.
   */
  constructor(titles, texts, go) {
    Object.assign(this, { titles, texts });
    const dot = (title, at) => {
      const name = at === titles.length - 1 ? title : texts.plain("page.step", { number: at + 1, title });
      return h("button", { type: "button", title: name, "aria-label": name, onclick: () => go(at + 1) }, at === titles.length - 1 ? "★" : String(at + 1));
    };
    this.dots = titles.map(dot);
    this.element = h("nav", { class: "steps", "aria-label": texts.plain("page.steps") }, h("ol", null, this.dots.map((one) => h("li", null, one))));
    this.back = button("", "", () => go(this.step - 1));
    this.on = button("", "", () => go(this.step + 1), { class: "primary" });
    this.place = h("span", { class: "place" });
    this.turn = h("div", { class: "turn buttons" }, this.back, this.place, this.on);
  }

  /** Show where the reader is, and which steps are answered. */
  show(step, answered) {
    this.step = step;
    const last = this.titles.length;
    this.dots.forEach((dot, at) => {
      if (answered[at]) dot.dataset.answered = "";
      else delete dot.dataset.answered;
      if (at + 1 === step) dot.setAttribute("aria-current", "step");
      else dot.removeAttribute("aria-current");
      const name = at + 1 === last ? this.titles[at] : this.texts.plain("page.step", { number: at + 1, title: this.titles[at] });
      dot.setAttribute("aria-label", answered[at] ? `${name} (${this.texts.plain("page.answered")})` : name);
    });
    setText(this.place, step === last ? "" : this.texts.plain("page.place", { number: step, count: last - 1 }));
    this.back.hidden = step === 1;
    this.on.hidden = step === last;
    this.back.textContent = `← ${this.texts.plain("page.previous")}`;
    this.on.textContent = step === last - 1 ? `${this.texts.plain("page.finish")} →` : `${this.texts.plain("page.next")} →`;
  }
}

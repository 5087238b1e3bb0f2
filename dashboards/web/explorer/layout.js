// The page's skeleton: heading, messages, figures and plots, the control column; on a phone the sliders stay in reach.

import { fill, h, setText } from "../controls/dom.js";

export class Layout {
  /**
   * @param {HTMLElement} root
   * @param {{title: string, sentence: string}} texts
   * @param {HTMLElement[]} messages What is wrong, and what is said aloud.
   */
  constructor(root, { title, sentence }, messages) {
    const theme = new URLSearchParams(location.search).get("theme");
    if (["dark", "light"].includes(theme)) document.documentElement.dataset.theme = theme;
    this.state = h("p", { class: "opening", role: "status", hidden: true });
    this.facts = h("div", { class: "facts" });
    this.figures = h("section", { class: "figures", "aria-label": "Figures" });
    this.plots = h("section", { class: "plots", "aria-label": "Plots" });
    this.details = h("section", { class: "details", "aria-label": "Images, classes, assumptions" });
    this.main = h("main", { tabindex: -1 }, this.state, this.figures, this.plots, this.details);
    const heading = h("div", { class: "heading" }, h("h1", null, title), h("p", { class: "sentence" }, sentence));
    const skip = h("button", { type: "button", class: "skip", onclick: () => this.main.focus() }, "Skip to the figures");
    this.head = h("header", { class: "head" }, heading, this.facts);
    this.body = h("div", { class: "body" });
    this.verify = h("div", { class: "part" }); // of the control column
    this.exports = h("div", { class: "part" });
    this.messages = h("div", { class: "messages" }, messages);
    this.page = h("div", { class: "explorer app" }, skip, this.head, this.messages, this.body);
    fill(root, this.page);
  }

  /** Put the control column in its place. */
  place(column) {
    this.body.append(column.element, this.main);
  }

  /** Show that something takes a while; null when it is over. */
  busy(text) {
    this.state.hidden = text === null;
    setText(this.state, text ?? "");
    this.main.setAttribute("aria-busy", String(text !== null));
  }

  /** Mark the figures as those of other settings: the ones of now are being computed. */
  late(late) {
    if (late === this.page.classList.contains("late")) return;
    this.page.classList.toggle("late", late);
    this.figures.setAttribute("aria-busy", String(late));
  }
}

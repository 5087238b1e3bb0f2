// The comparison's skeleton: heading and messages on top, controls beside what is compared.

import { button } from "../controls/buttons.js";
import { fill, h, setText } from "../controls/dom.js";

export class Layout {
  /**
   * @param {HTMLElement} root
   * @param {{title: string, sentence: string}} heading
   * @param {import("../app/texts.js").Texts} texts
   * @param {HTMLElement[]} messages
   */
  constructor(root, { title, sentence }, texts, messages) {
    const theme = new URLSearchParams(location.search).get("theme");
    if (["dark", "light"].includes(theme)) document.documentElement.dataset.theme = theme;
    this.state = h("p", { class: "opening", role: "status", hidden: true });
    this.notes = h("div", { class: "notes", role: "status" });
    this.margins = h("div", { class: "plots" });
    this.matrix = h("div", { class: "plots" });
    this.main = h("main", { tabindex: -1 }, this.state, this.notes);
    this.body = h("div", { class: "body" });
    const skip = h("button", { type: "button", class: "skip", onclick: () => this.main.focus() }, texts.plain("page.skip"));
    const head = h("header", { class: "head" }, h("h1", null, title), h("p", { class: "sentence" }, sentence));
    fill(root, h("div", { class: "compare app" }, skip, head, h("div", { class: "messages" }, messages), this.body));
  }

  /** Put the controls and the parts of the page in their places. */
  place(column, ...parts) {
    this.body.append(column, this.main);
    this.main.append(...parts);
  }

  /** Show that something takes a while; null when it is over. */
  busy(text) {
    this.state.hidden = text === null;
    setText(this.state, text ?? "");
    this.main.setAttribute("aria-busy", String(text !== null));
  }
}

/**
 * A part of the page: its heading, a download where there is one, a remark, and what it holds.
 *
 * @param {string} title
 * @param {import("../app/texts.js").Texts} texts
 * @param {{remark?: HTMLElement, save?: () => void}} more
 * @param {...HTMLElement} content
 */
export function box(title, texts, { remark = null, save = null }, ...content) {
  const csv = save && button(texts.plain("box.csv"), texts.plain("box.csv.help", { title }), save, { class: "plot-button", "aria-label": texts.plain("box.csv.help", { title }) });
  return h("section", { class: "box", "aria-label": title }, h("div", { class: "box-head" }, h("h2", null, title), csv), remark, content);
}

// The images that the visitor has selected on a plot: every other plot marks them, and the list of images keeps to them.

import { imagesIn, imagesInLink, writeImages } from "../app/images.js";
import { button } from "../controls/buttons.js";
import { fill, h } from "../controls/dom.js";
import { WORDS } from "./words.js";

const TYPED = "input, select, textarea, summary"; // where Escape has a meaning of its own

export class Selection {
  /** @param {(text: string) => void} onChange Called with what the visitor selects, as the state has it. */
  constructor(onChange) {
    Object.assign(this, { onChange, shown: ["", 0], rows: [], words: "", set: new Set() });
    this.line = h("span");
    const { clear, clearHelp } = WORDS.selection;
    this.element = h("div", { class: "selection", role: "status", hidden: true }, this.line, button(clear, clearHelp, () => this.clear()));
    const hear = (event) => this.onKey(event);
    document.addEventListener("keydown", hear);
    this.close = () => document.removeEventListener("keydown", hear);
  }

  get any() {
    return this.rows.length > 0;
  }

  /**
   * Select images.
   * @param {import("../charts/images_of.js").Picked} picked
   * @param {boolean} add To those that are selected already.
   */
  take({ rows, words }, add) {
    const both = add && this.any;
    const all = both ? [...new Set([...this.rows, ...rows])].sort((a, b) => a - b) : rows;
    this.onChange(writeImages(all, both ? [this.words, words].filter(Boolean).join("; ") : words));
  }

  clear() {
    this.onChange("");
  }

  /**
   * Show what a state has selected.
   * @param {string} text As the state has it.
   * @param {number} n The number of the bundle's clean images.
   */
  show(text, n) {
    if (text === this.shown[0] && n === this.shown[1]) return;
    const { rows, words } = imagesIn(text, n);
    Object.assign(this, { shown: [text, n], rows, words, set: new Set(rows) });
    this.element.hidden = !text;
    const count = h("b", null, WORDS.selection.count(rows.length), words ? ":" : ".");
    fill(this.line, count, " ", words, imagesInLink(text) === text ? null : WORDS.selection.tooMany);
  }

  onKey(event) {
    if (event.key === "Escape" && !event.defaultPrevented && !event.target.closest?.(TYPED)) this.clear();
  }
}

// The images that the visitor has selected on a plot: every other plot marks them, and the list of images keeps to them.

import { button } from "../controls/buttons.js";
import { fill, h } from "../controls/dom.js";
import { thousands } from "../controls/numbers.js";
import { WORDS } from "./words.js";

const TYPED = "input, select, textarea, summary"; // where Escape has a meaning of its own

export class Selection {
  /** @param {() => void} onChange Called when other images are selected, or none any more. */
  constructor(onChange) {
    Object.assign(this, { onChange, rows: [], words: "" });
    this.set = new Set();
    this.line = h("span");
    const { clear, clearHelp } = WORDS.selection;
    this.element = h("div", { class: "selection", role: "status", hidden: true }, this.line, button(clear, clearHelp, () => this.clear()));
    document.addEventListener("keydown", (event) => this.onKey(event));
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
    this.show(all, both ? `${this.words}; ${words}` : words);
  }

  clear() {
    if (this.any || this.words) this.show([], "");
  }

  show(rows, words) {
    Object.assign(this, { rows, words, set: new Set(rows) });
    this.element.hidden = !words;
    fill(this.line, h("b", null, WORDS.selection.count(rows.length, thousands(rows.length))), " ", words);
    this.onChange();
  }

  onKey(event) {
    if (event.key === "Escape" && !event.defaultPrevented && !event.target.closest?.(TYPED)) this.clear();
  }
}

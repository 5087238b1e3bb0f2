// The pages of a long list: which rows are shown, and buttons to the others.

import { thousands } from "../engine/text.js";
import { h, setText } from "./dom.js";
import { localNumber, word } from "./words.js";

export class Pager {
  /**
   * @param {number} size Rows of a page; `Infinity`: there is one.
   * @param {(page: number) => void} onTurn Called when the visitor goes to another page, with its number, from 1.
   */
  constructor(size, onTurn) {
    Object.assign(this, { size, onTurn, page: 0, length: 0, turned: false });
    const turn = (label, text, steps) =>
      h("button", { type: "button", class: "quiet", "aria-label": label, onclick: () => this.step(steps) }, text);
    this.back = turn(word("previous_page"), "‹", -1);
    this.on = turn(word("next_page"), "›", 1);
    this.place = h("span", { role: "status" });
    this.element = h("div", { class: "pager", hidden: true }, this.back, this.place, this.on);
  }

  /** The rows of this page, of all rows. */
  slice(rows) {
    this.length = rows.length;
    this.page = Math.max(0, Math.min(this.page, this.last));
    this.turned = false;
    this.show();
    return this.last ? rows.slice(this.first, this.first + this.size) : rows;
  }

  /** Go some pages on; whether there was one to go to. */
  step(pages) {
    const to = this.page + pages;
    if (to < 0 || to > this.last) return false;
    this.page = to;
    this.onTurn(to + 1);
    return true;
  }

  /** From the next drawing on, show the page with a row, by its place among all; none: stay. */
  turnTo(place) {
    const page = place < 0 || this.size === Infinity ? this.page : Math.floor(place / this.size);
    this.turned = page !== this.page;
    this.page = page;
  }

  get last() {
    return this.size === Infinity ? 0 : Math.max(0, Math.ceil(this.length / this.size) - 1);
  }

  get first() {
    return this.page * this.size;
  }

  show() {
    this.element.hidden = !this.last;
    this.back.disabled = this.page === 0;
    this.on.disabled = this.page === this.last;
    if (!this.last) return;
    const end = Math.min(this.length, this.first + this.size);
    const [first, last, all] = [this.first + 1, end, this.length].map((count) => localNumber(thousands(count)));
    setText(this.place, word("place", { first, last, all }));
  }
}

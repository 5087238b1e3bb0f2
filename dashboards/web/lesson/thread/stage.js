// One stage as a figure: a bar for each class, its number, the largest marked, what the stage does in words.

import { h, setText, uniqueId } from "../../controls/dom.js";
import { rich } from "./words.js";

const NEAR = 1e-3; // of an axis: from here on it is where it was to go
const KEYS = { ArrowDown: 1, ArrowUp: -1 };

export class Stage {
  /**
   * @param {string} name One of `CHARTS`.
   * @param {object} known
   * @param {string} known.title
   * @param {number[]} known.shown The classes that have a bar.
   * @param {string[]} known.classes Names of all classes.
   * @param {(k: number) => string} known.roleOf "true", "rival" or "".
   * @param {number} [known.parts] Of how many parts a bar consists.
   * @param {Element|null} [known.below] What stands below the chart.
   * @param {(k: number|null) => void} onPoint Called with the class that the visitor points at.
   */
  constructor(name, { title, shown, classes, roleOf, parts = 1, below = null }, onPoint) {
    Object.assign(this, { name, title, shown, axis: null, held: null, onPoint, pointed: null });
    const id = uniqueId(`thread-${name}`);
    this.rows = shown.map((k) => this.row(k, classes[k], roleOf(k), parts));
    this.drawn = this.rows.map(() => new Array(parts + 1).fill(null));
    this.formula = h("span", { class: "thread-formula" });
    this.note = h("p", { class: "thread-note" });
    this.low = h("span");
    this.high = h("span");
    const line = h("div", { class: "thread-line", hidden: true });
    const zero = h("div", { class: "thread-zero" });
    const plot = h("div", { class: "thread-plot", "aria-hidden": "true" }, zero, line);
    this.chart = h(
      "div",
      { class: "thread-chart", role: "img", tabindex: 0, onkeydown: (event) => this.onKey(event), onblur: () => onPoint(null) },
      plot,
      this.rows.map(({ element }) => element),
      h("div", { class: "thread-axis" }, this.low, this.high),
    );
    Object.assign(this, { line, zero });
    const caption = h("figcaption", { id }, h("span", { class: "thread-title" }, title), " ", this.formula);
    this.element = h("figure", { class: "thread-stage", dataset: { stage: name }, "aria-labelledby": id }, caption, this.chart, below, this.note);
  }

  row(k, name, role, parts) {
    const bars = Array.from({ length: parts }, (_, i) => h("span", { class: `thread-part part-${i}` }));
    const number = h("span", { class: "thread-number" });
    const before = h("span", { class: "thread-before", hidden: true });
    const attributes = { class: `thread-row ${role}`, dataset: { k }, onpointerenter: () => this.onPoint(k), onpointerleave: () => this.onPoint(null) };
    const label = h("span", { class: "thread-class", title: name }, name);
    const element = h("div", attributes, h("span", { class: "thread-mark" }), label, h("span", { class: "thread-bar" }, bars, before), number);
    return { k, element, bars, before, number };
  }

  /** What is drawn now is to fade. */
  hold() {
    this.held = this.drawn.map((ends) => [...ends]);
  }

  /**
   * @param {object} numbers
   * @param {Float64Array[]} numbers.parts Of which each bar consists, one after the other.
   * @param {[number, number]} numbers.axis Where its axis is to end.
   * @param {number} numbers.leader The largest class, or -1.
   * @param {(value: number) => string} numbers.text
   * @param {number|null} [numbers.line] Where a line is to stand across all bars.
   * @param {Float64Array|null} [numbers.before] Where a mark is to stand in each bar: what it was before.
   * @param {{share: number, glide: number}} pace See `Motion`.
   * @returns {boolean} Whether its axis still moves.
   */
  draw({ parts, axis, leader, text, line = null, before = null }, { share, glide }) {
    const moves = this.moveAxis(axis, share);
    const place = (x) => Math.min(1, Math.max(0, (x - this.axis[0]) / (this.axis[1] - this.axis[0])));
    this.rows.forEach(({ k, element, bars, before: mark, number }, r) => {
      let sum = 0;
      const ends = [place(0), ...parts.map((part) => place((sum += part[k])))];
      this.drawn[r] = ends.map((end, i) => (glide && this.held ? end + glide * (this.held[r][i] - end) : end));
      bars.forEach((bar, i) => stretch(bar, this.drawn[r][i], this.drawn[r][i + 1]));
      mark.hidden = !before;
      if (before) mark.style.left = percent(place(before[k]));
      setText(number, text(sum));
      element.classList.toggle("leads", k === leader);
    });
    this.zero.style.left = percent(place(0));
    this.line.hidden = line === null;
    if (line !== null) this.line.style.left = percent(place(line));
    return moves;
  }

  moveAxis(goal, share) {
    const from = this.axis ?? goal;
    const size = goal[1] - goal[0];
    this.axis = goal.map((end, i) => (share === 1 || Math.abs(end - from[i]) < NEAR * size ? end : from[i] + share * (end - from[i])));
    return this.axis.some((end, i) => end !== goal[i]);
  }

  /** The words of a frame. */
  write({ formula, note, ends }) {
    rich(this.formula, formula);
    setText(this.note, note);
    setText(this.low, ends[0]);
    setText(this.high, ends[1]);
  }

  /** Its numbers, for those who do not see them. */
  describe(text) {
    this.chart.setAttribute("aria-label", text);
  }

  /** Mark the class that the visitor points at, at any stage. */
  point(pointed) {
    this.pointed = pointed;
    for (const { k, element } of this.rows) element.classList.toggle("pointed", k === pointed);
  }

  light(lit) {
    this.element.classList.toggle("lit", lit === true);
    this.element.classList.toggle("dim", lit === false);
  }

  /** Leave its place empty, or not: bands of classes go through. */
  keepBack(back) {
    this.element.classList.toggle("ahead", back);
    this.element.inert = back;
  }

  onKey(event) {
    const by = KEYS[event.key];
    if (event.key === "Escape") this.onPoint(null);
    if (!by) return;
    event.preventDefault();
    const at = this.shown.indexOf(this.pointed);
    const next = at < 0 ? (by > 0 ? 0 : this.shown.length - 1) : (at + by + this.shown.length) % this.shown.length;
    this.onPoint(this.shown[next], this);
  }
}

/** Put a bar between two places of its axis, in any order. */
function stretch({ style }, one, other) {
  style.left = percent(Math.min(one, other));
  style.width = percent(Math.abs(other - one));
}

function percent(share) {
  return `${(100 * share).toFixed(2)}%`;
}

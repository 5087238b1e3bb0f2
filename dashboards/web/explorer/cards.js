// What the components have in common: a heading, figures that change in place, the word that they are being computed.

import { fill, h, setText, uniqueId } from "../controls/dom.js";
import { explained } from "../controls/glossary.js";
import { oneLine } from "../controls/visible.js";
import { percent } from "../app/numbers.js";
import { thousands } from "../engine/text.js";
import { WORDS } from "./words.js";

/** By the classifier the colour that stands for it in every view. */
export const COLOURS = { std: "var(--g)", rob: "var(--h)", mapped: "var(--m)", adaptive: "var(--mnuts-muted)", plain: "var(--plain)", mix: "var(--mix)" };

const LONGEST = 60; // characters of a class's name: a list shows many
const shortened = new WeakMap();

/** The names of a bundle's classes as they are shown: a stranger may have chosen them. */
export function classNames({ classes }) {
  if (!shortened.has(classes)) shortened.set(classes, classes.map(className));
  return shortened.get(classes);
}

/** The name of a class as it is shown. */
export function className(name) {
  return oneLine(name, LONGEST);
}

/**
 * Make an element a card: a section with a heading.
 * @param {Element} root
 * @param {string} title
 * @param {...any} content As `h` takes it.
 */
export function card(root, title, ...content) {
  const id = uniqueId("card");
  root.classList.add("card");
  root.setAttribute("role", "region");
  root.setAttribute("aria-labelledby", id);
  fill(root, h("h2", { id }, explained(title)), content);
}

/**
 * Whether what a card shows is of the current settings: a view comes after the sliders have come to rest.
 * @param {Element} root
 * @param {any} view What it shows; undefined: it is on its way, and the last one stands, faded.
 * @returns {boolean} Whether there is something to show.
 */
export function isHere(root, view) {
  root.setAttribute("aria-busy", String(view === undefined));
  return view !== undefined;
}

/** A figure in percent with its interval, which changes in place. */
export class Figure {
  /** @param {string} tag Of its element. */
  constructor(tag, attributes = null) {
    this.value = h("b");
    this.more = h("small");
    this.element = h(tag, attributes, this.value, " ", this.more);
  }

  /**
   * @param {import("../engine/statistics.js").Estimate|null} estimate
   * @param {{withN?: boolean, missing?: string}} options `withN`: say on how many images it rests; `missing`: what
   *   stands there without an estimate.
   */
  show(estimate, { withN = false, missing = "" } = {}) {
    const n = withN && estimate ? `, ${WORDS.images(thousands(estimate.n))}` : "";
    setText(this.value, estimate ? `${percent(estimate.value)} %` : "");
    setText(this.more, estimate ? WORDS.interval(percent(estimate.low, 1), percent(estimate.high, 1)) + n : missing);
  }
}

/** The rows of a small table that nobody sorts: the first cell of each is its head. */
export function plainTable(label, columns, rows) {
  const head = columns && h("thead", null, h("tr", null, columns.map((text) => h("th", { scope: "col" }, text))));
  const line = ([name, ...cells]) => h("tr", null, h("th", { scope: "row" }, name), cells.map((cell) => h("td", null, cell)));
  const kind = columns ? "plain-table" : "plain-table pairs";
  const table = h("table", { class: kind, "aria-label": label }, head, h("tbody", null, rows.map(line)));
  return h("div", { class: "table-box" }, table);
}

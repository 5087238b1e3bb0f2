// What the mix takes classes for: the full table where it is small, and the most frequent mistakes.

import { fill, h } from "../controls/dom.js";
import { thousands } from "../controls/numbers.js";
import { card, classNames, isHere, plainTable } from "./cards.js";
import { PartTabs } from "./parts.js";
import { WORDS } from "./words.js";

const MOST_CLASSES = 20; // of a table that can be read
const MOST_PAIRS = 12;

export class Confusion {
  static views = ["confusion_clean", "confusion_attacked"];

  constructor(root, context) {
    Object.assign(this, { root, context, part: "clean", moment: { views: {} }, shown: undefined });
    this.panel = h("div");
    const choose = (part) => {
      this.part = part;
      this.draw();
    };
    const { title } = WORDS.confusion;
    card(root, title, new PartTabs(WORDS.examples.tabs, title, this.panel, choose).element, this.panel);
  }

  update(moment) {
    this.moment = moment;
    this.draw();
  }

  draw() {
    const { views, meta } = this.moment;
    const view = views[`confusion_${this.part}`];
    if (!isHere(this.root, view) || view === this.shown) return;
    this.shown = view;
    const words = WORDS.confusion;
    if (!view) {
      fill(this.panel, h("p", { class: "words" }, WORDS.examples.noAttack));
      return;
    }
    const classes = classNames(meta);
    const pairs = mistakes(view, classes);
    const listed = pairs.length ? plainTable(words.pairs, words.columns, pairs) : h("p", { class: "words" }, words.none);
    const small = classes.length <= MOST_CLASSES;
    const whole = small ? wholeTable(view, classes) : h("p", { class: "words" }, words.tooMany(classes.length));
    fill(this.panel, whole, h("h3", null, words.pairs), listed);
  }
}

function wholeTable(counts, classes) {
  const { corner, table } = WORDS.confusion;
  const k = classes.length;
  const head = h("tr", null, h("th", { scope: "col" }, corner), classes.map((name) => h("th", { scope: "col" }, name)));
  const cell = (row, column) => {
    const n = counts[row * k + column];
    return h("td", { class: row === column ? "right" : n ? "wrong" : "none" }, thousands(n));
  };
  const line = (name, row) => h("tr", null, h("th", { scope: "row" }, name), classes.map((_, column) => cell(row, column)));
  const whole = h("table", { class: "confusion", "aria-label": table }, h("thead", null, head), h("tbody", null, classes.map(line)));
  return h("div", { class: "table-box", tabindex: 0, role: "group", "aria-label": table }, whole);
}

/** The most frequent mistakes: true class, what the mix says, how often. */
function mistakes(counts, classes) {
  const k = classes.length;
  const wrong = [];
  for (let i = 0; i < counts.length; i++) if (counts[i] && Math.floor(i / k) !== i % k) wrong.push(i);
  wrong.sort((i, j) => counts[j] - counts[i]);
  return wrong.slice(0, MOST_PAIRS).map((i) => [classes[Math.floor(i / k)], classes[i % k], thousands(counts[i])]);
}

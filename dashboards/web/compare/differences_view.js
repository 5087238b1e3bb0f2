// The part that says what differs between the bundles, and why their mixes do differently.

import { fill, h } from "../controls/dom.js";
import { differencesOf, reasonsOf } from "./differences.js";

const LONG = 80; // characters of a value that is set in small letters

export class Differences {
  /** @param {import("../app/texts.js").Texts} texts */
  constructor(texts) {
    Object.assign(this, { texts, element: h("div", { class: "differences" }) });
  }

  /** @param {import("./comparison.js").Comparison} comparison */
  show(comparison) {
    const { texts } = this;
    const { differ, same } = differencesOf(comparison, texts);
    const reasons = reasonsOf(comparison, texts);
    fill(this.element,
      comparison.names.length > 1 && (differ.length ? this.table(comparison.names, differ) : h("p", null, texts.plain("differences.nothing"))),
      comparison.names.length > 1 && same.length ? h("p", { class: "words" }, texts.plain("differences.same", { same: same.join("; ") })) : null,
      reasons.length ? [h("h3", null, texts.plain("differences.why")), h("ul", { class: "reasons" }, reasons.map((line) => h("li", null, line)))] : null);
  }

  table(names, differ) {
    const { texts } = this;
    const head = [texts.plain("differences.what"), ...names, texts.plain("differences.meaning")];
    const row = ({ title, values, meaning }) => h("tr", null,
      h("th", { scope: "row" }, title), values.map((value, at) => h("td", { "data-label": names[at], class: value.length > LONG ? "long" : null }, value)), h("td", { class: "meaning" }, meaning));
    return h("div", { class: "table-box", tabindex: 0, role: "region", "aria-label": texts.plain("differences.table") },
      h("table", { class: "plain-table differs" }, h("thead", null, h("tr", null, head.map((text) => h("th", { scope: "col" }, text)))), h("tbody", null, differ.map(row))));
  }
}

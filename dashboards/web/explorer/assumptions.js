// How far the assumptions behind the objective hold on this bundle, and what that costs.

import { fill, h } from "../controls/dom.js";
import { card, isHere, plainTable } from "./cards.js";
import { assumptionCost, assumptionRows, seenWords } from "./sentences.js";
import { WORDS } from "./words.js";

export class Assumptions {
  static views = ["assumptions", "seen_and_unseen"];

  constructor(root, context) {
    Object.assign(this, { root, context, shown: undefined });
    this.body = h("div");
    card(root, WORDS.assumptions.title, this.body);
  }

  update({ views: { assumptions, seen_and_unseen: split } }) {
    if (!isHere(this.root, assumptions && split) || assumptions === this.shown) return;
    this.shown = assumptions;
    const { title, columns } = WORDS.assumptions;
    const paragraphs = [assumptionCost(assumptions), seenWords(split)].map((text) => h("p", { class: "words" }, text));
    fill(this.body, plainTable(title, columns, assumptionRows(assumptions)), paragraphs);
  }
}

// *Points*: what was attacked, on how many images, and how many of these no mix can get right.

import { h } from "../controls/dom.js";
import { thousands } from "../engine/text.js";
import { card, plainTable } from "./cards.js";
import { WORDS } from "./words.js";

export class Sources {
  static views = [];

  constructor(root, context) {
    Object.assign(this, { root, context, shown: null });
  }

  update({ meta }) {
    if (meta === this.shown) return;
    this.shown = meta;
    const { title, none, columns, settled } = WORDS.sources;
    if (!meta.sources.length) {
      card(this.root, title, h("p", { class: "words" }, none));
      return;
    }
    const rows = meta.sources.map((source) => [about(source), thousands(source.images), thousands(source.points)]);
    const counted = settled(thousands(meta.settled), thousands(meta.n_adv));
    card(this.root, title, plainTable(title, columns, rows), h("p", { class: "words" }, counted));
  }
}

/** The attack, its target and settings: the line without its counts, which have columns of their own. */
function about({ text }) {
  return text.slice(0, text.lastIndexOf(": "));
}

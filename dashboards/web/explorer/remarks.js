// What the figures mean, and what puts them in doubt.

import { fill, h } from "../controls/dom.js";
import { explained } from "../controls/glossary.js";
import { meaning, sourcesWords } from "./sentences.js";

export class Remarks {
  static views = ["headline"];

  constructor(root, context) {
    this.context = context;
    this.warnings = h("ul", { class: "warnings" });
    this.meaning = h("p", { class: "words" });
    this.shown = [];
    fill(root, h("div", { role: "status" }, this.warnings), this.meaning);
  }

  update({ views: { headline }, remix, meta }) {
    if (!headline) return;
    this.say(meaning(headline, remix.optimistic, sourcesWords(meta.sources)));
    if (remix.warnings.join("\n") === this.shown.join("\n")) return; // the same again is not read out again
    this.shown = remix.warnings;
    fill(this.warnings, remix.warnings.map((line) => h("li", { class: "warning" }, line)));
  }

  say(text) {
    if (text === this.text) return;
    this.text = text;
    fill(this.meaning, explained(text));
  }
}

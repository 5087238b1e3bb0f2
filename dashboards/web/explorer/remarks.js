// What the figures mean, and what puts them in doubt.

import { fill, h } from "../controls/dom.js";
import { explained } from "../controls/glossary.js";
import { certifiedLines, meaning, sourcesWords } from "./sentences.js";

export class Remarks {
  static views = ["headline", "certified"];

  constructor(root, context) {
    this.context = context;
    this.warnings = h("ul", { class: "warnings" });
    this.meaning = h("p", { class: "words" });
    this.shown = [];
    fill(root, h("div", { role: "status" }, this.warnings), this.meaning);
  }

  update({ views: { headline, certified }, remix, meta }) {
    if (!headline || certified === undefined) return;
    const lines = [meaning(headline, remix.optimistic, sourcesWords(meta.sources)), ...meta.methods.map(({ caution }) => caution)];
    this.say([...lines, ...(certified ? certifiedLines(certified) : [])].join(" "));
    const warnings = [...remix.warnings, ...(certified?.warnings ?? [])];
    if (warnings.join("\n") === this.shown.join("\n")) return; // the same again is not read out again
    this.shown = warnings;
    fill(this.warnings, warnings.map((line) => h("li", { class: "warning" }, line)));
  }

  say(text) {
    if (text === this.text) return;
    this.text = text;
    fill(this.meaning, explained(text));
  }
}

// The mix's figures in one line, and what puts them in doubt.

import { fill, h, setText } from "../controls/dom.js";
import { term } from "../controls/glossary.js";
import { Figure } from "./cards.js";
import { alphaText } from "../app/numbers.js";
import { WORDS } from "./words.js";

const COLUMNS = ["clean", "attacked", "by_margin"];
const GLOSSARY_OF = { attacked: "attacked", by_margin: "right by margin" };

export class Brief {
  constructor() {
    const { columns } = WORDS.headline;
    this.alpha = h("dd", null, h("b"));
    this.figures = Object.fromEntries(COLUMNS.map((name) => [name, new Figure("dd")]));
    const one = (label, element) => h("div", { class: "strip-figure" }, h("dt", null, label), element);
    const label = (name) => (name in GLOSSARY_OF ? term(GLOSSARY_OF[name], columns[name][0]) : columns[name][0]);
    const figures = COLUMNS.map((name) => one(label(name), this.figures[name].element));
    this.warnings = h("ul", { class: "warnings" });
    const list = h("dl", null, one(term("α", WORDS.brief.alpha), this.alpha), figures);
    this.element = h("section", { class: "brief", "aria-label": WORDS.strip.title }, h("div", { class: "strip" }, list), h("div", { role: "status" }, this.warnings));
  }

  update({ views: { headline }, remix }) {
    setText(this.alpha.firstChild, alphaText(remix.params.alpha));
    for (const name of COLUMNS) {
      this.figures[name].show(headline.mix[name], { withN: true, missing: WORDS.strip.noAttack });
    }
    const lines = [...remix.warnings, ...(headline.mix.attacked && remix.optimistic ? [WORDS.optimistic] : [])];
    fill(this.warnings, lines.map((line) => h("li", { class: "warning" }, line)));
  }
}

// The headline table: the base models, M(h), other methods, the plain mix and this mix, with what each figure rests on.

import { fill, h, setText } from "../controls/dom.js";
import { term } from "../controls/glossary.js";
import { thousands } from "../engine/text.js";
import { COLOURS, Figure } from "./cards.js";
import { verifiedMixes } from "./known.js";
import { alphaText } from "../app/numbers.js";
import { WORDS } from "./words.js";

const ROWS = Object.keys(WORDS.classifiers);
const COLUMNS = Object.keys(WORDS.headline.columns);
const CERTIFIED = COLUMNS.indexOf("certified"); // of bundles that have a certificate alone
/** Which term of the glossary explains a row or a column. */
const GLOSSARY_OF = { std: "g", rob: "h", mapped: "M(h)", attacked: "attacked", by_margin: "right by margin", verified: "verified" };

export class Headline {
  static views = ["headline", "certified"];

  constructor(root, context) {
    this.context = context;
    this.counts = COLUMNS.map(() => h("small"));
    this.rows = Object.fromEntries(ROWS.map((key) => [key, row(key)]));
    const words = WORDS.headline;
    const head = (name, place) => {
      const [label, help] = words.columns[name];
      const text = name in GLOSSARY_OF ? term(GLOSSARY_OF[name], label) : label;
      return h("th", { scope: "col", role: "columnheader", title: name in GLOSSARY_OF ? null : help }, text, " ", this.counts[place]);
    };
    const corner = h("th", { scope: "col", role: "columnheader" }, h("span", { class: "unseen" }, words.corner));
    this.heads = COLUMNS.map(head);
    const heads = h("tr", { role: "row" }, corner, this.heads);
    const lines = ROWS.map((key) => this.rows[key].element);
    const table = { class: "headline", role: "table", "aria-label": words.title }; // roles: they outlast the stacking
    const parts = [h("thead", { role: "rowgroup" }, heads), h("tbody", { role: "rowgroup" }, lines)];
    fill(root, h("table", table, parts));
  }

  update({ views: { headline, certified }, remix, meta }) {
    if (!headline || certified === undefined) return;
    const verified = verifiedMixes(meta).of(remix.params)?.verified ?? null;
    const others = Object.fromEntries(meta.methods.map((method) => [method.key, method]));
    const table = { ...headline, ...others, mix: { ...headline.mix, verified } };
    const shown = ROWS.filter((key) => table[key]).map((key) => [key, { ...table[key], certified: certified?.[key] ?? null }]);
    const counts = COLUMNS.map((name) => countOf(shown.map(([, figures]) => figures[name])));
    this.counts.forEach((count, place) => setText(count, counts[place] ? WORDS.images(counts[place]) : ""));
    this.heads[CERTIFIED].hidden = !certified;
    for (const key of ROWS) this.rows[key].element.hidden = !table[key];
    for (const [key, figures] of shown) this.showRow(key, figures, counts, table.rob.attacked, certified);
  }

  showRow(key, figures, counts, underAttack, certified) {
    const { alpha, cells } = this.rows[key];
    setText(alpha, figures.params ? WORDS.headline.alpha(alphaText(figures.params.alpha)) : "");
    const missing = {
      attacked: underAttack ? WORDS.headline.notAttacked : "",
      verified: key === "mix" ? WORDS.headline.notYet : "",
      certified: key === "mix" && certified?.refused ? WORDS.headline.notCertified : "",
    };
    cells[CERTIFIED].element.hidden = !certified;
    COLUMNS.forEach((name, place) => {
      cells[place].show(figures[name], { withN: !counts[place], missing: missing[name] });
    });
  }
}

function row(key) {
  const alpha = h("small");
  const cells = COLUMNS.map((name) => new Figure("td", { role: "cell", "data-label": WORDS.headline.columns[name][0] }));
  const dot = h("span", { class: "dot", style: { background: COLOURS[key] } });
  const text = WORDS.classifiers[key];
  const name = h("th", { scope: "row", role: "rowheader" }, dot, key in GLOSSARY_OF ? term(GLOSSARY_OF[key], text) : text, " ", alpha);
  const element = h("tr", { role: "row", dataset: { row: key } }, name, cells.map((cell) => cell.element));
  return { alpha, cells, element };
}

/** The number of images that all figures of a column rest on; empty if they differ. */
function countOf(figures) {
  const counts = new Set(figures.filter(Boolean).map(({ n }) => n));
  return counts.size === 1 ? thousands([...counts][0]) : "";
}

// Everything beside the controls: the words, plots and tables of one comparison, and what is highlighted in them.

import { save } from "../charts/tools.js";
import { Charts } from "../charts/chart.js";
import { h, fill, setText } from "../controls/dom.js";
import { sentence } from "../controls/entries.js";
import { Table } from "../controls/table.js";
import { catalogueOf, MARGINS, MATRIX, prepare } from "./catalogue.js";
import { csvTable } from "./csv.js";
import { Differences } from "./differences_view.js";
import { figuresOf } from "./figures/all.js";
import { box } from "./layout.js";
import { PairView } from "./pair_view.js";
import { bestRows, columnsOf, factRows, pairKey, transferRows } from "./tables.js";

const FILES = { facts: "models-and-attacks", best: "best-parameters", transfers: "transfer", medians: "median-margins" };

export class Results {
  /**
   * @param {import("./layout.js").Layout} layout
   * @param {object} context
   * @param {import("../app/texts.js").Texts} context.texts
   * @param {object} context.colours @param {object} context.themes @param {object} context.paper
   * @param {(changes: object) => void} context.set
   * @param {(cause: string, problem: string|null) => void} context.refuse
   * @param {() => Promise<void>} context.current Waits until all is computed that was asked for.
   * @param {(name: string) => import("./bench.js").Bench} context.bench
   */
  constructor(layout, context) {
    Object.assign(this, { layout, context, texts: context.texts, shown: null, focus: null, pair: null });
    const { texts } = this;
    this.differences = new Differences(texts);
    const table = (name, more = {}) => new Table({ columns: columnsOf(name, texts), label: texts.plain(`box.${name}`), ...more });
    this.facts = table("facts", { onChoose: (name) => this.highlight(name) });
    this.best = table("best", { empty: texts.plain("best.empty") });
    this.transfers = table("transfers", { empty: texts.plain("transfers.empty"), onChoose: (key) => this.mark(key) });
    this.remarks = Object.fromEntries(["facts", "best", "transfers"].map((name) => [name, h("p", { class: "words" })]));
    this.pairs = new PairView(context);
    const boxed = (name) => box(texts.plain(`box.${name}`), texts, { remark: this.remarks[name], save: () => this.save(name) }, this[name].element);
    this.parts = [
      box(texts.plain("box.differences"), texts, {}, this.differences.element),
      boxed("facts"), layout.margins, boxed("best"), layout.matrix, boxed("transfers"),
      box(texts.plain("box.pair"), texts, {}, this.pairs.element),
    ];
    const catalogue = catalogueOf(texts, context.themes);
    const options = { prepare, onEvent: (event) => this.event(event), current: context.current, stem: (panel) => this.stem(panel) };
    this.charts = [[layout.margins, MARGINS], [layout.matrix, MATRIX]].map(([root, names]) => new Charts(root, catalogue, { ...options, names }));
  }

  /** Show a comparison. */
  show(comparison, state) {
    const { texts } = this;
    this.shown = comparison;
    if (!comparison.names.includes(this.focus)) this.focus = null;
    if (!comparison.transfers.some((cell) => this.pair && pairKey(cell) === pairKey(this.pair))) this.pair = null;
    this.showNotes(comparison);
    for (const part of this.parts) part.hidden = !comparison.names.length;
    this.differences.show(comparison);
    const { paper } = this.context;
    setText(this.remarks.facts, texts.plain("facts.remark"));
    setText(this.remarks.best, texts.plain("best.remark", { beta: comparison.asked.beta, paper: texts.plain("best.paper", { models: paper.best }) }));
    setText(this.remarks.transfers, texts.plain("transfers.remark", { alpha: texts.plain(`transfers.alpha.${comparison.asked.alpha}`) }));
    this.facts.update({ rows: factRows(comparison, texts) });
    this.best.update({ rows: bestRows(comparison, texts) });
    this.transfers.update({ rows: transferRows(comparison, texts) });
    this.draw();
    return this.pairs.show(comparison, state);
  }

  /** What must be read with care. */
  showNotes({ names, without, terms, metas }) {
    const { texts } = this;
    const lines = names.length ? [] : [texts.plain("page.none")];
    if (names.length === 1) lines.push(texts.plain("page.one"));
    if (names.length > 1) lines.push(termsWords(terms, texts));
    const optimistic = names.filter((name) => metas[name].n_adv && (metas[name].optimistic || (terms.equal && !terms.shared.has("mixes"))));
    if (optimistic.length) lines.push(texts.plain("terms.optimistic", { names: optimistic.length === names.length ? texts.plain("terms.everywhere") : optimistic.join(", ") }));
    for (const [name, why] of Object.entries(without)) lines.push(why ? texts.plain("notes.no_best", { name, why }) : texts.plain("notes.no_attack", { name }));
    names.forEach((name, at) => {
      const twin = names.slice(0, at).find((one) => metas[one].digest === metas[name].digest);
      if (twin) lines.push(texts.plain("notes.twins", { one: twin, other: name }));
    });
    fill(this.layout.notes, lines.length ? h("ul", null, lines.map((line) => h("li", null, line))) : null);
  }

  draw() {
    const { shown, focus, pair, context } = this;
    if (!shown) return;
    this.facts.update({ chosen: focus });
    this.transfers.update({ chosen: pair && pairKey(pair) });
    const { beta, clamp, grid } = shown.asked;
    const fields = { remix: { params: { beta, clamp } }, meta: { name: shown.names.join(" ") }, state: { grid }, figures: figuresOf(shown, { focus, pair }, context) };
    for (const charts of this.charts) charts.draw(fields);
  }

  // --- what the visitor does
  event({ kind, panel, points: [point], detail }) {
    if (kind === "error") this.context.refuse("drawing", String(detail?.message ?? detail));
    if (kind !== "click" || !point || !this.shown) return;
    if (MATRIX.includes(panel)) this.mark(pairKey(this.pairAt(point)));
    else if (this.shown.names.includes(point.customdata)) this.highlight(point.customdata);
  }

  /** The transfer that a cell of the matrix stands for. */
  pairAt({ x, y }) {
    const sources = [...new Set(this.shown.transfers.map(({ source }) => source))];
    return { source: sources[y], target: this.shown.names[x] };
  }

  /** Highlight a bundle; the same one again highlights none. */
  highlight(name) {
    this.focus = this.focus === name ? null : name;
    this.draw();
  }

  /** Mark a transfer; the same one again marks none. */
  mark(key) {
    const cell = this.shown.transfers.find((one) => pairKey(one) === key);
    this.pair = this.pair && pairKey(this.pair) === key ? null : cell;
    this.draw();
  }

  /** Save a table. */
  save(name) {
    if (this.shown) save(new Blob([csvTable(name, this.shown)], { type: "text/csv" }), `${FILES[name]}.csv`);
  }

  /** A plot's file name without its ending: the bundles and the level. */
  stem(panel) {
    const { names, asked } = this.shown;
    return [...names, panel, `beta${asked.beta}`].map((part) => part.replace(/[^\w.-]+/g, "-")).join("-").slice(0, 120);
  }

  close() {
    for (const charts of this.charts) charts.close();
  }
}

/** Which points count, in words. */
function termsWords({ equal, shared, left_out: names }, texts) {
  if (!equal) return texts.plain("terms.own");
  const kinds = [...shared].map((kind) => texts.plain(`terms.kind.${kind}`)).join(", ");
  const have = texts.plain(names.length === 1 ? "terms.have.one" : "terms.have.more");
  return sentence(texts.plain(names.length ? "terms.equal_cut" : "terms.equal", { names: names.join(", "), have, kinds }));
}

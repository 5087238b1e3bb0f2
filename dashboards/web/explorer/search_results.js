// What a search found: its best mix, what puts that in doubt, and the cells that are as good or nearly so.

import { changesTo, mixOf, sameMix } from "../app/settings.js";
import { button } from "../controls/buttons.js";
import { fill, h } from "../controls/dom.js";
import { general, minus } from "../controls/numbers.js";
import { Table } from "../controls/table.js";
import { card } from "./cards.js";
import { alphaText } from "../app/numbers.js";
import { foundByAccuracy, foundByLevel } from "./sentences.js";
import { WORDS } from "./words.js";

export class SearchResults {
  static views = [];

  constructor(root, context) {
    Object.assign(this, { context, search: null, shown: "" });
    const { title, cellsTitle, columns, widen, stale, nothing } = WORDS.found;
    this.lines = h("div", { class: "found", role: "status" }, h("p", { class: "words" }, nothing));
    this.stale = h("p", { class: "words", hidden: true }, stale);
    this.widen = button(widen, "", () => context.widen(), { hidden: true });
    const column = ([key, label]) => ({ key, label, numeric: key !== "place", digits: 1 });
    this.table = new Table({ columns: Object.entries(columns).map(column), label: cellsTitle, onChoose: (place) => this.goTo(place) });
    this.cells = h("div", { hidden: true }, h("h3", null, cellsTitle), this.table.element);
    card(root, title, this.lines, this.stale, this.widen, this.cells);
  }

  /** The cells' α follows from the level at which they were found. */
  goTo(place) {
    this.context.set(changesTo({ ...this.search.result.top[place].params, alpha: null }));
  }

  /** @param {object} moment With `search`: the last request and its result, or null. */
  update({ search = null, state, meta }) {
    if (!search) {
      this.clear();
      return;
    }
    const { request, result } = search;
    const byLevel = request.clean_at_least === undefined && request.attacked_at_least === undefined;
    const level = byLevel ? { beta: request.beta, alpha: null, temperature: state.temperature } : { beta: state.beta };
    const isHere = sameMix({ ...result.best.params, ...level }, mixOf(state));
    if (search !== this.search) this.showCells(byLevel ? result : { top: [], ties: [] });
    this.search = search;
    this.stale.hidden = isHere;
    this.widen.hidden = !Object.keys(result.edges).length;
    const lines = byLevel ? foundByLevel(request, result, meta.n_adv) : foundByAccuracy(request, result, meta.optimistic);
    const text = [...lines, ...result.warnings].join("\n");
    if (text === this.shown) return; // the same again is not read out again
    this.shown = text;
    fill(this.lines, lines.map((line) => h("div", null, line)), result.warnings.map((line) => h("div", { class: "warning" }, line)));
  }

  /** Nothing has been searched on this bundle. */
  clear() {
    if (!this.search) return;
    Object.assign(this, { search: null, shown: "" });
    for (const part of [this.stale, this.widen, this.cells]) part.hidden = true;
    fill(this.lines, h("p", { class: "words" }, WORDS.found.nothing));
  }

  showCells({ top, ties }) {
    this.cells.hidden = !top.length;
    const { ranks } = WORDS.found;
    const rank = (place) => (place === 0 ? ranks.chosen : place < ties.length ? ranks.tied : "");
    const rows = top.map(({ params, objective }, place) => ({
      key: place,
      place: `${place + 1}${rank(place) && `, ${rank(place)}`}`,
      place_sort: place,
      ...Object.fromEntries(["s", "p", "c"].flatMap((name) => number(name, params[name]))),
      alpha: alphaText(params.alpha),
      alpha_sort: params.alpha,
      objective: 100 * objective,
    }));
    this.table.update({ rows });
  }
}

/** A number as it is shown, and as it is sorted. */
function number(name, value) {
  return [[name, minus(general(value, 4))], [`${name}_sort`, value]];
}

// The images that the mix fixes or breaks, against the robust model h: one list a part; a choice shows that image.

import { Choice } from "../controls/choice.js";
import { h } from "../controls/dom.js";
import { toDigits } from "../controls/numbers.js";
import { Table } from "../controls/table.js";
import { card, classNames, isHere } from "./cards.js";
import { orderOf, partOf, sortOf, toPart } from "./listing.js";
import { compared } from "../app/numbers.js";
import { PartTabs } from "./parts.js";
import { WORDS } from "./words.js";

const NUMERIC = new Set(["image", "margin"]);
const PAGE = 50;

export class Examples {
  static views = ["examples_clean", "examples_attacked"];

  constructor(root, context) {
    Object.assign(this, { root, context, moment: null, shown: [] });
    const words = WORDS.examples;
    const column = ([key, [label, help]]) => ({ key, label, help, numeric: NUMERIC.has(key) });
    this.table = new Table({
      columns: Object.entries(words.columns).map(column),
      label: words.title,
      empty: words.loading,
      filtered: true,
      pageSize: PAGE,
      onChoose: (row) => context.set({ case: partOf(context.state()), row }),
      onOrder: (key, up) => context.set({ list_sort: sortOf(key, up) }),
      onFilter: (text) => context.set({ list_filter: text }),
      onTurn: (page) => context.set({ list_page: page }),
    });
    const panel = h("div", null, this.table.element);
    this.tabs = new PartTabs(words.tabs, words.title, panel, (part) => context.set(toPart(part, context.state().case)));
    const kinds = Object.entries(words.kinds).map(([kind, label]) => [label, kind]);
    this.kinds = new Choice({ label: words.show, choices: kinds, onChoose: (kind) => context.set({ list_kind: kind }) });
    card(root, words.title, h("div", { class: "card-head" }, this.tabs.element, this.kinds.element), panel);
  }

  update(moment) {
    this.moment = moment;
    this.draw();
  }

  /** Draw the last moment's images as the state of now lists them: a choice of the list waits for no frame. */
  draw() {
    const { views, meta, remix } = this.moment;
    const { selection } = this.context;
    const state = this.context.state();
    const [part, kind] = [partOf(state), state.list_kind];
    this.tabs.show(part);
    this.kinds.show(kind);
    this.table.orderBy(orderOf(state));
    this.table.filterBy(state.list_filter);
    const view = views[`examples_${part}`];
    if (!isHere(this.root, view)) return;
    const chosen = state.case === part ? state.row : null;
    const page = state.list_page;
    const inputs = [view, kind, part, selection.rows];
    if (inputs.every((one, place) => one === this.shown[place])) {
      this.table.update({ chosen, page });
      return;
    }
    this.shown = inputs;
    const words = WORDS.examples;
    if (!view) {
      this.table.update({ rows: [], note: "", empty: words.noAttack, chosen, page });
      return;
    }
    const picked = placesOf(view, selection);
    const fixed = picked.filter((i) => view.fixed[i]).length;
    const n = part === "clean" ? meta.n_clean : meta.n_adv;
    const counts = [fixed, picked.length - fixed, selection.any ? selection.rows.length : n];
    const note = (selection.any ? words.selected : words.note)(...counts, WORDS.parts[part]);
    const empty = selection.any ? words.noneSelected : words.nothing;
    this.table.update({ rows: rowsOf(view, picked, classNames(meta), remix.threshold, kind), note, empty, chosen, page });
  }
}

/** Of the changed images the places of those that are selected; of all where none is. */
function placesOf({ number }, { any, set }) {
  const all = Array.from(number.keys());
  return any ? all.filter((i) => set.has(number[i])) : all;
}

function rowsOf(view, picked, classes, threshold, kind) {
  const { fixes, breaks } = WORDS.examples;
  const limit = toDigits(threshold, 2);
  const rows = [];
  for (const i of picked) {
    const fixed = Boolean(view.fixed[i]);
    if (kind !== "both" && fixed !== (kind === "fixed")) continue;
    rows.push({
      key: view.row[i],
      dot: fixed ? "var(--right)" : "var(--wrong)",
      image: view.number[i],
      what: fixed ? fixes : breaks,
      label: classes[view.label[i]],
      std: classes[view.std[i]],
      rob: classes[view.rob[i]],
      mix: classes[view.mix[i]],
      margin: marginText(view.margin[i], threshold, limit),
      margin_sort: view.margin[i],
    });
  }
  return rows;
}

/** A margin with as many digits as it takes to tell it from the threshold. */
function marginText(margin, threshold, limit) {
  const short = toDigits(margin, 2);
  return short === limit || margin > 0.99 ? compared(margin, threshold)[0] : short;
}

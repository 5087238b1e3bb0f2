// Results by class as a table: on which classes the mix gains or loses.

import { h } from "../controls/dom.js";
import { signed } from "../controls/numbers.js";
import { Table } from "../controls/table.js";
import { card, classNames, isHere } from "./cards.js";
import { PartTabs } from "./parts.js";
import { WORDS } from "./words.js";

const PAGE = 25;

export class ClassResults {
  static views = ["classes_clean", "classes_attacked"];

  constructor(root, context) {
    Object.assign(this, { root, context, part: "clean", moment: { views: {} }, shown: undefined });
    const { title, columns } = WORDS.classes;
    const column = ([key, label]) => ({ key, label, numeric: key !== "name", digits: key === "n" ? 0 : 1 });
    this.table = new Table({ columns: Object.entries(columns).map(column), label: title, filtered: true, pageSize: PAGE });
    const panel = h("div", null, this.table.element);
    const choose = (part) => {
      this.part = part;
      this.draw();
    };
    card(root, title, new PartTabs(WORDS.examples.tabs, title, panel, choose).element, panel);
  }

  update(moment) {
    this.moment = moment;
    this.draw();
  }

  draw() {
    const { views, meta } = this.moment;
    const view = views[`classes_${this.part}`];
    if (!isHere(this.root, view) || view === this.shown) return;
    this.shown = view;
    this.table.update({ rows: view ? rowsOf(view, classNames(meta)) : [], empty: WORDS.examples.noAttack });
  }
}

function rowsOf(view, classes) {
  return classes.map((name, k) => {
    const n = view.n[k];
    const share = (right) => (n ? (100 * right[k]) / n : null);
    const gain = n ? (100 * (view.mix[k] - view.rob[k])) / n : null;
    return {
      key: k,
      name,
      n,
      std: view.std ? share(view.std) : WORDS.classes.notAttacked,
      rob: share(view.rob),
      mix: share(view.mix),
      gain: gain === null ? null : signed(gain, 1),
      gain_sort: gain,
    };
  });
}

// The numbers of all stages as a table, on request.

import { TableView } from "../../charts/table_view.js";
import { h, uniqueId } from "../../controls/dom.js";
import { CHARTS } from "./numbers.js";

export class NumbersTable {
  /**
   * @param {string[]} classes Names of all classes.
   * @param {import("../../app/texts.js").Texts} texts
   * @param {() => import("./numbers.js").Numbers} now Gives the numbers that are shown.
   */
  constructor(classes, texts, now) {
    Object.assign(this, { classes, now, open: false });
    const id = uniqueId("thread-table");
    this.view = new TableView(texts.plain("thread.table.label"));
    this.box = h("div", { id, hidden: true }, this.view.element);
    this.columns = ["class", ...CHARTS].map((name) => texts.plain(`thread.table.${name}`));
    const attributes = { type: "button", class: "quiet", "aria-expanded": "false", "aria-controls": id, onclick: () => this.toggle() };
    this.button = h("button", attributes, texts.plain("thread.table.show"));
    this.element = h("div", { class: "thread-table" }, this.button, this.box);
  }

  toggle() {
    this.open = !this.open;
    this.box.hidden = !this.open;
    this.button.setAttribute("aria-expanded", String(this.open));
    this.update();
  }

  /** Show other numbers, if it is open. */
  update() {
    if (!this.open) return;
    const numbers = this.now();
    const rows = this.classes.map((name, k) => [name, ...CHARTS.map((stage) => numbers[stage][k])]);
    this.view.show({ columns: this.columns, rows });
  }
}

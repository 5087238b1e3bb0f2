// The numbers of a plot on the page, to be sorted and filtered; the CSV has all digits.

import { h, fill } from "../controls/dom.js";
import { minus } from "../controls/numbers.js";
import { Table } from "../controls/table.js";
import { localNumber, word } from "../controls/words.js";

const PAGE = 50; // rows at a time
const DIGITS = 6; // significant ones

export class TableView {
  /** @param {string} label What it shows, for screen readers. */
  constructor(label) {
    Object.assign(this, { label, columns: null, table: null });
    this.element = h("div");
  }

  /**
   * Show a table in place of the last one; the visitor's order stays where the columns do.
   * @param {import("./data_table.js").DataTable} table
   */
  show({ columns, rows }) {
    const numeric = columns.map((_, i) => rows.some((row) => typeof row[i] === "number"));
    const key = JSON.stringify([columns, numeric]);
    if (key !== this.columns) {
      const described = columns.map((name, i) => ({ key: String(i), label: labelOf(name), numeric: numeric[i] }));
      this.table = new Table({ columns: described, label: this.label, filtered: true, pageSize: PAGE, empty: word("no_numbers") });
      fill(this.element, this.table.element);
      this.columns = key;
    }
    this.table.update({ rows: rows.map(shown) });
  }
}

function labelOf(name) {
  return name.replaceAll("_", " ").replace(/ percent$/, " %");
}

function shown(row, key) {
  const entry = { key };
  row.forEach((value, i) => {
    entry[i] = shortText(value);
    if (typeof value === "number") entry[`${i}_sort`] = value;
  });
  return entry;
}

function shortText(value) {
  if (typeof value === "number") return minus(localNumber(String(Number(value.toPrecision(DIGITS)))));
  return String(value ?? "");
}

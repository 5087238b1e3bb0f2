// A table to choose from: sorted, filtered and paged by the visitor, reached by mouse and keyboard alike.

import { thousands } from "../engine/text.js";
import { arrange, fill, h, setText } from "./dom.js";
import { fixed, minus } from "./numbers.js";
import { Pager } from "./pager.js";
import { localNumber, word } from "./words.js";

/**
 * @typedef {object} Column
 * @property {string} key Name of the row's entry.
 * @property {string} label Heading.
 * @property {boolean} [numeric] Whether it is aligned and sorted as numbers.
 * @property {number} [digits] Digits after the point of a number.
 * @property {string} [help] What the heading says on hover.
 *
 * @typedef {object} Row Entries by the columns' keys, and of its own `key` (a number or text), `dot` (a colour), `fixed`
 *   (without buttons); `COLUMN_more` and `COLUMN_tip` add to a cell, text is sorted by `COLUMN_sort` where there is one.
 */

const LONGEST_FILTER = 100; // characters, as many as a link takes

export class Table {
  /**
   * @param {object} options
   * @param {Column[]} options.columns
   * @param {string} options.label What it shows, for screen readers.
   * @param {Object<string, string>} [options.actions] Buttons of each row: their names and labels.
   * @param {string} [options.empty] What to say when there are no rows.
   * @param {boolean} [options.filtered] Whether to offer a search field.
   * @param {number} [options.height] Pixels beyond which it scrolls.
   * @param {number} [options.pageSize] So many rows at a time; all of them if it is not given.
   * @param {(text: string) => void} [options.onFilter] Called with what the visitor filters by.
   * @param {(page: number) => void} [options.onTurn] Called with the page that the visitor went to, from 1.
   * @param {(key: string, up: boolean) => void} [options.onOrder] Called with the column that the visitor sorted by.
   * @param {(key: any) => void} [options.onChoose] Called with the key of a row that the visitor chose.
   * @param {(name: string, key: any) => void} [options.onAction] Called with a button's name and its row's key.
   */
  constructor({ columns, label, actions = {}, empty = "", filtered = false, height = null, pageSize, ...on }) {
    const { onOrder, onFilter, onTurn, onChoose, onAction } = on;
    Object.assign(this, { columns, label, actions: Object.entries(actions), empty, onOrder, onFilter, onChoose, onAction });
    Object.assign(this, { rows: [], noteText: "", chosen: null, page: null, sort: null, words: "" });
    this.head = h("tr");
    this.body = h("tbody", { onkeydown: (event) => this.onKey(event) });
    this.note = h("p", { class: "table-note", role: "status" });
    this.element = h("div", { class: "table" });
    if (filtered) this.element.append(h("div", { class: "table-top" }, this.note, this.searchField()));
    const role = onChoose ? "grid" : "table"; // in a grid rows can be chosen
    const table = h("table", { role, "aria-label": label }, h("thead", null, this.head), this.body);
    const style = height ? { "max-height": `${height}px` } : {};
    this.element.append(h("div", { class: "table-box", tabindex: height && !onChoose ? 0 : null, style }, table));
    this.pager = new Pager(pageSize ?? Infinity, (page) => {
      this.draw();
      onTurn?.(page);
    });
    this.element.append(this.pager.element);
    this.drawHead();
    this.draw();
  }

  /**
   * Show rows, in the visitor's order.
   * @param {{rows?: Row[], note?: string, chosen?: any, empty?: string, page?: number}} changes `page`: which one, from 1;
   *   0: that with the chosen row, or else the first. Where it is never given, the visitor turns pages as they like.
   */
  update({ rows = this.rows, note = this.noteText, chosen = this.chosen, empty = this.empty, page = this.page }) {
    const moved = rows !== this.rows || empty !== this.empty;
    const turned = chosen !== this.chosen || page !== this.page;
    Object.assign(this, { rows, noteText: note, chosen, empty, page });
    if (turned || (moved && page !== null)) this.turn();
    if (moved || this.pager.turned) this.draw();
    else this.markChosen();
    this.showNote();
  }

  /** From the next drawing on, show the page that was asked for. */
  turn() {
    const place = this.chosen === null ? -1 : this.shown().findIndex(({ key }) => key === this.chosen);
    if (this.page) this.pager.turnTo((this.page - 1) * this.pager.size);
    else if (place >= 0) this.pager.turnTo(place);
    else if (this.page !== null) this.pager.turnTo(0);
  }

  searchField() {
    const filter = () => {
      this.filterBy(this.search.value);
      this.onFilter?.(this.search.value);
    };
    const attributes = { placeholder: word("filter"), "aria-label": word("filter_of", { label: this.label }), maxlength: LONGEST_FILTER };
    this.search = h("input", { type: "search", ...attributes, oninput: filter });
    return this.search;
  }

  /** Show those rows alone that have a text in one of their cells. */
  filterBy(text) {
    if (this.search.value !== text) this.search.value = text;
    const words = text.trim().toLowerCase();
    if (words === this.words) return;
    this.words = words;
    this.rearrange();
  }

  showNote() {
    setText(this.note, this.noteText + (this.words ? word("match", { count: localNumber(thousands(this.shown().length)) }) : ""));
  }

  drawHead() {
    const heading = (column) => {
      const order = { type: "button", title: column.help || word("sort", column), onclick: () => this.order(column) };
      const up = this.sort?.column === column && (this.sort.up ? "ascending" : "descending");
      const attributes = { scope: "col", class: column.numeric ? "number" : null, "aria-sort": up };
      return h("th", attributes, h("button", order, column.label));
    };
    const last = this.actions.length ? h("th", { scope: "col" }, h("span", { class: "unseen" }, word("actions"))) : null;
    fill(this.head, this.columns.map(heading), last);
  }

  order(column) {
    const { key } = column;
    const up = this.sort?.column === column ? !this.sort.up : true;
    this.orderBy({ key, up });
    this.head.children[this.columns.indexOf(column)].firstChild.focus();
    this.onOrder?.(key, up);
  }

  /**
   * Sort by a column.
   * @param {{key: string, up: boolean}|null} order null: rows stand as they come.
   */
  orderBy(order) {
    if (order?.key === this.sort?.column.key && order?.up === this.sort?.up) return;
    this.sort = order && { column: this.columns.find(({ key }) => key === order.key), up: order.up };
    this.drawHead();
    this.rearrange();
  }

  /** Draw in another order: from the top, unless a page was asked for. */
  rearrange() {
    if (this.page === null) this.pager.turnTo(0);
    else this.turn();
    this.draw();
    this.showNote();
  }

  shown() {
    const matches = (row) => this.columns.some((column) => cellText(column, row).toLowerCase().includes(this.words));
    const rows = this.words ? this.rows.filter(matches) : [...this.rows];
    if (!this.sort) return rows;
    const { column, up } = this.sort;
    const value = (row) => row[`${column.key}_sort`] ?? row[column.key];
    return rows.sort((one, other) => (up ? 1 : -1) * compared(value(one), value(other)));
  }

  draw() {
    const rows = this.pager.slice(this.shown());
    const focused = this.body.contains(document.activeElement) ? document.activeElement.closest("tr") : null;
    const standing = new Map(Array.from(this.body.children, (row) => [row.dataset.key, row]));
    arrange(this.body, rows.length ? rows.map((row) => this.renewed(standing.get(String(row.key)), row)) : [this.nothing()]);
    this.markChosen();
    if (focused && !this.body.contains(document.activeElement)) (this.body.contains(focused) ? focused : this.body.querySelector("tr.choice"))?.focus();
  }

  /** A row as it is now: the one that stands there, with cells exchanged that differ, so that a click on it is not lost. */
  renewed(standing, row) {
    const now = this.row(row);
    if (!standing) return now;
    const cells = [...now.children];
    for (const [place, cell] of [...standing.children].entries()) if (!cell.isEqualNode(cells[place])) cell.replaceWith(cells[place]);
    return standing;
  }

  nothing() {
    const words = this.words ? word("no_match") : this.empty;
    return h("tr", null, h("td", { colspan: this.columns.length + 1, class: "empty" }, words));
  }

  row(row) {
    const cells = this.columns.map((column, place) => this.cell(column, row, place));
    const name = cellText(this.columns[0], row);
    const act = ([action, label]) => {
      const click = (event) => {
        event.stopPropagation();
        this.onAction(action, row.key);
      };
      return h("button", { type: "button", "aria-label": `${label} ${name}`, onclick: click }, label);
    };
    if (this.actions.length) cells.push(h("td", { class: "actions" }, row.fixed ? null : this.actions.map(act)));
    const choose = this.onChoose ? { onclick: () => this.onChoose(row.key), class: "choice" } : {};
    return h("tr", { dataset: { key: row.key }, ...choose }, cells);
  }

  cell(column, row, place) {
    const dot = place === 0 && row.dot ? h("span", { class: "dot", style: { background: row.dot } }) : null;
    const more = row[`${column.key}_more`];
    const attributes = { class: column.numeric ? "number" : null, title: row[`${column.key}_tip`] };
    attributes["data-label"] = column.label; // on a phone, where there is no heading above
    return h("td", attributes, dot, cellText(column, row), more ? h("small", null, more) : null);
  }

  markChosen() {
    if (!this.onChoose) return;
    const rows = [...this.body.querySelectorAll("tr.choice")];
    const at = rows.find((row) => row.dataset.key === String(this.chosen));
    for (const row of rows) {
      row.setAttribute("aria-selected", String(row === at));
      row.tabIndex = row === (at ?? rows[0]) ? 0 : -1;
    }
  }

  onKey(event) {
    const row = event.target.closest("tr.choice");
    if (!row || event.target !== row) return;
    const { nextElementSibling, previousElementSibling } = row;
    const { firstElementChild, lastElementChild } = this.body;
    const pages = { PageDown: 1, PageUp: -1 }[event.key];
    const along = { ArrowDown: nextElementSibling, ArrowUp: previousElementSibling };
    const next = { ...along, Home: firstElementChild, End: lastElementChild }[event.key];
    if (event.key === "Enter" || event.key === " ") row.click();
    else if (pages && this.pager.step(pages)) this.body.querySelector("tr.choice")?.focus();
    else if (next) {
      next.focus();
      next.click();
    } else return;
    event.preventDefault();
  }
}

function cellText({ key, digits = 0 }, row) {
  const value = row[key];
  if (value === null || value === undefined) return "";
  if (typeof value !== "number") return String(value);
  const tiny = value !== 0 && digits > 0 && Math.abs(value) < 0.5 * 10 ** -digits; // would read as zero
  return minus(tiny ? value.toExponential(1) : fixed(value, digits));
}

function compared(one, other) {
  if (typeof one === "number" && typeof other === "number") return one - other;
  return String(one ?? "").localeCompare(String(other ?? ""));
}

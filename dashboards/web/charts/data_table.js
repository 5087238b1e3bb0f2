// A figure's numbers as a table: for a CSV from which it can be plotted again, and for those who read instead of look.

import { h } from "../controls/dom.js";
import { isList } from "./fill.js";
import { isPlain } from "./values.js";

const ARRAYS = ["x", "y", "z", "text", "hovertext", "customdata"];
const MOST_ROWS = 500; // of a table on the page
const PARAMS = ["s", "p", "c", "clamp", "ln_k", "alpha", "beta", "temperature"];

/**
 * @typedef {object} DataTable
 * @property {string[]} columns
 * @property {Array<Array<string|number|null>>} rows
 */

/**
 * The numbers of a figure: a row a point, with the ends of its error bars.
 * @param {{data: object[]}} figure
 * @param {Record<string, string>} names What `x`, `y`, … are called; several names of one array stand apart by spaces.
 * @returns {DataTable}
 */
export function dataTable({ data }, names) {
  const found = data.flatMap((trace, i) => recordsOf(trace, i, names));
  const columns = [...new Set(found.flatMap((record) => Object.keys(record)))];
  return { columns, rows: found.map((record) => columns.map((column) => record[column] ?? null)) };
}

function recordsOf(trace, index, names) {
  // `meta` is the name for a table, or carries it with the values to write where the plot has others (log10 s);
  // furniture, such as labels, is no data
  const meta = isPlain(trace.meta) ? trace.meta : { name: trace.meta };
  if (meta.furniture) return [];
  const trace_name = meta.name || trace.name || `trace ${index + 1}`;
  const values = Object.fromEntries(ARRAYS.map((key) => [key, meta[key] ?? trace[key]]).filter(([key, value]) => isList(value) && (names[key] || key.length === 1)));
  return isList(values.z?.[0]) ? cells(trace_name, values, names) : points(trace_name, values, names, trace);
}

function points(trace, values, names, { error_x, error_y }) {
  const length = Math.max(0, ...["x", "y"].map((key) => values[key]?.length ?? 0));
  return Array.from({ length }, (_, i) => {
    const record = { trace };
    for (const [key, array] of Object.entries(values)) {
      const name = names[key] ?? key;
      Object.assign(record, named(name, array[i]));
      const bars = { x: error_x, y: error_y }[key];
      if (bars?.array) Object.assign(record, { [`${name}_low`]: array[i] - bars.arrayminus[i], [`${name}_high`]: array[i] + bars.array[i] });
    }
    return record;
  }).filter((record) => Object.values(record).some((value, k) => k > 0 && value !== null && value !== undefined));
}

/** One record a cell of a heat map. */
function cells(trace, { x, y, z, customdata }, names) {
  return Array.from(z).flatMap((row, i) =>
    Array.from(row, (value, j) => ({
      trace,
      [names.x ?? "x"]: x?.[j] ?? j,
      [names.y ?? "y"]: y?.[i] ?? i,
      [names.z ?? "z"]: value,
      ...(names.customdata && customdata ? named(names.customdata, customdata[i][j]) : {}),
    })),
  );
}

/** One value under its name, or several under one name each. */
function named(names, value) {
  if (!isList(value)) return { [names]: value };
  return Object.fromEntries(names.split(" ").map((name, k) => [name, value[k]]));
}

/** What a figure was made with: bundle and mix, a column each. */
export function settingsOf({ meta, remix }) {
  const mix = PARAMS.map((name) => [`mix_${name}`, remix?.params?.[name] ?? null]);
  return Object.fromEntries([["bundle", meta?.name ?? null], ["digest", meta?.digest ?? null], ...mix]);
}

/**
 * A table as CSV, each row with what it was made with.
 * @param {DataTable} table
 * @param {Record<string, unknown>} settings
 */
export function csvOf({ columns, rows }, settings) {
  const constant = Object.values(settings);
  const lines = [[...columns, ...Object.keys(settings)], ...rows.map((row) => [...row, ...constant])];
  return lines.map((line) => line.map(cell).join(",")).join("\n") + "\n";
}

function cell(value) {
  const text = String(value ?? "").replaceAll("<br>", " ");
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A table as an element of the page, its first rows where they are many. */
export function tableElement({ columns, rows }, caption) {
  const shown = rows.slice(0, MOST_ROWS);
  const more = rows.length > shown.length ? `, the first ${shown.length} of ${rows.length} rows; the CSV has all` : "";
  const line = (row) => h("tr", null, row.map((value, i) => h(i ? "td" : "th", i ? null : { scope: "row" }, shortText(value))));
  return h("table", { class: "data-table" },
    h("caption", null, caption + more),
    h("thead", null, h("tr", null, columns.map((name) => h("th", { scope: "col" }, name.replaceAll("_", " "))))),
    h("tbody", null, shown.map(line)));
}

/** At most six digits: the CSV has all. */
function shortText(value) {
  if (typeof value !== "number") return String(value ?? "").replaceAll(/<[^>]*>/g, " ");
  return String(Number(value.toPrecision(6)));
}

// A figure's numbers as a table: for a CSV from which it can be plotted again, and for those who read instead of look.

import { TABLES } from "./class_tables.js";
import { isList } from "./fill.js";
import { plainText } from "./names.js";
import { isPlain } from "./values.js";

const ARRAYS = ["x", "y", "z", "text", "hovertext", "customdata", "s", "p", "c"];
const PARAMS = ["s", "p", "c", "clamp", "ln_k", "alpha", "beta", "temperature"];

/**
 * @typedef {object} DataTable
 * @property {string[]} columns
 * @property {Array<Array<string|number|null>>} rows
 */

/**
 * The numbers of a panel.
 * @param {{name: string, columns: Record<string, string>}} spec Its entry in the catalogue.
 * @param {{data: object[]}} figure
 * @param {object} fields What the figure was made of.
 * @returns {DataTable}
 */
export function tableOf({ name, columns }, figure, fields) {
  return name in TABLES ? TABLES[name](fields) : dataTable(figure, columns);
}

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
  const values = Object.fromEntries(ARRAYS.map((key) => [key, meta[key] ?? unmarked(trace[key])]).filter(([key, value]) => isList(value) && (names[key] || key.length === 1)));
  for (const key of ["s", "p", "c"]) if (!values[key]?.length) delete values[key];
  return isList(values.z?.[0]) ? cells(trace_name, values, names) : points(trace_name, values, names, trace);
}

/** An array of a trace, its texts without markup. */
function unmarked(array) {
  const isMarked = Array.isArray(array) && array.some((value) => typeof value === "string");
  return isMarked ? array.map((value) => (typeof value === "string" ? plainText(value) : value)) : array;
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
  const all = names.split(" ");
  if (!isList(value)) return { [all[0]]: value };
  return Object.fromEntries(all.map((name, k) => [name, value[k]]).filter(([, one]) => one !== undefined));
}

/** What a figure was made with, a column each: the bundle, the mix, the grid, the chosen image. */
export function settingsOf({ meta, remix, state }) {
  const mix = PARAMS.map((name) => [`mix_${name}`, remix?.params?.[name] ?? null]);
  const example = state?.example ? `${state.example.where} ${state.example.row}` : null;
  const others = [["grid", state?.grid ?? null], ["chosen_image", example]];
  return Object.fromEntries([["bundle", meta?.name ?? null], ["digest", meta?.digest ?? null], ...mix, ...others]);
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
  const text = String(value ?? "");
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

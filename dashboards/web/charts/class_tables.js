// The numbers of results by class and of mistakes, of all classes, however few a plot has room for.

import { className } from "./names.js";

/** By the panel's name, its table in place of its traces'. */
export const TABLES = { classes: classTable, confusion: mistakesTable };

/**
 * Every class: how many images it has, and how many of them each classifier gets right.
 * @param {object} fields `classes_clean`, `classes_attacked`, `meta`.
 * @returns {import("./data_table.js").DataTable}
 */
function classTable({ classes_clean, classes_attacked, meta }) {
  const parts = [["clean", classes_clean], ["attacked", classes_attacked]].filter(([, results]) => results);
  const columns = ["class", "images_of", "images", "g_percent", "h_percent", "mix_percent", "mix_minus_h_points"];
  return { columns, rows: parts.flatMap(([part, results]) => Array.from(results.n, (_, k) => classRow(part, results, k, meta))) };
}

function classRow(part, { n, std, rob, mix }, k, meta) {
  const share = (right) => (right && n[k] ? (100 * right[k]) / n[k] : null);
  const gain = n[k] ? (100 * (mix[k] - rob[k])) / n[k] : null;
  return [className(meta, k), part, n[k], share(std), share(rob), share(mix), gain];
}

/**
 * Every pair of classes with images in it, the most frequent first; those that are right among them.
 * @param {object} fields `confusion_clean`, `confusion_attacked`, `options`, `meta`.
 * @returns {import("./data_table.js").DataTable}
 */
function mistakesTable({ confusion_clean, confusion_attacked, options, meta }) {
  const attacked = Boolean(options?.confusion_attacked && confusion_attacked);
  const counts = attacked ? confusion_attacked : confusion_clean;
  const k = Math.round(Math.sqrt(counts.length));
  const totals = new Float64Array(k);
  const cells = [];
  counts.forEach((count, i) => {
    totals[Math.floor(i / k)] += count;
    if (count) cells.push(i);
  });
  cells.sort((i, j) => counts[j] - counts[i] || i - j);
  const row = (i) => {
    const [label, taken] = [Math.floor(i / k), i % k];
    return [className(meta, label), className(meta, taken), label === taken ? "right" : "wrong", counts[i], (100 * counts[i]) / totals[label], attacked ? "attacked" : "clean"];
  };
  return { columns: ["true", "predicted", "mix_is", "images", "percent_of_true", "images_of"], rows: cells.map(row) };
}

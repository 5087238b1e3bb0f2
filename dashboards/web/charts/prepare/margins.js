// Histograms and medians of margins, as `dashboards/figures/margins.py`.

import { formatted } from "../format.js";
import { ends, roundUp } from "./rounding.js";

const MOST_SELECTED = 500;
const BASE = ["g", "h", "LN h"];
export const LOG_TICKS = [-6, -4, -2, 0];
export const LOG_TEXTS = ["10<sup>−6</sup>", "10<sup>−4</sup>", "0.01", "1 "];

/** The base models' histograms; on a log axis where `options.log_margins` is set. */
export function prepareMargins({ margins, options }) {
  return drawn(BASE.map((name) => margins[name]), Boolean(options?.log_margins));
}

/** M(h)'s histograms, likewise, with the places of selected images where `margin_scatter` is at hand. */
export function prepareMixMargins({ mix_margins, remix, options, margin_scatter: view, selected }) {
  const log = Boolean(options?.log_margins);
  const row = view ? selectedRows(selected, view.margin.length) : [];
  const x = row.map((one) => (log ? logPlace(view.margin[one]) : view.margin[one]));
  const threshold = log ? logPlace(remix.threshold) : remix.threshold;
  return { ...drawn([mix_margins], log), threshold, selected: { x, y: row.map(() => 0), row } };
}

/** Of the selected images those that there are, and not too many. */
export function selectedRows(rows, n) {
  return Array.from(rows ?? []).filter((row) => row >= 0 && row < n).slice(0, MOST_SELECTED);
}

/** Medians, group sizes and gaps of all classifiers. */
export function prepareMedians({ margins, mix_margins }) {
  const columns = [...BASE.map((name) => margins[name]), mix_margins];
  return {
    clean: groups(columns.map((column) => column.clean)),
    attacked: mix_margins.attacked ? groups(columns.map((column) => column.attacked)) : null,
    gaps: columns.map(({ gap }) => (Number.isFinite(gap) ? `gap<br>${formatted(gap + 0, "+.3f")}` : "")),
  };
}

function groups(histograms) {
  return {
    right: histograms.map((one) => one.median_right),
    wrong: histograms.map((one) => one.median_wrong),
    n_right: histograms.map((one) => sum(one.right)),
    n_wrong: histograms.map((one) => sum(one.wrong)),
  };
}

/** Columns of histograms as they are drawn, with their common axis. */
function drawn(columns, log) {
  const [ticks, texts] = log ? [LOG_TICKS, LOG_TEXTS] : [[0, 0.5, 1], ["0", "0.5", "1 "]];
  return {
    columns: columns.map(({ clean, attacked }) => ({ clean: histogram(clean, log), attacked: attacked && histogram(attacked, log) })),
    attacked: columns.every((column) => column.attacked),
    range: [ticks[0], ticks.at(-1)],
    ticks,
    tick_texts: texts,
  };
}

function histogram(one, log) {
  const edges = log ? one.log_edges.map(Math.log10) : one.edges;
  const [right, wrong] = log ? [one.log_right, one.log_wrong] : [one.right, one.wrong];
  const n = sum(one.right) + sum(one.wrong);
  const percent = (counts) => Float64Array.from(counts, (count) => (100 * count) / Math.max(n, 1));
  return {
    x: Float64Array.from(right, (_, i) => (edges[i] + edges[i + 1]) / 2),
    bins: log ? logBins(one.log_edges) : bins(one.edges, ".2f"),
    right: percent(right),
    wrong: percent(wrong),
    right_count: right,
    wrong_count: wrong,
    n,
    top: 1.05 * roundUp((100 * Math.max(ends(right)[1], ends(wrong)[1])) / Math.max(n, 1)),
  };
}

function bins(edges, spec) {
  return Array.from({ length: edges.length - 1 }, (_, i) => `${formatted(edges[i], spec)} to ${formatted(edges[i + 1], spec)}`);
}

/** The first bin holds everything below. */
function logBins(edges) {
  return [`up to ${formatted(edges[1], ".2g")}`, ...bins(edges, ".2g").slice(1)];
}

/** Where a margin stands on the log axis; what lies below it stands at its end. */
export function logPlace(margin) {
  return Math.log10(Math.max(margin, 10 ** LOG_TICKS[0]));
}

function sum(counts) {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}

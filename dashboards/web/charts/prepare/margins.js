// Histograms and medians of margins, as `dashboards/figures/margins.py`.

import { formatted } from "../format.js";
import { ends, roundUp } from "./rounding.js";

export const MOST_MARKED = 500; // of more selected images the first ones are marked one by one
const OWN_MARGINS = ["std_margin", "rob_margin", "ln_margin"];
const BASE = ["g", "h", "LN h"];
export const LOG_TICKS = [-6, -4, -2, 0];
export const LOG_TEXTS = ["10<sup>−6</sup>", "10<sup>−4</sup>", "0.01", "1 "];

/** The base models' histograms on a log axis where `options.log_margins` is set, with selected images' marks. */
export function prepareMargins(fields) {
  const log = Boolean(fields.options?.log_margins);
  return { ...drawn(BASE.map((name) => fields.margins[name]), log), selected: OWN_MARGINS.map((name) => marks(fields, name, log)) };
}

/** M(h)'s histograms, likewise. */
export function prepareMixMargins(fields) {
  const { mix_margins, remix, options } = fields;
  const log = Boolean(options?.log_margins);
  const threshold = log ? logPlace(remix.threshold) : remix.threshold;
  return { ...drawn([mix_margins], log), threshold, selected: [marks(fields, "margin", log)] };
}

/** Where the selected images stand by one of their margins; nowhere until `images` is at hand. */
function marks({ images: view, selected }, name, log) {
  const row = view ? selectedRows(selected, view.margin.length).slice(0, MOST_MARKED) : [];
  const x = row.map((one) => (log ? logPlace(view[name][one]) : view[name][one]));
  return { x, y: row.map(() => 0), row };
}

/** Of the selected images those that there are. */
export function selectedRows(rows, n) {
  return Array.from(rows ?? []).filter((row) => row >= 0 && row < n);
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
    columns: columns.map(({ clean, attacked, attacked_itself }) => ({
      clean: histogram(clean, log),
      attacked: attacked && histogram(attacked, log),
      attacked_itself,
    })),
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

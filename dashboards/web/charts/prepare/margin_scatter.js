// M(h)'s margin on each clean image, by whether g is right there, as `dashboards/figures/margin_scatter.py`.

import { LOG_TEXTS, LOG_TICKS, MOST_MARKED, logPlace, selectedRows } from "./margins.js";

const MOST_POINTS = 800; // of more images every second, third, … is drawn
const SPREAD = 0.7; // of two strips, how much of its height the points of each fill
const GOLDEN = 0.6180339887498949; // multiples of it, without their whole part, spread evenly however many there are

/** Points of a sample that no slider changes, each a little off its strip's middle. */
export function prepareMarginScatter({ images: view, remix, options, selected }) {
  const log = Boolean(options?.log_margins);
  const n = view.margin.length;
  const step = Math.max(1, Math.ceil(n / MOST_POINTS));
  const rows = Array.from({ length: Math.ceil(n / step) }, (_, i) => i * step);
  const { x, y } = places(view, rows, log);
  const right = rows.map((row) => Boolean(view.mapped_right[row]));
  const [ticks, texts] = log ? [LOG_TICKS, LOG_TEXTS] : [[0, 0.5, 1], ["0", "0.5", "1"]];
  const room = 0.02 * (ticks.at(-1) - ticks[0]);
  return {
    right: x.map((value, i) => (right[i] ? value : null)),
    wrong: x.map((value, i) => (right[i] ? null : value)),
    y,
    row: rows,
    shown: rows.length,
    n,
    ...countsOf(view),
    threshold: log ? logPlace(remix.threshold) : remix.threshold,
    range: [ticks[0] - room, ticks.at(-1) + room],
    ticks,
    tick_texts: texts,
    selected: selectedOf(view, selected, log),
  };
}

function countsOf({ std_right, mapped_right }) {
  const counts = { std_right_right: 0, std_right_wrong: 0, std_wrong_right: 0, std_wrong_wrong: 0 };
  for (let r = 0; r < std_right.length; r++) counts[`std_${std_right[r] ? "right" : "wrong"}_${mapped_right[r] ? "right" : "wrong"}`]++;
  return counts;
}

function places(view, rows, log) {
  const strip = (row) => (view.std_right[row] ? 1 : 0) + SPREAD * (((row * GOLDEN) % 1) - 0.5);
  return { x: rows.map((row) => (log ? logPlace(view.margin[row]) : view.margin[row])), y: rows.map(strip) };
}

function selectedOf(view, selected, log) {
  const row = selectedRows(selected, view.margin.length).slice(0, MOST_MARKED);
  return { ...places(view, row, log), row };
}

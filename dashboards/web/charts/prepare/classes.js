// Results by class, as `dashboards/figures/classes.py`.

import { className, nameTicks, whole } from "../names.js";
import { selectedRows } from "./margins.js";

const MOST_BARS = 20; // of more classes those that the mix changes most against h
const MOST_ROWS = 30; // of more classes those with most mistakes

/** Shares of right predictions. */
export function prepareClasses(fields) {
  const { classes_clean, classes_attacked, meta } = fields;
  const shown = mostChanged(classes_clean);
  const names = shown.map((k) => className(meta, k));
  return {
    classes: shown,
    names,
    places: shown.map((_, place) => place),
    hover: names.map(whole),
    ticks: nameTicks(names),
    clean: shares(classes_clean, shown, selectedByClass(fields)),
    attacked: classes_attacked ? shares(classes_attacked, shown, null) : null,
  };
}

/** How many selected images each class has; null where none is selected. */
function selectedByClass({ images: view, selected, classes_clean }) {
  const rows = view ? selectedRows(selected, view.label.length) : [];
  const counts = new Int32Array(classes_clean.n.length);
  for (const row of rows) counts[view.label[row]]++;
  return rows.length ? counts : null;
}

/** All classes where they are few, else those that lose and gain most, the largest loss first. */
function mostChanged({ n, rob, mix }) {
  const all = Array.from(n.keys());
  if (all.length <= MOST_BARS) return all;
  const gain = all.map((k) => (mix[k] - rob[k]) / Math.max(n[k], 1));
  const order = all.sort((a, b) => gain[a] - gain[b]);
  return [...order.slice(0, MOST_BARS / 2), ...order.slice(-MOST_BARS / 2)];
}

function shares(results, shown, selected) {
  const share = (right) => right && shown.map((k) => (100 * right[k]) / Math.max(results.n[k], 1));
  return { n: shown.map((k) => results.n[k]), std: share(results.std), rob: share(results.rob), mix: share(results.mix), selected: share(selected) };
}

/** Mistakes in per cent of the true class, the diagonal empty; `options.confusion_attacked` chooses the part. */
export function prepareConfusion(fields) {
  const { confusion_clean, confusion_attacked, options, meta } = fields;
  const attacked = Boolean(options?.confusion_attacked && confusion_attacked);
  const counts = attacked ? confusion_attacked : confusion_clean; // row by row
  const k = Math.round(Math.sqrt(counts.length));
  const totals = Array.from({ length: k }, (_, i) => counts.slice(i * k, (i + 1) * k).reduce((a, b) => a + b, 0));
  const shown = mostMistaken(counts, totals, k);
  const names = shown.map((i) => className(meta, i));
  const [ticks, lines] = [nameTicks(names), names.map(whole)];
  const cells = selectedCells(fields, k, attacked);
  const marked = shown.flatMap((i, y) => shown.map((j, x) => ({ x, y, count: cells[i * k + j] }))).filter(({ count }) => count);
  const share = shown.map((i) => shown.map((j) => (i === j ? null : (100 * counts[i * k + j]) / Math.max(totals[i], 1))));
  const hover = lines.map((label) => lines.map((taken) => `${label}<br>taken for ${taken}`));
  return {
    classes: shown,
    names,
    places: shown.map((_, place) => place),
    hover,
    ticks: { ...ticks, downwards: ticks.range.toReversed() },
    share,
    most: Math.max(1, ...share.flat()), // of mistakes there may be none
    count: shown.map((i) => shown.map((j) => counts[i * k + j])),
    part: attacked ? "attacked" : "clean",
    selected: {
      x: marked.map(({ x }) => x),
      y: marked.map(({ y }) => y),
      predicted: marked.map(({ x }) => names[x]),
      true: marked.map(({ y }) => names[y]),
      hover: marked.map(({ x, y }) => hover[y][x]),
      text: marked.map(({ count }) => String(count)),
    },
  };
}

/** How many selected images stand in each cell, row by row. */
function selectedCells({ images: view, selected }, k, attacked) {
  const counts = new Int32Array(k * k);
  if (!view) return counts;
  const rows = selectedRows(selected, view.label.length);
  if (!attacked) for (const row of rows) counts[view.label[row] * k + view.mix_class[row]]++;
  else {
    const among = new Set(rows);
    view.attacked.row.forEach((row, i) => among.has(row) && counts[view.label[row] * k + view.attacked.mix_class[i]]++);
  }
  return counts;
}

function mostMistaken(counts, totals, k) {
  const all = Array.from({ length: k }, (_, i) => i);
  if (k <= MOST_ROWS) return all;
  const mistakes = all.map((j) => totals[j] + all.reduce((sum, i) => sum + counts[i * k + j], 0) - 2 * counts[j * k + j]);
  return all.sort((a, b) => mistakes[b] - mistakes[a]).slice(0, MOST_ROWS).sort((a, b) => a - b);
}

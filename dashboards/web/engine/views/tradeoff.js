// Trade-off curves: clean accuracy against accuracy under attack for every α, as `mnuts_core.views.tradeoff`.
//
// With the transform and T held, an example is right exactly while the odds `t = (1-α)/α` lie in one interval; an
// attacked image is right where the intervals of all of its points overlap.

import { transformKey } from "../params.js";
import { TIE, leastKept, searchSorted } from "../quantiles.js";
import { RobProbabilities, softIntervals } from "../soft.js";

/** About n weights from 1 down to 1/2, dense at both ends of the odds (1-α)/α and even between. */
export function alphaGrid(n = 161) {
  const ends = Math.floor(n / 3);
  const evenly = n - 2 * ends;
  const even = Array.from({ length: evenly }, (_, i) => (i === evenly - 1 ? 1 : i * (1 / (evenly - 1))));
  const end = Array.from({ length: ends }, (_, i) => 10 ** (-6 + i * (5 / (ends - 1))));
  const odds = Float64Array.from(new Set([...even, ...end, ...end.map((x) => 1 - x)])).sort();
  return odds.map((t) => 1 / (1 + t));
}

const ALPHAS = alphaGrid();

/**
 * The mix at every α, the transform and temperature held.
 * @param {import("../engine.js").RemixEngine} engine
 * @param {import("../params.js").MixParams} params β and α are ignored.
 * @param {Float64Array} alpha Weights in [1/2, 1].
 * @returns {{alpha: Float64Array, clean: Float64Array, attacked: Float64Array, by_margin: Float64Array}}
 */
export function alphaCurve(engine, params, alpha = ALPHAS) {
  return { alpha, ...sharesAt(engine, params, alpha.map((a) => (1 - a) / a)) };
}

/** Clean accuracy, attacked accuracy and accuracy by margin at each of the odds. */
export function sharesAt(engine, params, odds) {
  const found = engine.curveMemo.get(`${transformKey(params)} ${params.temperature}`, () => intervals(engine, params));
  const nothing = new Float64Array(odds.length).fill(NaN);
  return {
    clean: shareRight(found.clean, odds),
    attacked: found.images ? shareRight(found.images, odds) : nothing,
    by_margin: found.held ? shareHeld(found.held, odds, engine.nAttacked) : nothing,
  };
}

/** The intervals of all clean rows and attacked images, and the sorted margins of those that M(h) gets right. */
function intervals(engine, params) {
  const all = rightBetween(engine.rows, params);
  const clean = Object.fromEntries(Object.entries(all).map(([name, column]) => [name, column.subarray(0, engine.nClean)]));
  if (!engine.pool) return { clean, images: null, held: null };
  const { signed, right } = engine.rows.transformed(params);
  const worst = engine.worstRows(params);
  const held = Float64Array.from(worst.filter((row) => right[row]), (row) => signed[row]).sort();
  return { clean, images: atAllPoints(engine.pool, all), held };
}

/**
 * For every row the interval of odds at which the mix predicts the label.
 * @param {import("../rows.js").Rows} rows
 * @returns {{low: Float64Array, high: Float64Array, closed: Uint8Array}} `closed`: whether the upper end belongs to it.
 */
export function rightBetween(rows, params) {
  const n = rows.length;
  const found = { low: new Float64Array(n), high: new Float64Array(n), closed: new Uint8Array(n) };
  if (params.temperature === 0) hardIntervals(rows, params, found);
  else softIntervals(rows, rows.stdProbabilities(params.temperature), new RobProbabilities(rows, params), found);
  return found;
}

/** T = 0: ŷ_std from odds `p₁ - p[ŷ_std]` on, ŷ_rob below them. */
function hardIntervals(rows, params, { low, high, closed }) {
  const { std, vote } = rows.transformed(params);
  for (let r = 0; r < rows.length; r++) {
    const change = Math.max(0, std[r] - TIE);
    const robRight = vote[r] === rows.labels[r];
    const stdRight = rows.stdRight[r];
    low[r] = robRight ? 0 : stdRight ? change : Infinity;
    high[r] = stdRight ? Infinity : robRight ? change : -Infinity;
    closed[r] = stdRight;
  }
}

/** Each attacked image's interval: where those of its clean row and of all of its points overlap. */
function atAllPoints({ images, index, starts, rows }, { low, high, closed }) {
  const found = { low: new Float64Array(images), high: new Float64Array(images), closed: new Uint8Array(images) };
  for (let image = 0; image < images; image++) {
    let row = index[image];
    let [from, to, isClosed] = [low[row], high[row], closed[row]];
    for (let i = starts[image]; i < starts[image + 1]; i++) {
      row = rows[i];
      if (low[row] > from) from = low[row];
      if (high[row] < to) [to, isClosed] = [high[row], closed[row]];
      else if (high[row] === to) isClosed &= closed[row]; // every interval that ends there must be
    }
    found.low[image] = from;
    found.high[image] = to;
    found.closed[image] = isClosed;
  }
  return found;
}

/** The share of rows whose interval holds each of the odds. */
function shareRight(intervals, odds) {
  const [sorted, back] = inOrder(odds);
  const begun = new Int32Array(odds.length + 1); // where intervals begin, less where they end
  countEnds(intervals, sorted, begun);
  return shares(begun, back, intervals.low.length);
}

function countEnds({ low, high, closed }, odds, begun) {
  const n = odds.length;
  for (let r = 0; r < low.length; r++) {
    if (low[r] > odds[n - 1] || high[r] < odds[0]) continue;
    const from = low[r] <= odds[0] ? 0 : searchSorted(odds, low[r]);
    const to = high[r] > odds[n - 1] ? n : searchSorted(odds, high[r], closed[r] ? "right" : "left");
    if (to <= from) continue;
    begun[from]++;
    begun[to]--;
  }
}

/** The share of images right by margin at each of the odds. */
function shareHeld(margins, odds, images) {
  const found = new Float64Array(odds.length);
  for (let i = 0; i < odds.length; i++) found[i] = (margins.length - searchSorted(margins, leastKept(odds[i]))) / images;
  return found;
}

/** The odds in ascending order, and at which place of these each one is. */
function inOrder(odds) {
  const order = Int32Array.from(odds.keys()).sort((i, j) => odds[i] - odds[j]);
  return [Float64Array.from(order, (i) => odds[i]), order];
}

function shares(begun, order, n) {
  const found = new Float64Array(order.length);
  let inside = 0;
  for (let i = 0; i < order.length; i++) {
    inside += begun[i];
    found[order[i]] = inside / n;
  }
  return found;
}

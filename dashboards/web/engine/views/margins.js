// Margin histograms and medians (Table 6, Fig. 6 and 7), as `mnuts_core.views.margins` and `.comparison`.

import { transformKey } from "../params.js";
import { median, middleOf } from "../statistics.js";
import { basePoints, ofTransform } from "./own_points.js";

export const BINS = 25;
const QUARTERS = ["1", "1.7782794100389228", "3.1622776601683795", "5.623413251903491"];
/** Four bins a decade from 1e-6 to 1, the very numbers of Python's. */
const LOG_EDGES = Float64Array.from([...[-6, -5, -4, -3, -2, -1].flatMap((power) => QUARTERS.map((digits) => Number(`${digits}e${power}`))), 1]);
const EDGES = Float64Array.from({ length: BINS + 1 }, (_, i) => i * (1 / BINS));

/**
 * @typedef {object} Histogram Margins of one classifier on one part of the bundle, split by correctness.
 * @property {Float64Array} edges Shape (BINS + 1,).
 * @property {Int32Array} right Count of right predictions in each bin.
 * @property {Int32Array} wrong
 * @property {number} median_right NaN if there are none.
 * @property {number} median_wrong
 * @property {Float64Array} log_edges Of bins even in the logarithm; the first one holds all below it, too.
 * @property {Int32Array} log_right
 * @property {Int32Array} log_wrong
 */

/** Margins of g, h and LN∘h (k = 250), which move with no slider. */
export function baseHistograms(engine) {
  return engine.fixedMemo.get("histograms", () => mapped(basePoints(engine), (own) => splitHistograms(engine, own)));
}

/** Margins of M(h) under the current transform; of an attacked image at its point of least margin. */
export function mixHistograms(engine, { params, part, on_images }) {
  return engine.shapeMemo.get(`histograms ${transformKey(params)}`, () => {
    const clean = histogram(part.margin.subarray(0, engine.nClean), part.right.subarray(0, engine.nClean));
    return withGap(clean, on_images && histogram(on_images.margin, on_images.right));
  });
}

/** Margins of a classifier on the clean rows and at its own points, as two histograms. */
function splitHistograms(engine, { margin, right, attacked_itself }) {
  const [clean, attacked] = parts(engine).map(([start, end]) => histogram(margin.subarray(start, end), right.subarray(start, end)));
  return { ...withGap(clean, attacked ?? null), attacked_itself };
}

function withGap(clean, attacked) {
  return { clean, attacked, attacked_itself: true, gap: attacked ? attacked.median_right - clean.median_wrong : NaN };
}

function histogram(margin, right) {
  const counts = [new Int32Array(BINS), new Int32Array(BINS)];
  const logs = [new Int32Array(LOG_EDGES.length - 1), new Int32Array(LOG_EDGES.length - 1)];
  for (let r = 0; r < margin.length; r++) {
    counts[right[r] ? 1 : 0][Math.min(Math.trunc(margin[r] * BINS), BINS - 1)]++;
    logs[right[r] ? 1 : 0][logBin(margin[r])]++;
  }
  const [rightOnes, wrongOnes] = split(margin, right).map((values) => middleOf(values.sort()));
  const linear = { edges: EDGES, right: counts[1], wrong: counts[0], median_right: rightOnes, median_wrong: wrongOnes };
  return { ...linear, log_edges: LOG_EDGES, log_right: logs[1], log_wrong: logs[0] };
}

/** The last bin that begins at a margin or below it. */
export function logBin(margin) {
  const last = LOG_EDGES.length - 2;
  let bin = margin > LOG_EDGES[0] ? Math.min(last, Math.floor(4 * (Math.log10(margin) + 6))) : 0;
  while (bin > 0 && margin < LOG_EDGES[bin]) bin--;
  while (bin < last && margin >= LOG_EDGES[bin + 1]) bin++;
  return bin;
}

/** Median margins of g, h, LN∘h and M(h), each where it is right and where it is wrong. */
export function marginMedians(engine, params = null) {
  const fixed = engine.fixedMemo.get("medians", () => mapped(basePoints(engine), (own) => medians(engine, own)));
  if (!params) return fixed;
  const own = () => medians(engine, ofTransform(engine, params));
  return { ...fixed, "M(h)": engine.shapeMemo.get(`medians ${transformKey(params)}`, own) };
}

function medians(engine, { margin, right, attacked_itself }) {
  const [clean, attacked] = parts(engine).map(([start, end]) => split(margin.subarray(start, end), right.subarray(start, end)).map(median));
  const [clean_right, clean_wrong] = clean;
  const [attacked_right, attacked_wrong] = attacked ?? [null, null];
  const gap = attacked ? attacked_right.value - clean_wrong.value : NaN;
  return { clean_right, clean_wrong, attacked_right, attacked_wrong, attacked_itself, gap };
}

/** Where the clean rows and the attacked images stand. */
function parts({ nClean, nAttacked }) {
  return nAttacked ? [[0, nClean], [nClean, nClean + nAttacked]] : [[0, nClean]];
}

/** The margins of right and of wrong predictions. */
function split(margin, right) {
  return [margin.filter((_, r) => right[r]), margin.filter((_, r) => !right[r])];
}

function mapped(record, one) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, one(value)]));
}

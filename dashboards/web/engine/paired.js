// Two classifiers on the same images, as in `mnuts_core.functional.paired`.

import { Z95, binomialHalf, estimate, missing, share } from "./statistics.js";

const HALVINGS = 64;

/**
 * @typedef {object} Paired How two classifiers do on the same images.
 * @property {number} both Images that both get right.
 * @property {number} only_first
 * @property {number} only_second
 * @property {number} neither
 * @property {number} n
 * @property {import("./statistics.js").Estimate} difference The first's accuracy minus the second's.
 * @property {boolean} clear Whether the difference stands out of the noise: its interval leaves out 0.
 * @property {number} p_value Of McNemar's exact test.
 */

/**
 * The table of two classifiers.
 * @param {ArrayLike<number|boolean>} first Whether the first is right, for each image.
 * @param {ArrayLike<number|boolean>} second Whether the second is, on the same images.
 * @returns {Paired}
 */
export function paired(first, second) {
  const n = first.length;
  let [both, onlyFirst, onlySecond] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    if (first[i] && second[i]) both++;
    else if (first[i]) onlyFirst++;
    else if (second[i]) onlySecond++;
  }
  return {
    both,
    only_first: onlyFirst,
    only_second: onlySecond,
    neither: n - both - onlyFirst - onlySecond,
    n,
    difference: n ? pairedDifference(onlyFirst, onlySecond, n) : missing(0, "difference"),
    clear: isClear(onlyFirst, onlySecond),
    p_value: mcnemar(onlyFirst, onlySecond),
  };
}

/**
 * How many more of the same n examples one classifier gets right, with Tango's score interval (1998).
 * @param {number} better Examples that only the one gets right.
 * @param {number} worse Examples that only the other gets right.
 */
export function pairedDifference(better, worse, n) {
  return estimate((better - worse) / n, -upperEnd(worse, better, n), upperEnd(better, worse, n), n, "difference");
}

/** McNemar's test at 95 %: whether the Wilson interval of the share of better ones leaves out a half. */
function isClear(better, worse) {
  const { low, high } = share(better, better + worse);
  return low > 0.5 || high < 0.5;
}

function upperEnd(better, worse, n) {
  let inside = (better - worse) / n;
  let outside = 1;
  for (let i = 0; i < HALVINGS; i++) {
    const delta = (inside + outside) / 2;
    const spread = 2 * likeliest(better, worse, n, delta) + delta * (1 - delta);
    if ((better - worse - n * delta) ** 2 <= Z95 ** 2 * n * spread) inside = delta;
    else outside = delta;
  }
  return inside;
}

/** The share of examples that only the other gets right, of most likelihood if the difference is delta. */
function likeliest(better, worse, n, delta) {
  const b = (2 * n - better + worse) * delta - better - worse;
  const c = -worse * delta * (1 - delta);
  const root = Math.sqrt(Math.max(0, b * b - 8 * n * c));
  return b > 0 ? (-2 * c) / (root + b) : (root - b) / (4 * n);
}

/** The two-sided p of McNemar's exact test (1947). */
export function mcnemar(better, worse) {
  return Math.min(1, 2 * binomialHalf(Math.min(better, worse), better + worse));
}

// How far a mix is certified, from what is certified of h alone, as in `mnuts_core.functional.certified`: where h's probability
// of the label exceeds all others by more than (1-α)/α, no g can outvote it.

import { CLAMP_RECORDS } from "./clamps.js";
import { erfc } from "./erfc.js";
import { softmax } from "./mixing.js";
import { VARIANCE_FLOOR, signedPower } from "./transform.js";

export const SLACK = 1e-12; // the margin must exceed (1-α)/α by so much: ties go to g
export const SHORTENED = 1 - 1e-9; // radii are shortened by more than rounding adds up to
const HALVINGS = 64; // after which Φ⁻¹ is as exact as float64 tells

/** The margin of h from which on no g can outvote it. */
export function certifyingMargin(alpha) {
  return (1 - alpha) / alpha + SLACK;
}

/**
 * By how much smoothing's radii fall short for the mix: σΦ⁻¹(1/(2α)); ∞ where nothing is certified.
 * @param {number} sigma Standard deviation of the noise.
 * @param {number} alpha In [1/2, 1].
 */
export function lostBySmoothing(sigma, alpha) {
  const needed = (1 + certifyingMargin(alpha)) / 2; // 1/(2α), which h_y must exceed
  if (needed >= 1) return Infinity;
  let [low, high] = [0, 40];
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    if (0.5 * erfc(middle * Math.SQRT1_2) > 1 - needed) low = middle;
    else high = middle;
  }
  return sigma * high;
}

/**
 * By how much h's probability of a class exceeds all others.
 * @param {ArrayLike<number>} logits h at an image, shape (K,).
 * @param {number} label The class that is to be kept.
 */
export function probabilityMargin(logits, label) {
  const probabilities = softmax(logits);
  return probabilities[label] - largestOther(probabilities, label);
}

/**
 * Within which radius a mix is certified where each probability of h is L-Lipschitz: (margin - (1-α)/α) / 2L.
 * @param {number} margin See `probabilityMargin`.
 * @param {number} constant L.
 * @param {number} alpha In [1/2, 1].
 */
export function probabilityRadius(margin, constant, alpha) {
  return Math.max(0, ((margin - certifyingMargin(alpha)) / (2 * constant)) * SHORTENED);
}

/**
 * All that `logitRadius` needs of an image.
 * @param {ArrayLike<number>} logits h at it, shape (K,).
 * @param {number} label The class that is to be kept.
 * @returns {{most: number, lead: number, others: number}} The largest other logit; by how much the label's exceeds it; the
 *   sum of the others' exponentials, each relative to the largest.
 */
export function leadOf(logits, label) {
  const most = largestOther(logits, label);
  let others = 0;
  for (let i = 0; i < logits.length; i++) if (i !== label) others += Math.exp(logits[i] - most);
  return { most, lead: logits[label] - most, others };
}

/**
 * Within which radius a mix is certified where differences of h's logits are D-Lipschitz, in closed form.
 * @param {{lead: number, others: number}} image See `leadOf`.
 * @param {number} growth D.
 * @param {number} alpha In [1/2, 1].
 */
export function logitRadius({ lead, others }, growth, alpha) {
  const tau = certifyingMargin(alpha);
  if (tau >= 1) return 0;
  return Math.max(0, ((lead + Math.log1p(-tau) - Math.log1p(tau * others)) / growth) * SHORTENED);
}

/**
 * A mix with a transform, where differences of h's logits are D-Lipschitz: intervals go through layer norm, clamp and power.
 * @param {import("./params.js").MixParams} params With α and a layer norm.
 * @param {number} classes K.
 * @returns {(logits: ArrayLike<number>, label: number, known: {moments: [number, number], most: number}, moved: number) => boolean}
 *   Whether no g can outvote M(h)'s label where each logit may move by `moved`; `moments`: mean and variance of the
 *   largest logits; `most`: the largest but for the label's.
 */
export function keptThroughTransform(params, classes) {
  const { s, p, c, clamp, ln_k, alpha } = params;
  const tau = certifyingMargin(alpha);
  const { all, apply, leastAt } = CLAMP_RECORDS[clamp];
  const [high, upper] = [new Float64Array(classes), new Float64Array(classes)];
  const least = leastAt === null ? -Infinity : apply(leastAt);
  const k = Math.min(ln_k, classes);
  return (logits, label, { moments: [mean, variance], most: largest }, moved) => {
    const spread = Math.sqrt(variance);
    const more = moved * Math.sqrt(k / (k - 1));
    const narrow = Math.sqrt(Math.max(0, spread - more) ** 2 + VARIANCE_FLOOR);
    const wide = Math.sqrt((spread + more) ** 2 + VARIANCE_FLOOR);
    const lowest = (logit) => {
      const below = logit - mean - 2 * moved;
      return below / (below >= 0 ? wide : narrow) + c;
    };
    const highest = (logit) => {
      const above = logit - mean + 2 * moved;
      return above / (above >= 0 ? narrow : wide) + c;
    };
    const [from, to] = [lowest(logits[label]), highest(logits[label])];
    const own = s * signedPower(inside(from, to, leastAt) ? least : Math.min(apply(from), apply(to)), p);
    const rival = apply(highest(largest));
    if (rival >= 0) {
      // no other comes out above it: most images are settled by bounds of the sum, and need no pass over all classes
      const ahead = s * signedPower(rival, p) - own;
      const leads = (sum) => ahead < 0 && -Math.expm1(ahead) / (1 + sum) > tau;
      if (!leads(Math.exp(ahead))) return false;
      if (leads((classes - 1) * Math.exp(ahead))) return true;
    }
    for (let i = 0; i < classes; i++) high[i] = highest(logits[i]);
    all(high, upper, classes);
    let [most, sum] = [-Infinity, 0];
    for (let i = 0; i < classes; i++) {
      if (i === label) continue;
      const falls = leastAt !== null && upper[i] < 0; // a clamp that falls first does so below 0
      const ahead = s * signedPower(falls ? Math.max(apply(lowest(logits[i])), upper[i]) : upper[i], p) - own;
      if (!(ahead < 0)) return false;
      most = Math.max(most, ahead);
      sum += Math.exp(ahead);
    }
    return -Math.expm1(most) / (1 + sum) > tau;
  };
}

function inside(low, high, leastAt) {
  return leastAt !== null && low <= leastAt && high >= leastAt;
}

function largestOther(numbers, label) {
  let most = -Infinity;
  for (let i = 0; i < numbers.length; i++) if (i !== label && numbers[i] > most) most = numbers[i];
  return most;
}

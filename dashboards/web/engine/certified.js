// How far a mix is certified, from what is certified of h alone, as in `mnuts_core.functional.certified`: where h's probability
// of the label exceeds all others by more than (1-α)/α, no g can outvote it.

import { CLAMP_RECORDS } from "./clamps.js";
import { erfc } from "./erfc.js";
import { argMax, softmax } from "./mixing.js";
import { VARIANCE_FLOOR, momentsOfTop, signedPower } from "./transform.js";

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
 * Within which radius a mix is certified where each probability of h is L-Lipschitz: (margin - (1-α)/α) / 2L.
 * @param {ArrayLike<number>} logits h at an image, shape (K,).
 * @param {number} label The class that is to be kept.
 * @param {number} constant L.
 * @param {number} alpha In [1/2, 1].
 */
export function probabilityRadius(logits, label, constant, alpha) {
  const probabilities = softmax(logits);
  const margin = probabilities[label] - largestOther(probabilities, label);
  return Math.max(0, ((margin - certifyingMargin(alpha)) / (2 * constant)) * SHORTENED);
}

/**
 * Within which radius a mix is certified where differences of h's logits are D-Lipschitz, in closed form.
 * @param {ArrayLike<number>} logits h at an image, shape (K,).
 * @param {number} label The class that is to be kept.
 * @param {number} growth D.
 * @param {number} alpha In [1/2, 1].
 */
export function logitRadius(logits, label, growth, alpha) {
  const tau = certifyingMargin(alpha);
  if (tau >= 1) return 0;
  const most = largestOther(logits, label);
  let others = 0;
  for (let i = 0; i < logits.length; i++) if (i !== label) others += Math.exp(logits[i] - most);
  const rest = most + Math.log1p(tau * others);
  return Math.max(0, ((logits[label] + Math.log1p(-tau) - rest) / growth) * SHORTENED);
}

/**
 * A mix with a transform, where differences of h's logits are D-Lipschitz: intervals go through layer norm, clamp and power.
 * @param {import("./params.js").MixParams} params With α and a layer norm.
 * @param {number} classes K.
 * @returns {(logits: ArrayLike<number>, label: number, moved: number) => boolean} Whether no g can outvote M(h)'s label
 *   where each logit may move by `moved`.
 */
export function keptThroughTransform(params, classes) {
  const { s, p, c, clamp, ln_k, alpha } = params;
  const tau = certifyingMargin(alpha);
  const { all, leastAt } = CLAMP_RECORDS[clamp];
  const [low, high, lower, upper] = Array.from({ length: 4 }, () => new Float64Array(classes));
  const least = leastAt === null ? -Infinity : CLAMP_RECORDS[clamp].apply(leastAt);
  const k = Math.min(ln_k, classes);
  return (logits, label, moved) => {
    const [mean, variance] = momentsOfTop(Float64Array.from(logits).sort().reverse(), k);
    const spread = Math.sqrt(variance);
    const more = moved * Math.sqrt(k / (k - 1));
    const narrow = Math.sqrt(Math.max(0, spread - more) ** 2 + VARIANCE_FLOOR);
    const wide = Math.sqrt((spread + more) ** 2 + VARIANCE_FLOOR);
    for (let i = 0; i < classes; i++) {
      const [below, above] = [logits[i] - mean - 2 * moved, logits[i] - mean + 2 * moved];
      low[i] = below / (below >= 0 ? wide : narrow) + c;
      high[i] = above / (above >= 0 ? narrow : wide) + c;
    }
    all(low, lower, classes);
    all(high, upper, classes);
    const own = s * signedPower(inside(low[label], high[label], leastAt) ? least : Math.min(lower[label], upper[label]), p);
    let [most, sum] = [-Infinity, 0];
    for (let i = 0; i < classes; i++) {
      if (i === label) continue;
      const ahead = s * signedPower(Math.max(lower[i], upper[i]), p) - own;
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

/** Whether h's own class is the label: what its certified radii are of. */
export function isRight(logits, label) {
  return argMax(logits) === label;
}

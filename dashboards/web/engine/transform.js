// The nonlinear logit transform: layer norm, clamp, power, scale (Eq. 4), as in `mnuts_core.functional.transform`.

import { CLAMP_RECORDS } from "./clamps.js";

export const VARIANCE_FLOOR = 1e-8; // added to the variance under the root
export const LARGEST_LOGIT = 1e15; // logits are clipped here before the layer norm

/** A logit as the layer norm takes it. */
export function clipped(logit) {
  return Math.min(LARGEST_LOGIT, Math.max(-LARGEST_LOGIT, logit));
}

/**
 * Mean and variance of a row's k largest logits (D.7).
 * @param {Float64Array} row Logits from the largest to the smallest.
 * @param {number} k How many count; all, if there are no more.
 * @returns {[number, number]}
 */
export function momentsOfTop(row, k) {
  const n = Math.min(k, row.length);
  let mean = 0;
  for (let i = 0; i < n; i++) mean += row[i];
  mean /= n;
  let variance = 0;
  for (let i = 0; i < n; i++) variance += (row[i] - mean) ** 2;
  return [mean, variance / (n - 1)];
}

/**
 * Mean and 1/standard deviation of a row's k largest logits, as the layer norm takes them.
 * @param {Float64Array} row Logits from the largest to the smallest, clipped.
 * @param {number} k How many count; all, if there are no more.
 * @returns {[number, number]}
 */
export function statisticsOfTop(row, k) {
  const [mean, variance] = momentsOfTop(row, k);
  return [mean, 1 / Math.sqrt(variance + VARIANCE_FLOOR)];
}

/**
 * Layer norm of one example's logits, in their order.
 * @param {ArrayLike<number>} logits Shape (K,).
 * @param {number} k Statistics over the k largest; 0: no layer norm.
 */
export function layerNorm(logits, k) {
  const raw = Float64Array.from(logits, clipped);
  if (k === 0) return raw;
  const [mean, scale] = statisticsOfTop(raw.slice().sort().reverse(), k);
  return raw.map((x) => (x - mean) * scale);
}

/** `|v|^p · sgn(v)`. */
export function signedPower(v, p) {
  if (p === 1) return v;
  const power = Math.exp(p * Math.log(Math.abs(v)));
  return v < 0 ? -power : power;
}

/** The same of the first n numbers of an array; in a loop of its own, since a call for each would put it on the heap. */
export function signedPowers(v, p, out, n) {
  for (let i = 0; i < n; i++) {
    const power = p === 1 ? Math.abs(v[i]) : Math.exp(p * Math.log(Math.abs(v[i])));
    out[i] = v[i] < 0 ? -power : power;
  }
}

/**
 * M(s, p, c) of one example, stage by stage.
 * @param {ArrayLike<number>} logits Raw logits, shape (K,).
 * @param {import("./params.js").MixParams} params
 * @returns {{ln: Float64Array, clamped: Float64Array, powered: Float64Array}} LN(h), its clamp, and the transformed
 *   logits.
 */
export function transformStages(logits, { s, p, c, clamp, ln_k }) {
  const { apply } = CLAMP_RECORDS[clamp];
  const ln = layerNorm(logits, ln_k);
  const clamped = ln.map((z) => apply(z + c));
  return { ln, clamped, powered: clamped.map((v) => s * signedPower(v, p)) };
}

/**
 * M(s, p, c) of one example.
 * @param {ArrayLike<number>} logits Raw logits, shape (K,).
 * @param {import("./params.js").MixParams} params
 * @returns {Float64Array} Transformed logits.
 */
export function transformLogits(logits, params) {
  return transformStages(logits, params).powered;
}

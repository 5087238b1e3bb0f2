// Trajectories on the probability simplex (Fig. 4), as in `mnuts_core.functional.simplex`.

import { softmax } from "./mixing.js";
import { LN_ONLY } from "./params.js";
import { sortRows } from "./sorting.js";
import { transformLogits } from "./transform.js";

const HEIGHT = Math.sqrt(0.75);

/** The two logit vectors of Fig. 3 and 4. */
export const PAPER_CASES = {
  "Case 1: large margin": [1, -1.1, -1],
  "Case 2: small margin": [-1, 1.1, 1],
};

/** A transform under which both have the margins printed in Fig. 3, as `mnuts_core.params`. */
export const FIG3_MIX = { ...LN_ONLY, s: 42, p: 4.5, c: -0.4, clamp: "gelu" };

/** n temperatures from high to low, even in their logarithm. */
export function tauGrid(n = 121, low = 1e-3, high = 1e2) {
  const [start, end] = [Math.log10(high), Math.log10(low)];
  return Float64Array.from({ length: n }, (_, i) => 10 ** (start + (i * (end - start)) / (n - 1)));
}

/** The classes with the largest logits, the largest first. */
export function topClasses(logits, n = 3) {
  return Array.from(sortRows(Float64Array.from(logits), logits.length).order.subarray(0, n));
}

/**
 * The path of `σ(h/τ)`, or of `σ(M(h)/τ)` with parameters.
 * @param {ArrayLike<number>} logits Raw logits of one example, K ≥ 3; of more the three largest are shown.
 * @param {import("./params.js").MixParams|null} params The transform; null leaves the logits raw.
 * @param {Float64Array} tau Temperatures.
 * @returns {{tau: Float64Array, probabilities: Float64Array, xy: Float64Array}} Row by row, shapes (n, 3), (n, 2).
 */
export function trajectory(logits, params = null, tau = tauGrid()) {
  const shown = logits.length === 3 ? [0, 1, 2] : topClasses(logits);
  const mapped = params ? transformLogits(logits, params) : Float64Array.from(logits);
  const probabilities = new Float64Array(3 * tau.length);
  const xy = new Float64Array(2 * tau.length);
  tau.forEach((t, i) => {
    const p = softmax(shown.map((k) => mapped[k] / t), probabilities.subarray(3 * i, 3 * i + 3));
    xy[2 * i] = p[1] + 0.5 * p[2];
    xy[2 * i + 1] = HEIGHT * p[2];
  });
  return { tau, probabilities, xy };
}

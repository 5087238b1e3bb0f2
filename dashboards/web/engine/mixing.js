// Mixing two classifiers' probabilities (Eq. 1 and 5), as in `mnuts_core.functional.mixing`.

import { TIE } from "./quantiles.js";

/** The place of the first of the largest numbers. */
export function argMax(values) {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

/**
 * Probabilities `σ(logits)`.
 * @param {ArrayLike<number>} logits Shape (K,).
 * @param {Float64Array} out Where they go.
 */
export function softmax(logits, out = new Float64Array(logits.length)) {
  let largest = -Infinity;
  for (let i = 0; i < logits.length; i++) if (logits[i] > largest) largest = logits[i];
  let total = 0;
  for (let i = 0; i < logits.length; i++) total += out[i] = Math.exp(logits[i] - largest);
  for (let i = 0; i < logits.length; i++) out[i] /= total;
  return out;
}

/**
 * `σ(g/T)`; for T = 0 the one-hot of the arg max.
 * @param {ArrayLike<number>} logits Raw logits of the standard model, shape (K,).
 * @param {number} temperature T ≥ 0.
 */
export function temperatureSoftmax(logits, temperature, out = new Float64Array(logits.length)) {
  if (temperature === 0) {
    out.fill(0);
    out[argMax(logits)] = 1;
    return out;
  }
  for (let i = 0; i < logits.length; i++) out[i] = logits[i] / temperature;
  return softmax(out, out);
}

/**
 * The convex combination `(1-α)·p_std + α·p_rob` inside the logarithm of Eq. 1.
 * @param {Float64Array} std Probabilities of the standard model, shape (K,).
 * @param {Float64Array} rob Those of the (transformed) robust model.
 * @param {number} alpha In [1/2, 1].
 */
export function mixProbabilities(std, rob, alpha) {
  return rob.map((p, k) => (1 - alpha) * std[k] + alpha * p);
}

/**
 * The class that a mix predicts; ties go to g.
 * @param {Float64Array} probabilities Those of the mix, shape (K,).
 * @param {number} stdClass The class that g predicts.
 */
export function predictedClass(probabilities, stdClass) {
  const first = argMax(probabilities);
  return probabilities[first] - probabilities[stdClass] <= TIE ? stdClass : first;
}

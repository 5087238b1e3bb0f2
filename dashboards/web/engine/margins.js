// Confidence margins (Definition 2.1), as in `mnuts_core.functional.margins`.

/**
 * `σ(h)₁ - σ(h)₂` of one example, where nothing cancels.
 * @param {ArrayLike<number>} logits Shape (K,), K ≥ 2.
 */
export function confidenceMargin(logits) {
  let first = -Infinity;
  let second = -Infinity;
  for (let i = 0; i < logits.length; i++) {
    const h = logits[i];
    if (h > first) [first, second] = [h, first];
    else if (h > second) second = h;
  }
  let total = 0;
  for (let i = 0; i < logits.length; i++) total += Math.exp(logits[i] - first);
  return -Math.expm1(second - first) / total;
}

/**
 * Confidence margins of many examples.
 * @param {Float32Array|Float64Array} logits Row by row.
 * @param {number} classes K.
 * @returns {Float64Array} Shape (R,).
 */
export function confidenceMargins(logits, classes) {
  const margins = new Float64Array(logits.length / classes);
  for (let r = 0; r < margins.length; r++) margins[r] = confidenceMargin(logits.subarray(r * classes, (r + 1) * classes));
  return margins;
}

/**
 * Signed margins `σ(h)_y - max_{i≠y} σ(h)_i` of many examples.
 * @param {Float32Array|Float64Array} logits Row by row.
 * @param {Int32Array} labels True classes y.
 * @param {number} classes K.
 * @returns {Float64Array} Shape (R,), in [-1, 1].
 */
export function signedMargins(logits, labels, classes) {
  return Float64Array.from(labels, (label, r) => signedMargin(logits.subarray(r * classes, (r + 1) * classes), label));
}

function signedMargin(logits, label) {
  let rival = -Infinity;
  for (let i = 0; i < logits.length; i++) if (i !== label && logits[i] > rival) rival = logits[i];
  const first = Math.max(rival, logits[label]);
  let total = 0;
  for (let i = 0; i < logits.length; i++) total += Math.exp(logits[i] - first);
  const gap = -Math.expm1(-Math.abs(logits[label] - rival)) / total;
  return logits[label] < rival ? -gap : gap;
}

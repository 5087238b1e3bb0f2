// The transform of one logit, and where a bundle's logits lie under it, as `mnuts_core.views.transform`.

import { CLAMP_RECORDS } from "../clamps.js";
import { quantile } from "../quantiles.js";
import { signedPower } from "../transform.js";

/**
 * Densities of the clean images' layer-normed logits: the largest, and all others.
 * @param {import("../engine.js").RemixEngine} engine
 * @param {number} lnK Layer norm over the lnK largest logits; 0: raw logits.
 * @param {number} n Points of the grid.
 * @returns {{z: Float64Array, top: Float64Array, rest: Float64Array}}
 */
export function logitDensity(engine, lnK, n = 121) {
  const { classes, nClean } = engine;
  const normed = engine.rows.stages.normed(lnK).subarray(0, nClean * classes);
  const last = Float64Array.from({ length: nClean }, (_, r) => normed[(r + 1) * classes - 1]).sort();
  const low = Math.floor(2 * quantile(last, 0.01)) / 2;
  let high = low + 0.5; // two classes that tie are both 0
  for (let r = 0; r < nClean; r++) high = Math.max(high, Math.ceil(2 * normed[r * classes]) / 2);
  const z = evenly(low, high, n);
  const width = z[1] - z[0];
  const edges = Float64Array.from({ length: n + 1 }, (_, i) => (i < n ? z[i] - width / 2 : z[n - 1] + width / 2));
  const counts = [new Float64Array(n), new Float64Array(n)];
  for (let i = 0; i < normed.length; i++) {
    const bin = binOf(normed[i], edges, width);
    if (bin >= 0) counts[i % classes ? 1 : 0][bin]++;
  }
  const [top, rest] = counts.map((of, k) => of.map((x) => x / (k ? nClean * (classes - 1) : nClean) / width));
  return { z, top, rest };
}

/** M over the range of logits that the bundle has; these are normed already. */
export function transformCurve({ z, top, rest }, { s, p, c, clamp }) {
  const { apply } = CLAMP_RECORDS[clamp];
  return { z, m: z.map((x) => s * signedPower(apply(x + c), p)), top, rest };
}

/** n numbers from low to high. */
function evenly(low, high, n) {
  const step = (high - low) / (n - 1);
  return Float64Array.from({ length: n }, (_, i) => (i === n - 1 ? high : i * step + low));
}

/** The bin [edge, next edge) that a value falls in, the last one closed; -1 if none. */
function binOf(value, edges, width) {
  const bins = edges.length - 1;
  if (!(value >= edges[0] && value <= edges[bins])) return -1;
  let bin = Math.min(bins - 1, Math.floor((value - edges[0]) / width));
  while (bin > 0 && value < edges[bin]) bin--;
  while (bin < bins - 1 && value >= edges[bin + 1]) bin++;
  return bin;
}

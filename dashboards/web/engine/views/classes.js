// Results by class: on which classes the mix gains or loses, and what it takes them for,
// as `mnuts_core.views.classes`.

import { partOf } from "./examples.js";

/**
 * How many images of each class are right, by true class.
 * @param {import("../engine.js").RemixEngine} engine
 * @param {import("../engine.js").Remix} remix
 * @param {"clean"|"attacked"} where
 * @returns {{n: Int32Array, std: Int32Array, rob: Int32Array, mix: Int32Array}} Shape (K,) each.
 */
export function classResults(engine, remix, where = "clean") {
  const [start, length] = partOf(engine, where);
  const { labels, stdRight, plainRight } = engine.rows;
  const found = Object.fromEntries(["n", "std", "rob", "mix"].map((name) => [name, new Int32Array(engine.classes)]));
  for (let r = start; r < start + length; r++) {
    const y = labels[r];
    found.n[y]++;
    if (stdRight[r]) found.std[y]++;
    if (plainRight[r]) found.rob[y]++;
    if (remix.part.mix_right[r]) found.mix[y]++;
  }
  return found;
}

/** How often the mix takes one class (row) for another (column): Int32Array, row by row, shape (K, K). */
export function confusion(engine, remix, where = "clean") {
  const [start, length] = partOf(engine, where);
  const counts = new Int32Array(engine.classes ** 2);
  for (let r = start; r < start + length; r++) counts[engine.rows.labels[r] * engine.classes + remix.part.mix_class[r]]++;
  return counts;
}

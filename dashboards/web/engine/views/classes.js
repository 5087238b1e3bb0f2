// Results by class: on which classes the mix gains or loses, and what it takes them for,
// as `mnuts_core.views.classes`.

/**
 * How many images of each class are right, by true class; attacked ones at all of their points.
 * @param {import("../engine.js").RemixEngine} engine
 * @param {import("../engine.js").Remix} remix
 * @param {"clean"|"attacked"} where
 * @returns {{n: Int32Array, std: Int32Array|null, rob: Int32Array, mix: Int32Array}} Shape (K,) each; `std` is null
 *   for attacked images where no attack on g is among their points.
 */
export function classResults(engine, remix, where = "clean") {
  const { labels, std, rob, mix } = partOf(engine, remix, where);
  const byClass = (right) => {
    const found = new Int32Array(engine.classes);
    for (let i = 0; i < labels.length; i++) if (right[i]) found[labels[i]]++;
    return found;
  };
  return { n: byClass(labels.map(() => 1)), std: std && byClass(std), rob: byClass(rob), mix: byClass(mix) };
}

/**
 * How often the mix takes one class (row) for another (column): Int32Array, row by row, shape (K, K); attacked images
 * where it is wrong, if it is so at any of their points.
 */
export function confusion(engine, remix, where = "clean") {
  const { labels, mixClass } = partOf(engine, remix, where);
  const counts = new Int32Array(engine.classes ** 2);
  for (let i = 0; i < labels.length; i++) counts[labels[i] * engine.classes + mixClass[i]]++;
  return counts;
}

/** The images of a part: their classes, and which of them each classifier gets right. */
function partOf(engine, { part, on_images }, where) {
  const { rows, pool, nClean, bundle } = engine;
  if (where === "clean") {
    const clean = (column) => column.subarray(0, nClean);
    return {
      labels: clean(rows.labels),
      std: clean(rows.stdRight),
      rob: clean(rows.plainRight),
      mix: clean(part.mix_right),
      mixClass: clean(part.mix_class),
    };
  }
  return {
    labels: pool.index.subarray(0, pool.images).map((row) => rows.labels[row]),
    std: bundle.std_attacked ? pool.allRight(rows.stdRight) : null,
    rob: engine.robRightOnImages,
    mix: on_images.mix_right,
    mixClass: on_images.mix_class,
  };
}

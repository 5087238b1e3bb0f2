// Pools on equal terms: a bundle with the points of some kinds of sources alone, as `mnuts_core.views.equal_terms`.

/** @typedef {"first"|"mixes"|"g"|"others"} Kind What a source attacked; `first` found each image's first point. */

/**
 * The kinds of sources that all bundles with an attacked part have; `first` always is one.
 *
 * @param {Kind[][]} kinds Of each bundle those of its sources; none without an attacked part.
 * @returns {Set<Kind>}
 */
export function sharedKinds(kinds) {
  const [first, ...others] = kinds.filter((own) => own.length);
  return new Set(["first", ...(first ?? []).filter((kind) => others.every((own) => own.includes(kind)))]);
}

/**
 * A bundle with the points of some kinds of sources alone; each image keeps its first point.
 *
 * @param {import("./engine.js").Bundle} bundle
 * @param {Kind[]} kinds Of its sources.
 * @param {Set<Kind>} kept
 * @returns {import("./engine.js").Bundle}
 */
export function withKinds(bundle, kinds, kept) {
  const stays = kinds.map((kind) => kind === "first" || kept.has(kind));
  const { attacked } = bundle;
  if (!attacked || stays.every(Boolean)) return bundle;
  const places = [...attacked.source.keys()].filter((point) => stays[attacked.source[point]]);
  const numbers = stays.map((_, at) => stays.slice(0, at).filter(Boolean).length);
  const at = (values) => values.constructor.from(places, (point) => values[point]);
  const rows = (logits) => rowsOf(logits, places, bundle.classes.length);
  return {
    ...bundle,
    attacked: {
      ...attacked,
      index: at(attacked.index),
      source: at(attacked.source).map((source) => numbers[source]),
      sources: attacked.sources.filter((_, source) => stays[source]),
      std: rows(attacked.std),
      rob: rows(attacked.rob),
    },
    optimistic: bundle.optimistic || !kept.has("mixes"),
    std_attacked: bundle.std_attacked && kept.has("g"),
  };
}

/** Some rows of a table. */
function rowsOf(values, rows, width) {
  const found = new values.constructor(rows.length * width);
  rows.forEach((row, i) => found.set(values.subarray(row * width, (row + 1) * width), i * width));
  return found;
}

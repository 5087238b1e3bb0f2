// At which attacked point of an image a classifier's margin stands: at its own point of least signed margin,
// as `mnuts_core.views.own_points`.

import { confidenceMargins, signedMargins } from "../margins.js";
import { LN_ONLY } from "../params.js";

/**
 * @typedef {object} OwnPoints A classifier on the clean rows, and then on the attacked images at its own points.
 * @property {Float64Array} margin Confidence margins, shape (N + m,).
 * @property {Uint8Array} right Whether it predicts the label.
 * @property {boolean} attacked_itself Whether the points are its own; g without an attack on it stands at the first ones.
 */

/**
 * g, h and LN∘h by name.
 * @param {import("../engine.js").RemixEngine} engine
 * @returns {Record<string, OwnPoints>}
 */
export function basePoints(engine) {
  const { rows, classes, bundle } = engine;
  const signed = (logits) => signedMargins(logits, rows.labels, classes);
  return {
    g: atOwn(engine, confidenceMargins(rows.std, classes), rows.stdRight, bundle.std_attacked ? signed(rows.std) : null),
    h: atOwn(engine, confidenceMargins(rows.rob, classes), rows.plainRight, signed(rows.rob)),
    "LN h": ofTransform(engine, LN_ONLY),
  };
}

/** M(h). */
export function ofTransform(engine, params) {
  const { margin, right, signed } = engine.rows.transformed(params);
  return atOwn(engine, margin, right, signed);
}

/** Of all rows the clean ones, and for each attacked image one; without signed margins the first. */
function atOwn({ nClean, nAttacked, pool }, margin, right, signed) {
  const rows = Int32Array.from({ length: nClean + nAttacked }, (_, row) => row);
  if (pool && signed) rows.set(pool.worstRows(signed, right), nClean);
  const at = (values) => values.constructor.from(rows, (row) => values[row]);
  return { margin: at(margin), right: at(right), attacked_itself: signed !== null };
}

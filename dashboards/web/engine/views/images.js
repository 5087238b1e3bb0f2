// The images one by one: margins, classes, who is right, as `mnuts_core.views.images`.

import { basePoints } from "./own_points.js";

/**
 * @typedef {object} Images The clean images; shape (N,) each.
 * @property {Int32Array} label True class.
 * @property {Int32Array} mix_class What the mix predicts.
 * @property {Float64Array} margin M(h)'s; `std_margin`, `rob_margin`, `ln_margin`: those of g, h and LN∘h.
 * @property {Uint8Array} std_right Whether g is right; `rob_right`, `mapped_right`, `mix_right`: h, M(h), the mix.
 * @property {AttackedImages|null} attacked
 *
 * @typedef {object} AttackedImages The attacked images; shape (m,) each.
 * @property {Int32Array} row Which clean image it is.
 * @property {Float64Array} margin M(h)'s at its point of least margin.
 * @property {Uint8Array} mapped_right Whether M(h) is right there.
 * @property {Int32Array} mix_class What the mix predicts where it is wrong, if it is so at any point.
 */

/**
 * Every image under a mix.
 * @param {import("../engine.js").RemixEngine} engine
 * @param {import("../engine.js").Remix} remix
 * @returns {Images}
 */
export function images(engine, { part, on_images }) {
  const { nClean, rows } = engine;
  const clean = (column) => column.slice(0, nClean);
  const base = engine.fixedMemo.get("images", () => Object.values(basePoints(engine)).map(({ margin }) => clean(margin)));
  const [std_margin, rob_margin, ln_margin] = base.map((column) => column.slice()); // the worker gives away what it answers
  return {
    label: clean(rows.labels),
    mix_class: clean(part.mix_class),
    margin: clean(part.margin),
    std_margin,
    rob_margin,
    ln_margin,
    std_right: clean(rows.stdRight),
    rob_right: clean(rows.plainRight),
    mapped_right: clean(part.right),
    mix_right: clean(part.mix_right),
    attacked: on_images && attackedOf(engine.pool, on_images),
  };
}

function attackedOf({ index, images }, { margin, right, mix_class }) {
  return { row: index.slice(0, images), margin: margin.slice(), mapped_right: right.slice(), mix_class: mix_class.slice() };
}

// Each clean image by M(h)'s margin, and who is right there, as `mnuts_core.views.margin_scatter`.

/**
 * @param {import("../engine.js").RemixEngine} engine
 * @param {import("../engine.js").Remix} remix
 * @returns {{margin: Float64Array, std_right: Uint8Array, mapped_right: Uint8Array, mix_right: Uint8Array}} Shape (N,).
 */
export function marginScatter({ nClean, rows }, { part }) {
  const clean = (column) => column.slice(0, nClean);
  return {
    margin: clean(part.margin),
    std_right: clean(rows.stdRight),
    mapped_right: clean(part.right),
    mix_right: clean(part.mix_right),
  };
}

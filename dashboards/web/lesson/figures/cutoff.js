// The clamp over the densities of layer-normed logits, with its cutoff.

import { layoutOf, movingLine, translucent } from "./style.js";

/**
 * @param {{z: number[], m: number[], top: number[], rest: number[]}} curve The view `transform` at s = p = 1.
 * @param {number} c The bias; the cutoff lies at −c.
 */
export function cutoff({ z, m, top, rest }, c, texts, colours) {
  const layout = layoutOf(texts.plain("clamp.axis"), texts.plain("clamp.curve"), { legend: true });
  const [left, right] = [z[0], z[z.length - 1]];
  const [low, high] = [-0.6, Math.max(right + 1, 1)];
  layout.xaxis.range = [left, right];
  layout.yaxis.range = [low, high];
  const peak = 1.25 * Math.max(...top, ...rest, 1e-9);
  layout.yaxis2 = { overlaying: "y", side: "right", visible: false, range: [(peak * low) / high, peak] }; // hills stand on the curve's own zero line
  const hill = (y, name, colour, alpha) => ({
    type: "scatter", mode: "lines", x: z, y, yaxis: "y2", name, line: { width: 0 }, fill: "tozeroy", fillcolor: translucent(colour, alpha), hoverinfo: "skip",
  });
  const data = [
    hill(rest, texts.plain("clamp.rest"), colours.muted, 0.3),
    hill(top, texts.plain("clamp.top"), colours.rob, 0.4),
    { type: "scatter", mode: "lines", x: z, y: m, name: texts.plain("clamp.curve"), line: { color: colours.mapped, width: 3.5 }, hovertemplate: "z = %{x:.2f}: %{y:.3f}<extra></extra>" },
    movingLine(-c, [low, high], texts.plain("clamp.line"), (-c - left) / (right - left), colours.mix),
  ];
  return { data, layout };
}

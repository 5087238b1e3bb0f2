// How Plotly has drawn a trace: shapes, colours, widths and dashes, read from its own marks, so that what is drawn on the
// canvas looks the same on any paper.

import { h } from "../controls/dom.js";

/**
 * @typedef {object} Look
 * @property {Path2D} shape What was drawn; of a marker around its point.
 * @property {string|CanvasPattern|null} fill
 * @property {number} fillAlpha
 * @property {string|null} stroke
 * @property {number} strokeAlpha
 * @property {number} width Of the stroke, pixels.
 * @property {number[]} dash
 *
 * @typedef {object} Words
 * @property {string} fill
 * @property {string} family
 * @property {string} weight
 * @property {number} size Pixels.
 */

/**
 * How a mark looks.
 * @param {SVGPathElement} node
 * @param {CanvasRenderingContext2D} pen
 * @returns {Look}
 */
export function lookOf(node, pen) {
  const { fill, fillOpacity, stroke, strokeOpacity, strokeWidth, strokeDasharray, opacity } = node.style;
  const alpha = numberOr(opacity, 1);
  return {
    shape: new Path2D(node.getAttribute("d") ?? ""),
    fill: fill.startsWith("url") ? patternOf(fill, node, pen) : colour(fill),
    fillAlpha: alpha * numberOr(fillOpacity, 1),
    stroke: colour(stroke),
    strokeAlpha: alpha * numberOr(strokeOpacity, 1),
    width: numberOr(strokeWidth, 1),
    dash: (strokeDasharray.match(/[\d.]+/g) ?? []).map(Number),
  };
}

/** @returns {Words|null} Of a trace's first text; null where it has none. */
export function wordsOf(group) {
  const node = group.querySelector(".text text");
  if (!node) return null;
  const { fill, fontFamily, fontWeight, fontSize } = node.style;
  return { fill, family: fontFamily, weight: fontWeight, size: parseFloat(fontSize) };
}

function colour(text) {
  return text && text !== "none" ? text : null;
}

function numberOr(text, otherwise) {
  const number = parseFloat(text);
  return Number.isNaN(number) ? otherwise : number;
}

/** The hatching of bars, from the tile that Plotly has drawn. */
function patternOf(url, node, pen) {
  const tile = node.ownerSVGElement.querySelector(`#${/#([\w-]+)/.exec(url)[1]}`);
  const size = parseFloat(tile.getAttribute("width"));
  const pixels = Math.ceil(size * devicePixelRatio);
  const canvas = h("canvas", { width: pixels, height: pixels });
  const brush = canvas.getContext("2d");
  brush.scale(pixels / size, pixels / size);
  for (const mark of tile.children) {
    const of = (name) => mark.getAttribute(name);
    brush.globalAlpha = numberOr(of("opacity"), 1);
    if (mark.tagName === "rect") {
      brush.fillStyle = of("fill");
      brush.fillRect(0, 0, size, size);
    } else {
      Object.assign(brush, { strokeStyle: of("stroke"), lineWidth: parseFloat(of("stroke-width")) });
      brush.stroke(new Path2D(of("d")));
    }
  }
  const pattern = pen.createPattern(canvas, "repeat");
  pattern.setTransform(new DOMMatrix().scale(size / pixels));
  return pattern;
}

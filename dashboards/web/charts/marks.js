// The marks of a trace on a canvas, where Plotly would put them: lines, fills, error bars, markers, words, bars.

import { drawLabel } from "./labels.js";

const FAR = 1e6; // pixels: beyond any screen, and a number that a canvas can draw
const THIN = 2; // a bar that is lower is widened to whole pixels

/**
 * @typedef {object} Drawn A trace as Plotly has drawn it.
 * @property {object} trace With all defaults.
 * @property {object[]} points Its places, of bars with their widths.
 * @property {[object, object]} axes
 * @property {import("./looks.js").Look|null} fill
 * @property {import("./looks.js").Look|null} error
 * @property {import("./looks.js").Look|null} line
 * @property {import("./looks.js").Look|null} bar
 * @property {Array<import("./looks.js").Look|null>} markers One for all points, or one for each.
 * @property {import("./looks.js").Words|null} words
 */

/**
 * Draw a trace with new numbers; the pen stands at its subplot's corner.
 * @param {CanvasRenderingContext2D} pen
 * @param {Drawn} drawn
 * @param {object} data The trace as the figure has it.
 */
export function drawMarks(pen, drawn, data) {
  const [xaxis, yaxis] = drawn.axes;
  const clipped = (draw) => {
    pen.save();
    pen.beginPath();
    pen.rect(0, 0, xaxis._length, yaxis._length);
    pen.clip();
    draw();
    pen.restore();
  };
  if (drawn.trace.type === "bar") return clipped(() => drawBars(pen, drawn, data));
  const [x, y] = [placesOn(xaxis, data.x), placesOn(yaxis, data.y)];
  const curve = () => {
    drawFills(pen, drawn, x, y);
    drawErrors(pen, drawn, data, x, y);
    drawLines(pen, drawn, x, y);
  };
  const points = () => {
    drawMarkers(pen, drawn, x, y);
    drawWords(pen, drawn, data, x, y);
  };
  clipped(curve);
  if (drawn.trace.cliponaxis === false) points();
  else clipped(points);
}

function placesOn(axis, values) {
  return Float64Array.from(values, (value) => Math.min(Math.max(axis.d2p(value) ?? NaN, -FAR), FAR));
}

function paint(pen, { fill: style, fillAlpha }, shape) {
  if (!style) return;
  Object.assign(pen, { fillStyle: style, globalAlpha: fillAlpha });
  pen.fill(shape);
}

function stroke(pen, { stroke: style, strokeAlpha, width, dash }, shape) {
  if (!style || !width) return;
  Object.assign(pen, { strokeStyle: style, globalAlpha: strokeAlpha, lineWidth: width });
  pen.setLineDash(dash);
  pen.stroke(shape);
}

/** A line through the points that are there; between them it has gaps. */
function pathThrough(x, y) {
  const path = new Path2D();
  let on = false;
  for (let i = 0; i < x.length; i++) {
    const known = x[i] === x[i] && y[i] === y[i];
    if (known && on) path.lineTo(x[i], y[i]);
    else if (known) path.moveTo(x[i], y[i]);
    on = known;
  }
  return path;
}

function drawFills(pen, { fill: look, axes }, x, y) {
  if (!look) return;
  const zero = axes[1].c2p(0, true);
  const path = pathThrough(x, y);
  path.lineTo(x.at(-1), zero);
  path.lineTo(x[0], zero);
  path.closePath();
  paint(pen, look, path);
}

function drawLines(pen, { line: look }, x, y) {
  if (look) stroke(pen, look, pathThrough(x, y));
}

function drawErrors(pen, { error: look, axes, trace }, data, x, y) {
  if (!look) return;
  const path = new Path2D();
  for (const [name, axis] of [["y", axes[1]], ["x", axes[0]]]) {
    const bars = data[`error_${name}`];
    if (!trace[`error_${name}`]?.visible || !bars?.array) continue;
    const hat = trace[`error_${name}`].width;
    const point = name === "y" ? (along, across, i) => [x[i] + across, along] : (along, across, i) => [along, y[i] + across];
    data[name].forEach((value, i) => {
      const [low, high] = placesOn(axis, [value - bars.arrayminus[i], value + bars.array[i]]);
      if (!(x[i] === x[i] && y[i] === y[i])) return;
      for (const [from, to] of [[[high, -hat], [high, hat]], [[high, 0], [low, 0]], [[low, -hat], [low, hat]]]) {
        path.moveTo(...point(...from, i));
        path.lineTo(...point(...to, i));
      }
    });
  }
  stroke(pen, look, path);
}

/** Whether a point lies on its axes: beyond them even one that is not clipped is not drawn. */
function isOn([xaxis, yaxis], x, y) {
  return x >= 0 && x <= xaxis._length && y >= 0 && y <= yaxis._length;
}

function drawMarkers(pen, { markers, axes, trace }, x, y) {
  if (!markers[0]) return;
  for (let i = 0, k = 0; i < x.length; i++) {
    if (!(x[i] === x[i] && y[i] === y[i])) continue;
    const look = markers.length === 1 ? markers[0] : markers[k++];
    if (trace.cliponaxis === false && !isOn(axes, x[i], y[i])) continue;
    pen.translate(x[i], y[i]);
    paint(pen, look, look.shape);
    stroke(pen, look, look.shape);
    pen.translate(-x[i], -y[i]);
  }
}

function drawWords(pen, { words, axes, trace }, data, x, y) {
  if (!words) return;
  pen.globalAlpha = 1;
  const radius = trace.mode.includes("markers") ? trace.marker.size / 2 : 0;
  data.text.forEach((text, i) => {
    const place = Array.isArray(trace.textposition) ? trace.textposition[i] : trace.textposition;
    if (text && (trace.cliponaxis !== false || isOn(axes, x[i], y[i]))) drawLabel(pen, text, x[i], y[i], words, { place, radius });
  });
}

function drawBars(pen, { bar: look, points, axes: [xaxis, yaxis] }, data) {
  if (!look) return;
  const path = new Path2D();
  for (const { i, p0, p1, b } of points) {
    const [left, right, foot] = [xaxis.c2p(p0, true), xaxis.c2p(p1, true), yaxis.c2p(b, true)];
    const end = yaxis.d2p(data.y[i]);
    const top = look.fillAlpha < 1 || Math.abs(end - foot) >= THIN ? end : end > foot ? Math.ceil(end) : Math.floor(end);
    if (end !== foot && Number.isFinite(top)) path.rect(left, top, right - left, foot - top);
  }
  paint(pen, look, path);
  stroke(pen, look, path);
}

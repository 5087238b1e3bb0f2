// What the lesson's plots share: a layout in letters for a projector, a line with its name, the reader's guess.

import { separators } from "../../controls/words.js";

const SIZE = 14; // pixels of letters
export const GUESS = "#8a5fc7"; // neither a classifier's colour nor right or wrong; white letters on it are read in both themes
export const INK = "#111111"; // letters on the colours of right and wrong

/** The layout that plots start from. */
export function layoutOf(x, y, { legend = false } = {}) {
  const axis = (text) => ({ title: { text, standoff: 8, font: { size: SIZE } }, tickfont: { size: SIZE - 1 }, zeroline: false, fixedrange: true });
  return {
    font: { size: SIZE },
    separators: separators(),
    margin: { l: 60, r: 14, t: legend ? 52 : 14, b: 46 },
    xaxis: axis(x),
    yaxis: axis(y),
    showlegend: legend,
    legend: { orientation: "h", x: 0, y: 1.01, yanchor: "bottom", font: { size: SIZE - 1 } },
    hoverlabel: { font: { size: SIZE - 1 } },
    shapes: [],
    annotations: [],
  };
}

/** A hex colour as rgba. */
export function translucent(colour, alpha) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return `rgba(${red},${green},${blue},${alpha})`;
}

/** Words on a ground of their own. */
export function tag(x, y, text, colour, more = {}) {
  const font = { size: SIZE - 2, color: colour === GUESS ? "#ffffff" : INK };
  return { x, y, text, showarrow: false, bgcolor: colour, borderpad: 3, font, ...more };
}

/** On which side of its line a note stands, so that it stays within the plot. */
export function beside(share) {
  return share > 0.6 ? { xanchor: "right", xshift: -6 } : { xanchor: "left", xshift: 6 };
}

/** A line over the whole height of the plot. */
export function upright(x, colour, dash) {
  return { type: "line", x0: x, x1: x, y0: 0, y1: 1, yref: "paper", line: { color: colour, width: 3, dash } };
}

/**
 * A dashed line that a slider moves, with its name: a trace and not a shape, since the page draws a trace whose numbers change in place.
 *
 * @param {number} x
 * @param {[number, number]} ends Of the vertical axis.
 * @param {string} name
 * @param {number} share Where it stands in the plot's width.
 * @param {string} colour
 */
export function movingLine(x, [low, high], name, share, colour) {
  return {
    type: "scatter", mode: "lines+text", name, meta: { furniture: true }, x: [x, x, x], y: [low, low + 0.72 * (high - low), high],
    text: [" ", `<b>\u00a0${name}\u00a0</b>`, " "], // spaces and not nothing, for which Plotly keeps no place
    textposition: share > 0.6 ? "middle left" : "middle right", textfont: { size: SIZE },
    line: { color: colour, width: 3, dash: "dash" }, hoverinfo: "skip", showlegend: false,
  };
}

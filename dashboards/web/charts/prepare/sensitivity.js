// One slice of the objective a power p, and the marks of two mixes, as `dashboards/figures/sensitivity.py`.

import { formatted } from "../format.js";
import { axisName } from "./rounding.js";

const NO_STEP = 1e-6; // a p this close to a slice's is that one

/** Null before a search. */
export function prepareSlices({ sensitivity: view }) {
  if (!view) return null;
  const logS = Float64Array.from(view.s, Math.log10);
  return {
    log_s: logS,
    c_range: cellEdges(view.c),
    s_range: cellEdges(logS),
    s_texts: Array.from(view.s, (s) => formatted(s, ".3g")),
    no_texts: Array.from(view.s, () => ""),
    s_of_cells: Array.from(view.s, (s) => Array.from(view.c, () => s)),
    slices: Array.from(view.p, (_, j) => slice(view, j)),
    marks: [mark(view, view.best, "star-open", "best of the grid at this β"), mark(view, view.at, "circle-open", "current s and c")],
    outside: !isInside(view, logS),
  };
}

/** Whether the current mix lies in a cell of the grid, or between two slices. */
function isInside({ p, c, at: [s, power, bias] }, logS) {
  const within = (values, value) => {
    const [low, high] = cellEdges(values);
    return low <= value && value <= high;
  };
  return within(logS, Math.log10(s)) && within(p, power) && within(c, bias);
}

/** `objective` holds a number for each s, p and c, row by row. */
function slice({ objective, s, p, c }, j) {
  const n = p.length;
  const columns = n > 4 ? Math.ceil(n / 2) : n; // two rows, once one would be crowded
  const [number, row, column, two] = [j + 1, Math.floor(j / columns), j % columns, n > columns];
  const [left, width] = [column / columns, 0.93 / columns];
  const [bottom, height] = [two && row === 0 ? 0.57 : 0, two ? 0.43 : 1];
  return {
    p: p[j],
    objective: Array.from(s, (_, i) => Array.from(c, (_, k) => 100 * objective[(i * n + j) * c.length + k])),
    x: axisName("x", number),
    y: axisName("y", number),
    xaxis: axisName("xaxis", number),
    yaxis: axisName("yaxis", number),
    x_domain: [left, left + width],
    y_domain: [bottom, bottom + height],
    middle: left + width / 2,
    top: bottom + height,
    first: column === 0,
    last: row === Math.floor((n - 1) / columns) || j + columns >= n,
  };
}

/** A mark at (s, p, c), in the slice whose p is nearest, with p beside it where that is another; none beyond all slices. */
function mark(view, [s, p, c], symbol, name) {
  const [low, high] = cellEdges(view.p);
  const shown = low <= p && p <= high;
  let nearest = 0;
  view.p.forEach((one, j) => {
    if (Math.abs(one - p) < Math.abs(view.p[nearest] - p)) nearest = j;
  });
  const between = Math.abs(view.p[nearest] - p) > NO_STEP;
  return {
    c: shown ? [c] : [],
    s: shown ? [s] : [],
    log_s: shown ? [Math.log10(s)] : [],
    // a space and not nothing: Plotly keeps a node for it, so that a frame finds the label's place
    text: shown ? [between ? `p = ${formatted(p, ".3g")}` : " "] : [],
    p,
    symbol,
    name,
    x: axisName("x", nearest + 1),
    y: axisName("y", nearest + 1),
  };
}

/** From the outer edge of a heat map's first cell to that of its last. */
function cellEdges(values) {
  const half = values.length > 1 ? (values[1] - values[0]) / 2 : 0.5;
  return [values[0] - half, values.at(-1) + half];
}

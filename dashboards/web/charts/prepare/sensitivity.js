// One slice of the objective a power p, and the marks of two mixes, as `dashboards/figures/sensitivity.py`.

import { formatted } from "../format.js";
import { axisName } from "./rounding.js";

const NO_STEP = 1e-6; // a p this close to a slice's is that one

/** Null before a search. */
export function prepareSlices({ sensitivity: view }) {
  if (!view) return null;
  const logS = Float64Array.from(view.s, Math.log10);
  const marks = [mark(view, view.best, "star-open", "best of the grid at this β"), mark(view, view.at, "circle-open", "current s and c")];
  return {
    log_s: logS,
    c_range: cellEdges(view.c),
    s_range: cellEdges(logS),
    s_texts: Array.from(view.s, (s) => formatted(s, ".3g")),
    no_texts: Array.from(view.s, () => ""),
    s_of_cells: Array.from(view.s, (s) => Array.from(view.c, () => s)),
    slices: Array.from(view.p, (_, j) => slice(view, j, marks)),
    marks,
    outside: !isInside(view, logS),
    importance: importanceOf(view),
  };
}

/** By how many points the objective rises, at most, one step from the best cell along each axis. */
function importanceOf({ objective, s, p, c, best }) {
  const axes = { s, p, c };
  const at = Object.values(axes).map((values, axis) => nearest(values, best[axis]));
  const value = ([i, j, k]) => objective[(i * p.length + j) * c.length + k];
  const rise = (values, axis) => {
    const steps = [at[axis] - 1, at[axis] + 1].filter((step) => step >= 0 && step < values.length);
    const rises = steps.map((step) => 100 * (value(at.with(axis, step)) - value(at))).filter(Number.isFinite);
    return rises.length ? formatted(Math.max(...rises), ".2f") : "–";
  };
  return Object.fromEntries(Object.entries(axes).map(([name, values], axis) => [name, rise(values, axis)]));
}

function nearest(values, value) {
  let found = 0;
  values.forEach((one, i) => {
    if (Math.abs(one - value) < Math.abs(values[found] - value)) found = i;
  });
  return found;
}

/** Whether the current mix lies in a cell of the grid, or between two slices. */
function isInside({ p, c, at: [s, power, bias] }, logS) {
  const within = (values, value) => {
    const [low, high] = cellEdges(values);
    return low <= value && value <= high;
  };
  return within(logS, Math.log10(s)) && within(p, power) && within(c, bias);
}

/**
 * A subplot; Plotly makes none for a heat map without a number, and has no place for its axes then. `objective` holds a
 * number for each s, p and c, row by row.
 */
function slice({ objective, s, p, c }, j, marks) {
  const n = p.length;
  const columns = n > 4 ? Math.ceil(n / 2) : n; // two rows, once one would be crowded
  const [number, row, column, two] = [j + 1, Math.floor(j / columns), j % columns, n > columns];
  const [left, width] = [column / columns, 0.93 / columns];
  const [bottom, height] = [two && row === 0 ? 0.57 : 0, two ? 0.43 : 1];
  const cells = Array.from(s, (_, i) => Array.from(c, (_, k) => 100 * objective[(i * n + j) * c.length + k]));
  const x = axisName("x", number);
  return {
    p: p[j],
    objective: cells,
    shown: marks.some((mark) => mark.c.length && mark.x === x) || cells.flat().some(Number.isFinite),
    x,
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
  const slice = nearest(view.p, p);
  const between = Math.abs(view.p[slice] - p) > NO_STEP;
  return {
    c: shown ? [c] : [],
    s: shown ? [s] : [],
    log_s: shown ? [Math.log10(s)] : [],
    // a space and not nothing: Plotly keeps a node for it, so that a frame finds the label's place
    text: shown ? [between ? `p = ${formatted(p, ".3g")}` : " "] : [],
    p,
    symbol,
    name,
    x: axisName("x", slice + 1),
    y: axisName("y", slice + 1),
  };
}

/** From the outer edge of a heat map's first cell to that of its last. */
function cellEdges(values) {
  const half = values.length > 1 ? (values[1] - values[0]) / 2 : 0.5;
  return [values[0] - half, values.at(-1) + half];
}

// Grids of (s, p, c), as `mnuts_core.search.grids`.

const LEAST_POWER = 0.1; // a widened grid's powers stop here: p must be positive
const AXES = ["s", "p", "c"];

/**
 * @typedef {object} Grid Candidates; the search visits every combination. The tables' axes are s, p, c, row by row.
 * @property {string} name
 * @property {number[]} s Ascending, > 0.
 * @property {number[]} p Ascending, > 0.
 * @property {number[]} c Ascending.
 *
 * @typedef {[number, number, number]} Index A cell's place, (s, p, c).
 */

/** How many cells. */
export function sizeOf({ s, p, c }) {
  return s.length * p.length * c.length;
}

/** The place of a cell, counted through. */
export function cellNumber({ p, c }, i, j, k) {
  return (i * p.length + j) * c.length + k;
}

/** @returns {Index} */
export function indexOf({ p, c }, cell) {
  return [Math.floor(cell / (p.length * c.length)), Math.floor(cell / c.length) % p.length, cell % c.length];
}

/** Which of s, p, c sits at an end of its range ("low" or "high"); an axis of one value has no ends. */
export function edgesOf(grid, index) {
  const edges = {};
  AXES.forEach((axis, at) => {
    const last = grid[axis].length - 1;
    if (last > 0 && (index[at] === 0 || index[at] === last)) edges[axis] = index[at] === 0 ? "low" : "high";
  });
  return edges;
}

/** The edges in words, for a warning. */
export function inWords(edges) {
  return Object.entries(edges).map(([axis, end]) => `${axis} at its ${end} end`).join(", ");
}

/**
 * A grid that reaches further where an optimum sat on the edge, with the same number of steps: each named range is
 * half as long again on that side (in log s for s).
 * @param {Grid} grid
 * @param {Record<string, "low"|"high">} edges
 * @param {Record<string, {low: number, high: number, scale: string}>} ranges What s, p and c may be.
 * @returns {Grid}
 */
export function widened(grid, edges, ranges) {
  const axes = AXES.map((axis) => [axis, widenedAxis(axis, grid[axis], edges[axis], ranges[axis])]);
  return { ...Object.fromEntries(axes), name: `${grid.name}+` };
}

function widenedAxis(axis, values, edge, spec) {
  const log = spec.scale === "log";
  let [low, high] = [values[0], values[values.length - 1]].map((x) => (log ? Math.log10(x) : x));
  const reach = 0.5 * (high - low) || 0.5;
  if (edge === "low") low -= reach;
  if (edge === "high") high += reach;
  if (log) [low, high] = [10 ** low, 10 ** high];
  const least = axis === "p" ? LEAST_POWER : spec.low;
  return spaced(Math.max(low, Math.min(least, values[0])), Math.min(high, spec.high), values.length, log);
}

/** Values from end to end, evenly spaced; one, if both ends agree. */
function spaced(low, high, steps, log) {
  if (low === high || steps === 1) return [low];
  const at = (i) => low + (i * (high - low)) / (steps - 1);
  const atLog = (i) => 10 ** (Math.log10(low) + (i * (Math.log10(high) - Math.log10(low))) / (steps - 1));
  return Array.from({ length: steps }, (_, i) => (i === 0 ? low : i === steps - 1 ? high : log ? atLog(i) : at(i)));
}

// Where a click on a plot leads: to a mix of a frontier, a snapshot, a star, an α along a curve, a cell of the grid.

import { changesTo } from "../app/settings.js";

/** Names of the plane's traces, as `dashboards/figures/tradeoff.py` has them. */
const PLANE = {
  frontier: "best of the grid",
  direct: "frontier of the grid",
  current: "this transform",
  byMargin: "this transform, by margin",
  snapshots: "snapshots",
  stars: "other verified mixes",
};

/**
 * The changes of the state that a click asks for; null where it leads nowhere.
 *
 * @param {{panel: string, points: object[]}} event See `ChartEvent` in `charts/chart.js`.
 * @param {object} moment What the plots show.
 */
export function changesOfClick({ panel, points: [point] }, moment) {
  if (!point) return null;
  if (panel === "plane") return onPlane(point, moment);
  if (panel === "slices") return onSlices(point, moment);
  return panel === "margin_scatter" ? { case: "clean", row: Number(point.customdata) } : null;
}

function onPlane({ trace, point, customdata }, { state, meta, views }) {
  if (trace === PLANE.frontier) return mixOfFrontier(views.frontier, point, { alpha: null });
  if (trace === PLANE.direct) return mixOfFrontier(views.direct_frontier, point, { beta: state.beta });
  if (trace === PLANE.snapshots) return changesTo(state.snapshots[point]);
  if (trace === PLANE.stars) return changesTo(meta.configs[Number(customdata)].params);
  const onCurve = trace === PLANE.current || trace === PLANE.byMargin;
  return onCurve && customdata !== undefined ? { by_hand: true, alpha: Number(customdata) } : null;
}

function mixOfFrontier(frontier, place, more) {
  return frontier ? changesTo({ ...frontier.params[place], ...more }) : null;
}

/** To the cell of a slice: the trace says which p, x is c, y is log₁₀ s. */
function onSlices({ curve, x, y }, { views: { sensitivity: grid } }) {
  if (!grid || curve >= grid.p.length) return null;
  return { s: nearest(grid.s, 10 ** Number(y)), p: grid.p[curve], c: nearest(grid.c, Number(x)) };
}

function nearest(values, value) {
  return values.reduce((best, one) => (Math.abs(one - value) < Math.abs(best - value) ? one : best));
}

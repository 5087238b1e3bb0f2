// Where a click on a plot leads: to a mix of a frontier, a snapshot, a star, an α along a curve, a cell of the grid.

import { changesTo } from "../app/settings.js";
import { same } from "../app/state.js";
import { keyOf } from "../app/verified.js";
import { filledIn } from "./known.js";

/** Names of the plane's traces, as `dashboards/figures/tradeoff.py` has them. */
const PLANE = {
  frontier: "best of the grid",
  direct: "frontier of the grid",
  current: "this transform",
  byMargin: "this transform, by margin",
  snapshots: "snapshots",
  stars: "other verified mixes",
};

/** By the panel's name where one of its points leads. */
const LEADS = { plane: onPlane, slices: onSlices, margin_scatter: onScatter };

/**
 * The changes of the state that a click asks for; null where it leads nowhere. Of points that lie over each other the
 * topmost counts that leads elsewhere, and of stars in one place each in turn.
 *
 * @param {{panel: string, points: object[]}} event See `ChartEvent` in `charts/chart.js`.
 * @param {object} moment What the plots show.
 */
export function changesOfClick({ panel, points }, moment) {
  const leads = LEADS[panel] ?? (() => null);
  const found = inTurn(points, moment).map((point) => leads(point, moment)).filter(Boolean);
  return found.find((changes) => Object.entries(changes).some(([name, value]) => !same(moment.state[name], value))) ?? found[0] ?? null;
}

/** Stars in the place of the first one stand behind each other by their numbers, the one after the current mix first. */
function inTurn(points, { meta, remix }) {
  const first = points.findIndex(({ trace }) => trace === PLANE.stars);
  if (first < 0 || !remix) return points;
  const here = meta.configs.findIndex((config) => keyOf(filledIn(config)) === keyOf(remix.params));
  const isThere = ({ trace, x, y }) => trace === PLANE.stars && x === points[first].x && y === points[first].y;
  const turn = ({ customdata }) => (customdata - here - 1 + meta.configs.length) % meta.configs.length;
  const stars = points.filter(isThere).sort((one, other) => turn(one) - turn(other));
  return [...points.slice(0, first), ...stars, ...points.slice(first).filter((point) => !isThere(point))];
}

function onScatter({ customdata }) {
  return Number.isInteger(customdata) ? { case: "clean", row: customdata } : null;
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

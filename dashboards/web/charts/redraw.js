// Frames drawn in place.
//
// `Plotly.react` works out every default, tick and legend entry anew: tens of milliseconds a plot. A slider's frame
// changes numbers only, in plots whose axes stay. For such a frame the trace types' own `calc` and `plot` do, the very
// code that `react` ends in: the geometry is the same, and hover, zoom and hidden traces go on working. Whatever is
// not known to be of that kind is left to `react`, which also follows once the slider rests.

import { isList } from "./fill.js";
import { isPlain, same } from "./values.js";

const DRAWN = new Set(["x", "y", "text"]); // arrays of a trace that may change
const UNDRAWN = new Set(["customdata", "hovertext", "hovertemplate", "meta"]); // read on hover and for the CSV, never drawn
const AXES = /^([xy])axis(\d*)$/;
const ROOM = 2; // share of its range that an axis gains where a moving slider leads out of it
const SHRINK = 0.2; // an axis stays as it is drawn while what it should show fills this share of it, and fits

const union = (a, b) => new Set([...Object.keys(a), ...Object.keys(b)]);
const alike = (a, b) => isList(a) && isList(b) && a.length === b.length;

// Which keys of each trace changed: Map(index -> keys); null where a change needs more than drawing the trace again.
function movedTraces(before, after) {
  if (before.length !== after.length) return null;
  const moved = new Map();
  for (const [index, old] of before.entries()) {
    const trace = after[index];
    const keys = [...union(old, trace)].filter((key) => !same(old[key], trace[key]));
    if (!keys.every((key) => UNDRAWN.has(key) || (DRAWN.has(key) && alike(old[key], trace[key])) || onlyBars(key, old[key], trace[key]))) return null;
    if (keys.length) moved.set(index, keys);
  }
  return moved;
}

// Whether an `error_x` or `error_y` changed in its lengths alone.
function onlyBars(key, old, now) {
  if (!/^error_[xy]$/.test(key) || !isPlain(old) || !isPlain(now)) return false;
  const drawn = now.type === "data" && now.symmetric === false;
  return drawn && [...union(old, now)].every((part) => same(old[part], now[part]) || (/^array(minus)?$/.test(part) && alike(old[part], now[part])));
}

// The axes whose range changed, [key, old range, new range] each; null if anything else of the layout did.
function changedRanges(drawn, wanted) {
  const changed = [];
  for (const key of union(drawn, wanted)) {
    if (same(drawn[key], wanted[key])) continue;
    if (!AXES.test(key) || !isPlain(drawn[key]) || !isPlain(wanted[key])) return null;
    const { range: old, ...others } = drawn[key];
    const { range: now, ...rest } = wanted[key];
    if (!same(others, rest) || !isList(old) || !isList(now)) return null;
    changed.push([key, old, now]);
  }
  return changed;
}

function mayStay([, [low, high], [from, to]]) {
  return from >= low && to <= high && to - from >= SHRINK * (high - low);
}

/** While a slider moves: `wanted` with room where it outgrew what is drawn, so that the next frames need no new axes. */
export function roomy(drawn, wanted) {
  const changed = changedRanges(drawn, wanted);
  if (!changed?.length) return wanted;
  const layout = { ...wanted };
  for (const [key, [low, high], [from, to]] of changed) {
    const room = ROOM * (to - from);
    layout[key] = { ...wanted[key], range: [from < low ? from - room : from, to > high ? to + room : to] };
  }
  return layout;
}

// Whether a trace's new numbers can be drawn by its module alone.
function drawable(trace, keys, fullLayout) {
  const simple = trace.type === "scatter" ? !trace.stackgroup && !/^tonext/.test(trace.fill) : trace.type === "bar" && !keys.some((key) => key.startsWith("error"));
  const stays = ([name, axis]) => !keys.some((key) => key === name || key === `error_${name}`) || axis?.autorange === false;
  return simple && !trace.selectedpoints && [["x", axisOf(fullLayout, trace.xaxis)], ["y", axisOf(fullLayout, trace.yaxis)]].every(stays);
}

const axisOf = (fullLayout, id) => fullLayout[`${id[0]}axis${id.slice(1)}`];

// Ends of the error bars where `calc` put the points, as Plotly's own component does it for arrays of lengths.
function placeErrors(points, trace) {
  for (const name of ["x", "y"]) {
    const bars = trace[`error_${name}`];
    if (!bars?.visible) continue;
    points.forEach((point, i) => {
      if (!Number.isFinite(point[name])) return;
      point[`${name}s`] = point[name] - Number(bars.arrayminus[i]);
      point[`${name}h`] = point[name] + Number(bars.array[i]);
    });
  }
}

function recalculate(plot, trace) {
  const points = trace._module.calc(plot, trace);
  Object.assign(points[0], { t: points[0].t ?? {}, trace });
  placeErrors(points, trace);
  plot.calcdata[trace.index] = points;
}

/** Draw `after` over `before` in `plot`; false where that takes `Plotly.react`. */
export function drawSwiftly(plot, before, after) {
  const { _fullLayout: fullLayout, _fullData: fullData, calcdata } = plot;
  const { data: old, layout: drawn = {}, ...others } = before;
  const { data, layout: wanted = {}, ...rest } = after;
  if (!calcdata || calcdata.length !== old.length || fullData.length !== old.length) return false;
  const moved = same(others, rest) && changedRanges(drawn, wanted)?.every(mayStay) ? movedTraces(old, data) : null;
  if (!moved) return false;
  const seen = [...moved].filter(([index, keys]) => fullData[index].visible === true && keys.some((key) => !UNDRAWN.has(key)));
  if (!seen.every(([index, keys]) => drawable(fullData[index], keys, fullLayout))) return false;
  for (const [index, keys] of moved) {
    for (const key of keys) {
      plot.data[index][key] = data[index][key];
      fullData[index][key] = isPlain(data[index][key]) && key !== "meta" ? { ...fullData[index][key], ...data[index][key] } : data[index][key];
    }
  }
  const layers = new Map(seen.map(([index]) => [`${fullData[index].xaxis}${fullData[index].yaxis} ${fullData[index].type}`, fullData[index]]));
  for (const { xaxis, yaxis, type, _module: module } of layers.values()) {
    // All of a subplot's traces of one type go together: their order, and for bars their places, hang together.
    const traces = fullData.filter((trace) => trace.visible === true && trace.type === type && trace.xaxis === xaxis && trace.yaxis === yaxis);
    for (const trace of traces) if (type === "bar" || seen.some(([index]) => index === trace.index)) recalculate(plot, trace);
    const subplot = fullLayout._plots[xaxis + yaxis];
    if (type === "bar") module.crossTraceCalc(plot, subplot);
    const layer = subplot.plot.selectAll(`g.${type}layer`);
    module.plot(plot, subplot, traces.map((trace) => calcdata[trace.index]), layer, { duration: 0 });
  }
  const bars = [...layers.values()].find(({ type }) => type === "bar");
  bars?._module.style(plot); // a bar of height 0 has no path, and a new one no colour
  return true;
}

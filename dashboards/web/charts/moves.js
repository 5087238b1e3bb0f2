// Which frames only move marks: a slider's frame changes numbers, in a plot whose axes, words and looks stay. The canvas draws
// such a frame; whatever is not known to be of that kind takes `Plotly.react`, which works out everything anew.

import { isList } from "./fill.js";
import { isPlain, same } from "./values.js";

const DRAWN = new Set(["x", "y", "text"]); // arrays of a trace that may change
const UNDRAWN = new Set(["customdata", "hovertext", "hovertemplate", "meta"]); // read on hover and for the CSV, never drawn
const AXES = /^([xy])axis(\d*)$/;
const ROOM = 2; // share of its range that an axis gains where a moving slider leads out of it
const SHRINK = 0.1; // an axis stays as it is drawn while what it should show fills this share of it, and fits

const union = (a, b) => new Set([...Object.keys(a), ...Object.keys(b)]);
const alike = (a, b) => isList(a) && isList(b) && a.length === b.length;

/**
 * Which marks a figure moves: by the trace's place the keys that changed and are drawn; null where more has changed.
 * @param {{data: object[], layout: object}} before What is drawn.
 * @param {{data: object[], layout: object}} after
 * @returns {Map<number, string[]>|null}
 */
export function movesOf(before, after) {
  const { data: old, layout: drawn = {}, ...others } = before;
  const { data, layout: wanted = {}, ...rest } = after;
  if (!same(others, rest) || !changedRanges(drawn, wanted)?.every(mayStay) || old.length !== data.length) return null;
  const moves = new Map();
  for (const [index, trace] of data.entries()) {
    const keys = [...union(old[index], trace)].filter((key) => !UNDRAWN.has(key) && !same(old[index][key], trace[key]));
    if (!keys.every((key) => isMove(key, old[index][key], trace[key]))) return null;
    if (keys.length) moves.set(index, keys);
  }
  return moves;
}

function isMove(key, old, now) {
  return DRAWN.has(key) ? alike(old, now) : /^error_[xy]$/.test(key) && onlyLengths(old, now);
}

/** Whether error bars changed in their lengths alone. */
function onlyLengths(old, now) {
  if (!isPlain(old) || !isPlain(now) || now.type !== "data" || now.symmetric !== false) return false;
  return [...union(old, now)].every((part) => same(old[part], now[part]) || (/^array(minus)?$/.test(part) && alike(old[part], now[part])));
}

/** The axes whose range changed, [key, old range, new range] each; null if anything else of the layout did. */
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

/**
 * While a slider moves: `wanted` with room where it outgrew what is drawn, so that the next frames need no new axes. Marks
 * in units that fit their axis, which has ticks of its own for them, outgrow it no further.
 */
export function roomy(drawn, wanted) {
  const changed = changedRanges(drawn, wanted);
  if (!changed?.length) return wanted;
  const layout = { ...wanted };
  for (const [key, [low, high], [from, to]] of changed) {
    const { tickvals, minallowed = -Infinity, maxallowed = Infinity } = wanted[key];
    if (tickvals) continue;
    const room = ROOM * (to - from);
    const range = [from < low ? Math.max(from - room, minallowed) : from, to > high ? Math.min(to + room, maxallowed) : to];
    layout[key] = { ...wanted[key], range };
  }
  return layout;
}

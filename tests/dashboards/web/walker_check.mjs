// A plot by keyboard, in node: where each key leads, and what Enter and Space report.

import assert from "node:assert/strict";
import { Walker } from "../../../dashboards/web/charts/walker.js";

const LINE = { type: "scatter", name: "line", x: [1, 2, null, 4], y: [5, 6, 7, 8], customdata: [10, 20, 30, 40] };
const BARS = { type: "bar", name: "right", meta: { of: "g", part: "clean" }, x: ["a", "b"], y: [1, 2] };
const HIDDEN = { type: "scatter", hoverinfo: "skip", x: [1], y: [1] };
const HEAT = { type: "heatmap", name: "mistakes", x: ["p", "q", "r"], y: ["s", "t"], z: [[1, 2, 3], [4, 5, 6]] };

function walk(data, layout, keys, more) {
  const seen = { hovered: [], clicked: [], selected: [], said: [] };
  const walker = new Walker(() => ({ data, layout }), {
    hover: (at) => seen.hovered.push(at),
    click: (point, given) => seen.clicked.push([point, given]),
    select: (point, given) => seen.selected.push([point, given]),
    say: (text) => seen.said.push(text),
  });
  seen.handled = keys.map((key) => walker.key(key, more));
  return seen;
}

// lines: points one after the other, what is missing passed over, traces above and below
const line = walk([LINE, HIDDEN, BARS], {}, ["ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowDown", "ArrowUp", "Home", "PageDown", "End"]);
assert.deepEqual(line.hovered.map(({ curve, point }) => [curve, point]), [[0, 0], [0, 1], [0, 3], [0, 3], [2, 1], [0, 1], [0, 0], [2, 0], [2, 1]]);

// Enter and Space: a click and a selection, with what goes along
const acts = walk([LINE, BARS], {}, ["Enter", "ArrowRight", "Enter", "PageDown", " ", "Escape", "Escape"], { add: true });
assert.deepEqual(acts.handled, [false, true, true, true, true, true, false]);
assert.deepEqual(acts.clicked.map(([{ trace, point, customdata }, more]) => [trace, point, customdata, more]), [["line", 0, 10, { add: true }]]);
assert.deepEqual(acts.selected.map(([{ meta, point }]) => [meta, point]), [[BARS.meta, 0]]);
assert.equal(acts.hovered.at(-1), null);

// a heat map: cells row by row; down is down on the screen, whichever way its axis runs
const cells = (layout, keys) => walk([HEAT, LINE], layout, keys).hovered.map(({ curve, point }) => [curve, point]);
assert.deepEqual(cells({}, ["ArrowRight", "ArrowRight", "ArrowUp", "ArrowUp", "ArrowDown"]), [[0, [0, 0]], [0, [0, 1]], [0, [1, 1]], [0, [1, 1]], [0, [0, 1]]]);
const reversed = { yaxis: { range: [1.5, -0.5] } };
assert.deepEqual(cells(reversed, ["Home", "ArrowDown", "ArrowLeft", "PageDown", "PageUp"]), [[0, [0, 0]], [0, [1, 0]], [0, [0, 2]], [1, 1], [0, [0, 1]]]);
const cell = walk([HEAT], reversed, ["Home", "ArrowDown", "ArrowRight", " "]);
assert.deepEqual(cell.selected[0][0].point, [1, 1]);
assert.deepEqual([cell.selected[0][0].x, cell.selected[0][0].y, cell.selected[0][0].z], ["q", "t", 5]);
assert.equal(cell.said.at(-1), "mistakes: q, t, 5");

// what a trace says its places stand for is read out; a click has the places
const named = walk([{ ...HEAT, x: [0, 1, 2], y: [0, 1], meta: { x: HEAT.x, y: HEAT.y } }], reversed, ["Home", "ArrowDown", " "]);
assert.deepEqual([named.said.at(-1), named.selected[0][0].x, named.selected[0][0].y], ["mistakes: p, t, 4", 0, 1]);
assert.equal(walk([{ ...BARS, x: [0, 1], meta: { x: ["a", "b"] } }], {}, ["End", "End"]).said.at(-1), "right: b, 2");
assert.deepEqual(walk([HIDDEN], {}, ["ArrowRight"]).handled, [false]);

console.log("all right");

// The comparison's plots show the numbers they are given, names as text; fails on the first thing that is wrong.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

const web = "../../../../dashboards/web";
const { Texts } = await import(`${web}/app/texts.js`);
const { FADED, shortened, signedText, wrapped } = await import(`${web}/compare/figures/labels.js`);
const { mediansFigure } = await import(`${web}/compare/figures/medians.js`);
const { gapsFigure } = await import(`${web}/compare/figures/gaps.js`);
const { matrixFigure } = await import(`${web}/compare/figures/matrix.js`);

const texts = new Texts(JSON.parse(await readFile(new URL(`${web}/compare/texts/en.json`, import.meta.url), "utf8")));
const colours = { right: "#56B4E9", wrong: "#D55E00", muted: "#8c8c8c", rob: "#0072B2" };
const near = (one, other) => assert.ok(Math.abs(one - other) < 1e-9, `${one}, not ${other}`);

// --- labels
for (const [name, room, label] of [
  ["digits", 8, "digits"],
  ["digits-square", 8, "digits-<br>square"],
  ["synthetic-100-classes", 7, "synthe…<br>100-<br>classes"],
  ["a-very-long-name-of-many-parts", 8, "a-very-<br>long-<br>name-of…"],
]) assert.equal(wrapped(name, room), label);
assert.equal(shortened("digits", 6), "digits");
assert.equal(shortened("digits-square-seed-3", 8), "digi…d-3");
for (const [value, digits, text] of [[-0.0004, 3, "+0.000"], [-0.25, 2, "−0.25"], [0.5, 1, "+0.5"]]) assert.equal(signedText(value, digits), text);

// --- medians
const median = (value, half, n) => ({ value, low: value - half, high: value + half, n });
const groups = (value, attacked = true) => {
  const [clean_right, clean_wrong, right, wrong] = [0, 1, 2, 3].map((i) => median(value + i / 10, 0.05, 50 + i));
  const [attacked_right, attacked_wrong] = attacked ? [right, wrong] : [null, null];
  return { clean_right, clean_wrong, attacked_right, attacked_wrong, attacked_itself: true, gap: attacked ? right.value - clean_wrong.value : NaN };
};
const MEDIANS = {
  first: { g: groups(0.5), h: groups(0.4), "LN h": groups(0.1), "M(h)": groups(0.6) },
  bare: { g: groups(0.5, false), h: groups(0.4, false), "LN h": groups(0.2, false) },
};
const made = mediansFigure(MEDIANS, null, texts, colours);
const traces = Object.fromEntries(made.data.map((trace) => [trace.meta.name, trace]));
assert.equal(made.data.length, 16);
assert.deepEqual(traces["LN h, attacked right"].customdata, ["first"]);
near(traces["LN h, attacked right"].y[0], 0.3);
assert.deepEqual(traces["LN h, clean wrong"].x, [0, 1]);
near(traces["LN h, clean wrong"].error_y.array[0], 0.05);
assert.match(traces["LN h, clean wrong"].hovertext[0], /95.%.interval 0.150 to 0.250, n = 51/);
const notes = made.layout.annotations.filter(({ x, yref }) => x === 0 && yref !== "paper").map(({ text }) => text);
assert.deepEqual(notes, ["+0.10", "+0.10", "+0.10", "+0.10"]);
assert.deepEqual(made.layout.annotations.filter(({ x, yref }) => x === 1 && yref !== "paper").map(({ text }) => text), ["no best"]);
assert.deepEqual(mediansFigure(MEDIANS, "bare", texts, colours).data[0].marker.opacity, [FADED, 1]);
const nothing = { value: NaN, low: NaN, high: NaN, n: 0 };
const odd = mediansFigure({ a: { ...MEDIANS.first, g: { ...groups(0.1), clean_right: nothing, clean_wrong: { ...median(0.3, NaN, 3) } } } }, null, texts, colours);
assert.deepEqual(odd.data[0].x, []);
assert.match(odd.data[1].hovertext[0], /too few for an interval, n = 3/);
const elsewhere = { a: { ...MEDIANS.first, g: { ...groups(0.5), attacked_itself: false } } };
assert.ok(mediansFigure(elsewhere, null, texts, colours).data.some(({ meta }) => meta.name.includes("not attacked")));

// --- names are text
const NAME = "<b>R&D</b> of a bundle whose name is as long as some are";
const strange = { [NAME]: MEDIANS.first };
assert.ok(mediansFigure(strange, NAME, texts, colours).data[0].hovertext[0].startsWith("&lt;b&gt;R&amp;D"));
assert.ok(!mediansFigure(strange, NAME, texts, colours).layout.xaxis.ticktext[0].includes("<b>"));
const strangeGaps = gapsFigure(strange, [], null, texts, colours);
assert.ok(strangeGaps.data[0].hovertext[0].startsWith("&lt;b&gt;R&amp;D"));
assert.ok(strangeGaps.layout.annotations[0].text.includes("&lt;b&gt;R&amp;D"));

// --- gaps
const gaps = gapsFigure(MEDIANS, [{ name: "Peng", gap: 0.395 }], null, texts, colours);
const [ours, theirs] = gaps.data;
assert.deepEqual(ours.customdata, ["first"]); // the other one has no attacked part
near(ours.x[0], 0.1);
assert.deepEqual([theirs.x, theirs.y], [[0.395], [0]]);
assert.deepEqual(gaps.layout.annotations.map(({ y }) => y), [1.16, 0.16]);
gapsFigure({}, [], null, texts, colours);

// --- the matrix
const share = (value) => ({ value, low: value - 0.05, high: value + 0.05, n: 100 });
const cell = (source, target, loss) => ({
  source, target, refused: null, clean: share(0.9), attacked: share(0.625), by_margin: share(0.5), warnings: [],
  to_own: { clean: { difference: { value: -loss, low: -loss - 0.01, high: -loss + 0.01 } } },
});
const refused = { source: "a", target: "c", refused: "no attack", clean: null, attacked: null, by_margin: null, to_own: {} };
const cells = [cell("a", "a", 0), cell("a", "b", 0.02), refused];
const matrix = matrixFigure(cells, ["a", "b", "c"], "clean", { source: "a", target: "b" }, texts, colours);
assert.deepEqual(matrix.data[0].z[0].map((z) => z && Math.round(z)), [-0, -2, null]);
assert.deepEqual(matrix.layout.annotations.map(({ text }) => text), ["90.0<br>own", "90.0<br>−2.0", "–"]);
assert.match(matrix.data[0].text[0][2], /no figures/);
assert.match(matrix.data[0].text[0][1], /90.00.%.*n = 100<br>against its own best −2.00 points/);
assert.deepEqual(matrix.data[0].customdata[0][1].slice(0, 4), [0.9, 0.9 - 0.05, 0.9 + 0.05, 100]);
assert.deepEqual(matrix.layout.shapes.map(({ x0, y0 }) => [x0, y0]), [[0.5, -0.5]]);
const named = matrixFigure([cell("<b>", "<b>", 0)], ["<b>"], "clean", null, texts, colours);
assert.deepEqual(named.layout.yaxis.ticktext, ["&lt;b&gt;"]);
assert.deepEqual(named.data[0].meta.x, ["<b>"]);
assert.ok(named.data[0].text[0][0].startsWith("s, p, c of &lt;b&gt;, applied to &lt;b&gt;"));
assert.match(matrixFigure([], ["a"], "clean", null, texts, colours).layout.annotations[0].text, /needs attacked images/);

console.log("all right");

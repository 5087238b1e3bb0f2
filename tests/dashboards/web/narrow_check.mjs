// Figures in narrow places, in node: which titles take more lines, which are shared, and that all is left alone where there is room.

import assert from "node:assert/strict";
import { fitted, wrapped } from "../../../dashboards/web/charts/narrow.js";

const measure = (text, size) => (text.replace(/<[^>]*>/g, "").length * size) / 2; // every letter half as wide as high
const title = (text, x, y) => ({ text, x, y, xref: "paper", yref: "paper", xanchor: "center", yanchor: "bottom", showarrow: false, font: { size: 12 } });

// lines: at marks first, then between words; a word that is too wide stands alone
assert.deepEqual(wrapped("Case 1: large margin", 200, 12, measure), ["Case 1: large margin"]);
assert.deepEqual(wrapped("Case 1: large margin", 80, 12, measure), ["Case 1:", "large margin"]);
assert.deepEqual(wrapped("h 0.69, Fig. 3 0.93, M(h) 0.19", 90, 12, measure), ["h 0.69,", "Fig. 3 0.93,", "M(h) 0.19"]);
assert.deepEqual(wrapped("logit of the robust model", 80, 12, measure), ["logit of the", "robust model"]);
assert.deepEqual(wrapped("incomprehensibilities", 10, 12, measure), ["incomprehensibilities"]);

// two rows of two subplots
const axis = (domain, text) => ({ domain, title: { text }, nticks: 8 });
const rows = (size) => fitted({
  data: [{ type: "bar", x: [1], y: [1] }],
  layout: {
    margin: { l: 20, r: 20, t: 20, b: 40 },
    xaxis: axis([0, 0.45], ""), xaxis2: axis([0.55, 1], ""), xaxis3: axis([0, 0.45], "confidence margin"), xaxis4: axis([0.55, 1], "confidence margin"),
    yaxis: { domain: [0.6, 1] }, yaxis2: { domain: [0.6, 1] }, yaxis3: { domain: [0, 0.4] }, yaxis4: { domain: [0, 0.4] },
    annotations: [title("<b>g</b>, clean", 0.225, 1), title("h, attacked", 0.775, 1), title("<b>g</b>, attacked", 0.225, 0.4), title("h", 0.775, 0.4)],
  },
}, size, measure).layout;
const wide = rows({ width: 640, height: 260 });
assert.equal(wide.xaxis3.title.text, "confidence margin");
assert.deepEqual(wide.annotations.map(({ text }) => text), ["<b>g</b>, clean", "h, attacked", "<b>g</b>, attacked", "h"]);
assert.equal(wide.xaxis.nticks, 8);
const narrow = rows({ width: 160, height: 260 });
assert.deepEqual([narrow.xaxis3.title.text, narrow.xaxis4.title.text], ["", ""]);
assert.deepEqual(narrow.annotations.map(({ text }) => text), ["<b>g</b>, clean", "h,<br>attacked", "<b>g</b>,<br>attacked", "h", "confidence margin"]);
const shared = narrow.annotations.at(-1);
assert.deepEqual([shared.x, shared.y, shared.yanchor], [0.5, 0, "top"]);
assert.ok(narrow.margin.t > 35 && narrow.margin.b === 40); // the upper row's second line, above the plot
assert.ok(narrow.yaxis3.domain[1] < 0.4 && narrow.yaxis3.domain[1] === narrow.annotations[2].y && narrow.annotations[3].y === narrow.annotations[2].y);
assert.deepEqual(narrow.yaxis.domain, [0.6, 1]);
assert.deepEqual([narrow.xaxis.nticks, narrow.xaxis.tickangle], [2, 0]);

// one plot: its axis' title takes more lines, and the margin with it
const single = { data: [], layout: { margin: { l: 40, r: 10, t: 10, b: 40 }, xaxis: { title: { text: "layer-normed logit of the robust model" } } } };
assert.equal(fitted(single, { width: 600, height: 200 }, measure), single); // nothing is copied in a wide place: a drag asks in every frame
const tight = fitted(single, { width: 200, height: 200 }, measure).layout;
assert.equal(tight.xaxis.title.text, "layer-normed logit of the<br>robust model");
assert.ok(tight.margin.b > 50);

// an upright title takes more lines where the axis is shorter, and where a legend takes the height
const upright = (height, names, legend) => fitted({
  data: names.map((name) => ({ type: "scatter", name, x: [1], y: [1] })),
  layout: { margin: { l: 50, r: 10, t: 10, b: 40 }, yaxis: { title: { text: "accuracy under attack" } }, showlegend: true, legend },
}, { width: 160, height }, measure).layout;
const below = { yref: "container", font: { size: 10 } };
assert.equal(upright(200, ["a", "b"], below).yaxis.title.text, "accuracy under attack");
assert.equal(upright(200, ["a", "b"], below).margin.l, 50);
assert.deepEqual([upright(110, [], below).yaxis.title.text, upright(110, [], below).margin.l > 60], ["accuracy<br>under attack", true]);
const crowded = Array.from({ length: 4 }, (_, at) => `the entry ${at}`);
assert.equal(upright(200, crowded, below).yaxis.title.text, "accuracy under<br>attack");
assert.equal(upright(200, crowded, {}).yaxis.title.text, "accuracy under attack"); // it stands beside the plot

// a word that is wider than its room: the whole row in smaller letters
const slices = { data: [], layout: { annotations: [0, 1, 2].map((i) => title(`p ${i}.25`, (i + 0.5) / 3, 1)) } };
const small = fitted(slices, { width: 90, height: 100 }, measure).layout.annotations;
assert.deepEqual(small.map(({ text, font }) => [text, font.size]), [0, 1, 2].map((i) => [`p<br>${i}.25`, 11]));

// titles that begin where their subplots do: up to the next one, and up to the edge
const begun = { data: [], layout: { annotations: ["the first", "the other"].map((text, at) => ({ ...title(text, at / 2, 1), xanchor: "left" })) } };
const halves = (width) => fitted(begun, { width, height: 100 }, measure).layout.annotations.map(({ text }) => text);
assert.deepEqual(halves(130), ["the first", "the other"]);
assert.deepEqual(halves(110), ["the<br>first", "the<br>other"]);

// lines over bars: as wide as their subplot, and the axis makes room
const caption = { mode: "text", meta: { furniture: true }, x: [1], y: [1], text: ["margin g 0.5,<br>h 0.25, M(h) 0.125"], textfont: { size: 10 } };
const bars = fitted({ data: [caption], layout: { xaxis: {}, yaxis: { range: [0, 1.2] } } }, { width: 70, height: 130 }, measure);
assert.deepEqual(bars.data[0].text, ["margin g 0.5,<br>h 0.25,<br>M(h) 0.125"]);
assert.ok(Math.abs(bars.layout.yaxis.range[1] - 1.32) < 1e-9); // 13 pixels of 130 more

console.log("all right");

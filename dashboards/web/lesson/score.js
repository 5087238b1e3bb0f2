// The thread through the steps: how many clean mistakes lie above the line, after each stage that has been looked at.

import { fill, h } from "../controls/dom.js";
import { mistakesAbove } from "./facts.js";
import { LEVEL } from "./lab.js";
import { percentText } from "../app/texts.js";

const FROM = "norm"; // the first step that shows it

/** @type {{name: string, step: string, mix: (lab: import("./lab.js").Lab) => object}[]} With the step whose answer gives it away. */
const STAGES = [
  { name: "raw", step: "line", mix: (lab) => lab.raw },
  { name: "normed", step: "norm", mix: (lab) => lab.layerNormed },
  { name: "clamped", step: "clamp", mix: (lab) => lab.best && lab.powered(lab.best.c, 1) },
  { name: "powered", step: "power", mix: (lab) => lab.best && lab.powered(lab.best.c, lab.best.p) },
  { name: "best", step: "power", mix: (lab) => lab.best && lab.chosen() },
];

/** What the score asks of the engine: the stages that are known by now. */
export function scoreWants(lab, state, order) {
  if (!lab.survives || !lab.wrong || order.indexOf(FROM) > state.step - 1) return {};
  const known = STAGES.filter(({ step, mix }) => step in state.said && mix(lab));
  return Object.fromEntries(known.map(({ name, mix }) => [`score.${name}`, { params: mix(lab), views: ["images"] }]));
}

/** Show the score in its place; the names of its rows may have fields. */
export function showScore(place, got, fields, texts) {
  const rows = STAGES.filter(({ name }) => got[`score.${name}`]).map(({ name }) => [name, mistakesAbove(got[`score.${name}`])]);
  if (!rows.length) return fill(place);
  const row = ([name, share]) =>
    h("tr", null, h("th", { scope: "row" }, texts.plain(`score.${name}`, fields)),
      h("td", { class: "bar-cell" }, h("span", { class: "bar", style: { width: `${100 * share.value}%` } })),
      h("td", { class: "number" }, percentText(share.value)));
  fill(place, h("table", { class: "score" }, h("caption", null, texts.plain("score.title"), h("small", null, texts.plain("score.note", { level: LEVEL }))), h("tbody", null, rows.map(row))));
}

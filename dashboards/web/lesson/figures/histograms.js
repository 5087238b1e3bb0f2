// Margins of groups of images as histograms over each other, each in per cent of its own number; and the line between them.

import { localNumber } from "../../controls/words.js";
import { thousands } from "../../engine/text.js";
import { GUESS, beside, layoutOf, movingLine, tag, translucent, upright } from "./style.js";

const BINS = 25;
const MIDDLES = Array.from({ length: BINS }, (_, i) => (i + 0.5) / BINS);

/**
 * @typedef {object} Group
 * @property {string} name
 * @property {ArrayLike<number>} margins
 * @property {string} colour
 * @property {number} [median] Marked where it is given.
 */

/**
 * @param {Group[]} groups The first lies at the back.
 * @param {{line?: number, guess?: number}} marks
 * @param {import("../../app/texts.js").Texts} texts
 * @param {Object<string, string>} colours
 */
export function histograms(groups, { line = null, guess = null }, texts, colours) {
  const layout = { ...layoutOf(texts.plain("axis.margin"), texts.plain("axis.share"), { legend: true }), barmode: "overlay", bargap: 0.03 };
  layout.xaxis.range = [0, 1];
  const data = groups.map(({ name, margins, colour }) => {
    const counts = countsOf(margins);
    return {
      type: "bar", name: `${name} (n = ${localNumber(thousands(margins.length))})`, x: MIDDLES, y: counts.map((one) => (100 * one) / Math.max(1, margins.length)), customdata: counts,
      marker: { color: translucent(colour, 0.6) }, hovertemplate: `%{x:.2f}: %{y:.1f} % (%{customdata})<extra>${name}</extra>`,
    };
  });
  const top = 1.06 * Math.max(1, ...data.flatMap(({ y }) => y));
  layout.yaxis.range = [0, top];
  for (const { median, colour } of groups.filter(({ median }) => Number.isFinite(median))) {
    layout.shapes.push(upright(median, colour, "solid"));
    const lower = -26 * layout.annotations.length;
    layout.annotations.push(tag(median, 1, texts.plain("plot.median", { value: median }), colour, { yref: "paper", yanchor: "top", yshift: lower, ...beside(median) }));
  }
  if (guess !== null) {
    layout.shapes.push(upright(guess, GUESS, "dash"));
    layout.annotations.push(tag(guess, 0.55, texts.plain("guess.name"), GUESS, { yref: "paper", ...beside(guess) }));
  }
  if (line !== null) data.push(movingLine(line, [0, top], texts.plain("plot.line"), line, colours.mix));
  return { data, layout };
}

function countsOf(margins) {
  const counts = new Array(BINS).fill(0);
  for (let i = 0; i < margins.length; i++) counts[Math.min(BINS - 1, Math.floor(margins[i] * BINS))]++;
  return counts;
}

// Margin gaps of LN∘h: these bundles' above, those printed in the paper's Fig. 7 below.

import { escaped, whole } from "../../charts/names.js";
import { FADED, shortened, signedText } from "./labels.js";

const ROOM = 30; // characters of a name
const END = 0.86; // of the axis: the paper's largest gap and a little more

/**
 * @param {Object<string, Object<string, object>>} medians By bundle, then by classifier.
 * @param {{name: string, gap: number}[]} paper
 * @param {string|null} chosen Bundle to stand out.
 * @param {import("../../app/texts.js").Texts} texts
 * @param {Object<string, string>} colours
 */
export function gapsFigure(medians, paper, chosen, texts, colours) {
  const ours = Object.entries(medians).map(([name, own]) => ({ name, gap: own["LN h"].gap })).filter(({ gap }) => Number.isFinite(gap));
  const all = [...ours, ...paper];
  const placed = all.map((row, at) => ({ ...row, place: all.length - 1 - at }));
  const [mine, theirs] = [placed.slice(0, ours.length), placed.slice(ours.length)];
  const marks = { opacity: mine.map(({ name }) => (chosen === null || chosen === name ? 1 : FADED)) };
  const low = Math.min(0, ...ours.map(({ gap }) => gap));
  const layout = {
    margin: { l: 10, r: 14, t: 4, b: 74 }, barmode: "overlay", showlegend: true,
    legend: { orientation: "h", x: 0, y: 0, yref: "container", yanchor: "bottom", font: { size: 11 } },
    xaxis: { title: { text: texts.plain("gaps.axis"), standoff: 6 }, range: [1.08 * low, Math.max(END, 1.08 * Math.max(0, ...ours.map(({ gap }) => gap)))], fixedrange: true },
    yaxis: { visible: false, range: [-0.6, all.length - 0.2], fixedrange: true },
    annotations: placed.map(({ name, gap, place }) => ({
      x: 0, y: place + 0.16, xanchor: "left", yanchor: "bottom", showarrow: false, font: { size: 11 },
      text: `<b>${signedText(gap, 3)}</b> ${escaped(shortened(name, ROOM))}`, // the number first: the end of a long name may be cut off
    })),
  };
  return { data: [bars(texts.plain("gaps.ours"), mine, colours.rob, marks), bars(texts.plain("gaps.paper"), theirs, colours.muted, {})], layout };
}

function bars(label, rows, colour, marks) {
  return {
    type: "bar", orientation: "h", name: label, width: 0.3, x: rows.map(({ gap }) => gap), y: rows.map(({ place }) => place),
    meta: { name: label, y: rows.map(({ name }) => name) }, customdata: rows.map(({ name }) => name), hovertext: rows.map(({ name }) => whole(name)),
    marker: { color: colour, ...marks }, hovertemplate: "%{hovertext}<br>%{x:.3f}<extra></extra>",
  };
}

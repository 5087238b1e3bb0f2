// Bars: accuracies of both models, probabilities of one image, what the mix makes of h's answers.

import { localNumber } from "../../controls/words.js";
import { decimals, percentText } from "../../app/texts.js";
import { thousands } from "../../engine/text.js";
import { GUESS, INK, layoutOf, tag, translucent } from "./style.js";

/**
 * Accuracies with their intervals; one that is to be guessed is a question mark. A pale bar lets the page through, so the number in it
 * has the colour of the page's letters, as notes have.
 *
 * @param {{place: string, estimate: object|null, colour: string, ink: string, pale?: boolean}[]} bars
 * @param {{place: string, share: number}|null} guess
 */
export function accuracyBars(bars, guess, texts, colours) {
  const shown = bars.filter(({ estimate }) => estimate);
  const percent = (key) => shown.map(({ estimate }) => 100 * estimate[key]);
  const [y, low, high] = ["value", "low", "high"].map(percent);
  const layout = layoutOf("", texts.plain("axis.accuracy"));
  layout.yaxis.range = [0, 104];
  const places = bars.map(({ place }) => place);
  Object.assign(layout.xaxis, { type: "category", categoryorder: "array", categoryarray: places, range: [-0.5, places.length - 0.5] });
  for (const { place, estimate, ink, pale } of bars) {
    const number = { y: 0, yanchor: "bottom", text: percentText(estimate?.value), font: { size: 15, ...(pale ? {} : { color: ink }) } };
    layout.annotations.push({ x: place, showarrow: false, ...(estimate ? number : { y: 46, text: "?", font: { size: 38 } }) });
  }
  const data = [
    {
      type: "bar", x: shown.map(({ place }) => place), y, name: texts.plain("axis.accuracy"),
      marker: { color: shown.map(({ colour, pale }) => translucent(colour, pale ? 0.3 : 0.9)), line: { color: shown.map(({ colour }) => colour), width: 2 } },
      error_y: { type: "data", symmetric: false, array: y.map((value, i) => high[i] - value), arrayminus: y.map((value, i) => value - low[i]), width: 7, color: colours.muted },
      hovertemplate: "%{x}: %{y:.1f} %<extra></extra>",
    },
  ];
  if (guess) {
    data.push({ type: "scatter", mode: "markers", x: [guess.place], y: [100 * guess.share], name: texts.plain("guess.name"), showlegend: false, marker: { symbol: "line-ew-open", size: 40, color: GUESS, line: { width: 4 } } });
    layout.annotations.push(tag(guess.place, 100 * guess.share, texts.plain("guess.name"), GUESS, { yanchor: "bottom", yshift: 4 }));
  }
  return { data, layout };
}

/**
 * Probabilities with the lead of the first class over the second.
 *
 * @param {string[]} names The most probable first.
 * @param {number[]} values
 * @param {string[]} paints
 */
export function leadBars(names, values, paints, texts, colours) {
  const layout = layoutOf("", texts.plain("axis.probability"));
  layout.yaxis.range = [0, 1.08];
  layout.xaxis.type = "category";
  const [first, second] = values;
  const dotted = { type: "line", xref: "paper", x0: 0, x1: 1, line: { color: colours.muted, dash: "dot" } };
  const middle = names.length > 2 ? 1.5 : 0.5; // between two bars
  layout.shapes = [{ ...dotted, y0: first, y1: first }, { ...dotted, y0: second, y1: second },
    { type: "line", x0: middle, x1: middle, y0: second, y1: first, line: { color: colours.mix, width: 5 } }];
  const data = [{
    type: "bar", x: names, y: values, name: texts.plain("axis.probability"), marker: { color: paints }, text: values.map((value) => (value >= 0.005 ? decimals(value, 2) : "")),
    textposition: values.map((value) => (value >= 0.1 ? "inside" : "outside")), insidetextanchor: "middle", textangle: 0, cliponaxis: false, hovertemplate: "%{x}: %{y:.4f}<extra></extra>",
  }];
  return { data, layout };
}

/**
 * Groups of images that fall into parts, as one lying bar each, in per cent of the group.
 *
 * @param {{name: string, n: number, parts: {name: string, count: number, colour: string}[]}[]} groups
 */
export function partBars(groups, texts) {
  const layout = { ...layoutOf(texts.plain("mix.axis"), "", { legend: true }), barmode: "stack" };
  layout.xaxis.range = [0, 100];
  Object.assign(layout.yaxis, { type: "category", categoryorder: "array", categoryarray: groups.map(({ name }) => name).reverse() });
  layout.margin.l = 104;
  layout.legend.traceorder = "normal"; // as the parts follow each other in a bar
  const data = groups.flatMap(({ name, n, parts }) => parts.map((part) => ({
    type: "bar", orientation: "h", x: [(100 * part.count) / Math.max(1, n)], y: [name], name: part.name, text: [part.count ? localNumber(thousands(part.count)) : ""],
    textposition: "inside", textangle: 0, insidetextanchor: "middle", textfont: { size: 14, color: INK }, marker: { color: part.colour }, hovertemplate: `${part.name}: %{x:.1f} % (${part.count})<extra></extra>`,
  })));
  return { data, layout };
}

// The transfer matrix: what each bundle's best parameters do on each bundle, and how far that is from its own best.

import { escaped, whole } from "../../charts/names.js";
import { fixed } from "../../controls/numbers.js";
import { nameAxis, shortened, signedText, translucent } from "./labels.js";

const LEAST = 0.005; // share that has the full colour at least
const ROOM = 27; // characters of all names below
const SIDE = 13; // of each name on the left

/**
 * @param {import("../comparison.js").Transfer[]} transfers
 * @param {string[]} names All bundles.
 * @param {string} figure Which of `FIGURES`.
 * @param {{source: string, target: string}|null} chosen The pair to mark.
 * @param {import("../../app/texts.js").Texts} texts
 * @param {Object<string, string>} colours
 */
export function matrixFigure(transfers, names, figure, chosen, texts, colours) {
  const sources = [...new Set(transfers.map(({ source }) => source))];
  if (!sources.length) return empty(texts.plain("matrix.empty"));
  const rows = sources.map((source) => names.map((target) => transfers.find((cell) => cell.source === source && cell.target === target)));
  const differences = rows.flat().map((cell) => Math.abs(cell.to_own[figure]?.difference.value ?? 0));
  const reach = 100 * Math.max(LEAST, ...differences);
  const data = [{
    type: "heatmap", meta: { name: texts.plain(`figure.${figure}`), x: names, y: sources }, x: names.map((_, i) => i), y: sources.map((_, i) => i),
    z: rows.map((row) => row.map((cell) => points(cell, figure) ?? null)), customdata: rows.map((row) => row.map((cell) => numbers(cell, figure))),
    text: rows.map((row) => row.map((cell) => hover(cell, figure, texts))), hovertemplate: "%{text}<extra></extra>", hoverongaps: true, xgap: 2, ygap: 2,
    zmin: -reach, zmax: reach, showscale: false, colorscale: [[0, translucent(colours.wrong, 0.55)], [0.5, translucent(colours.muted, 0.1)], [1, translucent(colours.right, 0.55)]],
  }];
  const size = names.length < 5 ? 12 : 10;
  const layout = {
    margin: { l: 54, r: 8, t: 6, b: 48 },
    xaxis: { ...nameAxis(names, ROOM), title: { text: texts.plain("matrix.target"), standoff: 4 } },
    yaxis: {
      range: [sources.length - 0.5, -0.5], showgrid: false, zeroline: false, fixedrange: true, tickfont: { size: 10 }, tickvals: sources.map((_, i) => i),
      ticktext: sources.map((name) => escaped(shortened(name, SIDE))), title: { text: texts.plain("matrix.source"), standoff: 6 },
    },
    annotations: rows.flatMap((row, y) => row.map((cell, x) => ({ x, y, text: cellText(cell, figure, texts), showarrow: false, font: { size } }))),
    shapes: chosen && sources.includes(chosen.source) && names.includes(chosen.target) ? [frame(names.indexOf(chosen.target), sources.indexOf(chosen.source), colours.rob)] : [],
  };
  return { data, layout };
}

/** A plot that says why it shows nothing. */
function empty(text) {
  const axis = { visible: false };
  return { data: [], layout: { xaxis: axis, yaxis: axis, annotations: [{ text, x: 0.5, y: 0.5, xref: "paper", yref: "paper", showarrow: false }] } };
}

function points(cell, figure) {
  const difference = cell.to_own[figure]?.difference;
  return difference && 100 * difference.value;
}

/** What a cell holds, for a table: its share, n, and the difference with its interval. */
function numbers(cell, figure) {
  const [own, difference] = [cell[figure], cell.to_own[figure]?.difference];
  return [own?.value, own?.low, own?.high, own?.n, difference?.low, difference?.high].map((value) => value ?? null);
}

function cellText(cell, figure, texts) {
  if (!cell[figure]) return "–";
  const own = cell.source === cell.target;
  const below = own ? texts.plain("matrix.own") : figure in cell.to_own ? signedText(points(cell, figure), 1) : "";
  return `${fixed(100 * cell[figure].value, 1)}<br>${below}`;
}

function hover(cell, figure, texts) {
  const names = { source: whole(cell.source), target: whole(cell.target) };
  const head = texts.plain("matrix.hover", names);
  const found = cell[figure];
  if (!found) return `${head}<br>${texts.plain(cell.refused ? "matrix.refused" : "matrix.no_attack")}`;
  const difference = cell.to_own[figure]?.difference;
  const last = difference && cell.source !== cell.target ? `<br>${texts.plain("matrix.difference", inPoints(difference))}` : "";
  return `${head}<br>${texts.plain("matrix.share", found)}${last}`;
}

function inPoints({ value, low, high }) {
  return { value: 100 * value, low: 100 * low, high: 100 * high };
}

/** A frame around one cell. */
function frame(x, y, color) {
  return { type: "rect", x0: x - 0.5, x1: x + 0.5, y0: y - 0.5, y1: y + 0.5, line: { color, width: 3 } };
}

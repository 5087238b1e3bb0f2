// Median margins in four groups for each bundle, one pane a classifier, with their 95 % intervals (Fig. 7).

import { whole } from "../../charts/names.js";
import { minus } from "../../controls/numbers.js";
import { thousands } from "../../engine/text.js";
import { above, axis, axisKey, FADED, nameAxis, signedText, translucent } from "./labels.js";

export const CLASSIFIERS = ["g", "h", "LN h", "M(h)"];
const GROUPS = [["clean_right", "right", ""], ["clean_wrong", "wrong", ""], ["attacked_right", "right", "/"], ["attacked_wrong", "wrong", "/"]];
const ROOM = 38; // characters of a pane's names

/**
 * @param {Object<string, Object<string, object>>} medians By bundle, then by classifier.
 * @param {string|null} chosen Bundle to stand out.
 * @param {import("../../app/texts.js").Texts} texts
 * @param {Object<string, string>} colours
 */
export function mediansFigure(medians, chosen, texts, colours) {
  const data = CLASSIFIERS.flatMap((_, pane) => GROUPS.map((group) => bars(medians, pane, group, chosen, texts, colours)));
  const legend = { orientation: "h", x: 0, y: 0, yref: "container", yanchor: "bottom", font: { size: 11 } };
  const layout = { margin: { l: 52, r: 8, t: 26, b: 74 }, barmode: "group", bargap: 0.28, showlegend: true, legend, annotations: [] };
  CLASSIFIERS.forEach((key, pane) => {
    const [row, column] = [Math.floor(pane / 2), pane % 2];
    const [x, y] = [0.53 * column, 1 - 0.58 * row];
    layout[axisKey("x", pane)] = { ...nameAxis(Object.keys(medians), ROOM), domain: [x, x + 0.47], anchor: axis("y", pane) };
    layout[axisKey("y", pane)] = {
      domain: [y - 0.42, y], anchor: axis("x", pane), range: [0, 1.14], tickvals: [0, 0.25, 0.5, 0.75, 1], zeroline: false, fixedrange: true,
      title: { text: column ? "" : texts.plain("medians.axis"), standoff: 6 }, ...(pane ? { matches: "y" } : {}),
    };
    const about = texts.plain(attackedItself(medians, key) ? `classifier.${key}` : "medians.not_attacked");
    layout.annotations.push(above(`<b>${key}</b> ${about}`, x, y), ...gaps(medians, pane, texts));
  });
  return { data, layout };
}

/** The bars of one group of images in one pane; none for a bundle that lacks the group. */
function bars(medians, pane, [group, kind, pattern], chosen, texts, colours) {
  const key = CLASSIFIERS[pane];
  const rows = Object.entries(medians).map(([name, own], place) => ({ name, place, median: own[key]?.[group] })).filter(({ median }) => median?.n);
  const of = (value) => rows.map(({ median }) => value(median));
  const name = texts.plain(`group.${group}`);
  const where = group.startsWith("attacked") && !attackedItself(medians, key) ? texts.plain(`group.${group}.elsewhere`) : name;
  return {
    type: "bar", name, legendgroup: name, showlegend: pane === 0,
    meta: { name: `${key}, ${where}`, x: rows.map((row) => row.name) },
    x: rows.map(({ place }) => place), y: of(({ value }) => value), customdata: rows.map((row) => row.name),
    error_y: { type: "data", symmetric: false, array: of(({ high, value }) => high - value), arrayminus: of(({ value, low }) => value - low), color: colours.muted, thickness: 1.2, width: 2 },
    hovertext: rows.map((row) => `${whole(row.name)}, ${where}<br>${texts.plain("medians.hover", row.median)}<br>${intervalText(row.median, texts)}`),
    hovertemplate: "%{hovertext}<extra></extra>",
    marker: { color: translucent(colours[kind], 0.8), opacity: rows.map((row) => (chosen === null || chosen === row.name ? 1 : FADED)), pattern: { shape: pattern, size: 6 } },
    xaxis: axis("x", pane), yaxis: axis("y", pane),
  };
}

/** Whether a classifier stands at its own points in all bundles. */
function attackedItself(medians, key) {
  return Object.values(medians).every((own) => own[key]?.attacked_itself ?? true);
}

function intervalText({ low, high, n }, texts) {
  if (!Number.isFinite(low)) return texts.plain("medians.few", { n: thousands(n) });
  return minus(texts.plain("medians.interval", { low, high, n: thousands(n) }));
}

/** The margin gap over each bundle's bars. */
function gaps(medians, pane, texts) {
  return Object.values(medians).flatMap((own, x) => {
    const groups = own[CLASSIFIERS[pane]];
    if (groups && !Number.isFinite(groups.gap)) return [];
    const text = groups ? signedText(groups.gap, 2) : texts.plain("medians.no_best");
    return [{ x, y: 1.02, xref: axis("x", pane), yref: axis("y", pane), text, yanchor: "bottom", showarrow: false, font: { size: 11 } }];
  });
}

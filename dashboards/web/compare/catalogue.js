// The comparison's plots as the charts take them.

import { FIGURES } from "./comparison.js";

const NOTHING = { data: [], layout: {}, note: "", alternative: "" };
export const MARGINS = ["medians", "gaps"];
export const MATRIX = FIGURES.map((figure) => `transfer_${figure}`);
const CELL = "accuracy accuracy_low accuracy_high n difference_low difference_high";

/**
 * @param {import("../app/texts.js").Texts} texts
 * @param {object} themes See `dashboards/figures/themes.py`.
 */
export function catalogueOf(texts, themes) {
  const drawn = (name) => ({ $: `drawn.${name}` });
  const panel = (name, title, span, height, columns) => ({
    name, title, span, height, columns, views: [], note: drawn("note"), alternative: drawn("alternative"), warning: [], options: [], selects: false,
  });
  const panels = [
    panel("medians", texts.plain("medians.title"), 8, 440, { x: "bundle", y: "median" }),
    panel("gaps", texts.plain("gaps.title"), 4, 440, { x: "gap", y: "name" }),
    ...FIGURES.map((figure, at) => panel(MATRIX[at], texts.plain(`matrix.${figure}`), 4, 270, { x: "applied_to", y: "parameters_of", z: "difference_points", customdata: CELL })),
  ];
  const templates = Object.fromEntries(panels.map(({ name }) => [name, { data: drawn("data"), layout: drawn("layout") }]));
  return { panels, templates, themes };
}

/** A panel's fields with its figure. */
export function prepare(name, fields) {
  return { ...fields, drawn: fields.figures?.[name] ?? NOTHING };
}

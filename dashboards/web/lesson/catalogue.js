// The lesson's plots as the charts take them: one panel a step, of which one is seen.

import { STEPS } from "./steps.js";

const HEIGHT = 380; // pixels
const NOTHING = { data: [], layout: {}, note: "", alternative: "" };

/**
 * @param {import("../app/texts.js").Texts} texts
 * @param {object} themes See `dashboards/figures/themes.py`.
 */
export function catalogueOf(texts, themes) {
  const drawn = (name) => ({ $: `drawn.${name}` });
  const panel = ({ key }) => ({
    name: key, title: texts.plain(`${key}.plot`), span: 12, height: HEIGHT, views: [], note: drawn("note"), alternative: drawn("alternative"),
    columns: {}, warning: [], options: [], selects: false,
  });
  const templates = Object.fromEntries(STEPS.map(({ key }) => [key, { data: drawn("data"), layout: drawn("layout") }]));
  return { panels: STEPS.map(panel), templates, themes };
}

/** A panel's fields with its figure. */
export function prepare(name, fields) {
  return { ...fields, drawn: fields.figures?.[name] ?? NOTHING };
}

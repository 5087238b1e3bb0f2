// What a frame of the engine is to plots and components: with the bundle's own figures, verifications and the page's switches.

import { ON } from "../app/settings.js";
import { filledIn, verifiedMixes } from "./known.js";

/** The plots' switches as a state has them. */
export function optionsOf(state, { panels }) {
  const names = panels.flatMap(({ options }) => options.map(({ name }) => name));
  return Object.fromEntries(names.map((name) => [name, state[name] === ON]));
}

/**
 * One moment of a page.
 * @param {object} state What was asked for.
 * @param {import("../app/open_bundle.js").OpenBundle} bundle
 * @param {object} frame The engine's answer.
 */
export function momentOf(state, { meta, base, images }, { remix, views }) {
  const verified = verifiedMixes(meta).of(remix.params)?.verified ?? null;
  const headline = { ...views.headline, mix: { ...views.headline.mix, verified } };
  return { state, meta, base, images, remix, views: { ...views, headline } };
}

/** What the plots of a moment are drawn from; `robustbench`: models of Fig. 2. */
export function fieldsOf({ state, meta, remix, views }, robustbench) {
  const example = state.case === "paper" ? null : { where: state.case, row: state.row };
  const configs = meta.configs.map((config) => ({ ...config, params: filledIn(config) }));
  const methods = meta.methods.filter(({ attacked }) => attacked); // the others have no place on the plane
  return { ...views, remix, state: { ...state, example }, meta: { ...meta, configs, methods }, paper: { robustbench } };
}

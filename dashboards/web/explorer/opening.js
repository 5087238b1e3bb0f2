// The mix that a page opens on where nobody chose s, p and c: the best that is at hand for the level.

import { changesTo, mixOf } from "../app/settings.js";
import { IDENTITY, isPlain } from "../engine/params.js";

/**
 * The configuration at hand that was verified at the level of a state, with its clamp, layer norm and temperature.
 *
 * @param {object} meta The bundle's.
 * @param {object} state
 * @returns {import("../engine/params.js").MixParams|null}
 */
function chosenFor(meta, state) {
  const fits = ({ params, verified }) => {
    const level = state.by_hand ? params.alpha === state.alpha : params.beta === state.beta;
    return verified && level && !isPlain(params) && ["clamp", "ln_k", "temperature"].every((name) => params[name] === state[name]);
  };
  return meta.configs.find(fits)?.params ?? null;
}

/**
 * The changes that bring a state to the mix that its page opens on, as far as that is known at once.
 *
 * @returns {{changes: object, known: boolean}} `known`: whether it is the best one, and not only a mix to begin with.
 */
export function opening(meta, state, papers) {
  if (!meta.by_level) return { changes: { ...IDENTITY, by_hand: true }, known: true }; // no other mix is known to be any good
  const chosen = chosenFor(meta, state);
  if (chosen) return { changes: changesTo(chosen), known: true };
  const paper = papers[state.grid];
  return { changes: paper ? { s: paper.s, p: paper.p, c: paper.c } : {}, known: false };
}

/**
 * The mix that a link without s, p and c means on this page, for the rest of a state; null where a search says so.
 */
export function openingOf(meta, settings, state) {
  if (!meta.by_level) return null;
  const { s, p, c } = settings.defaults;
  const { changes, known } = opening(meta, { ...state, s, p, c }, {});
  return known ? mixOf({ ...state, ...changes }) : null;
}

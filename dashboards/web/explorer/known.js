// The verified mixes of a bundle, by their settings: a figure never stands beside settings that it is not of.

import { VERIFIED } from "../app/cards.js";
import { estimateOf } from "../app/config.js";
import { isMix } from "../app/settings.js";
import { keep, keptList } from "../app/storage.js";
import { VerifiedMixes } from "../app/verified.js";

const MOST_KEPT = 20; // results that a visitor brought to one bundle

const made = new WeakMap();

/**
 * The verified mixes that a bundle's meta record holds.
 * @param {object} meta See `dashboards/page/data.py`.
 * @returns {VerifiedMixes}
 */
export function verifiedMixes(meta) {
  if (!made.has(meta)) {
    const mixes = new VerifiedMixes();
    for (const one of verifiedConfigs(meta)) mixes.take({ params: filledIn(one), verified: one.verified, card: one.card ?? null });
    for (const one of brought(meta)) mixes.take(knownOf(one));
    made.set(meta, mixes);
  }
  return made.get(meta);
}

/**
 * Keep a result that the visitor brought, through a reload, too.
 * @param {object} meta
 * @param {import("../engine/params.js").MixParams} params α filled in.
 * @param {object} card `verified` of a configuration.
 */
export function bring(meta, params, card) {
  const others = brought(meta).filter((one) => JSON.stringify(one.params) !== JSON.stringify(params));
  keep(`verified ${meta.digest}`, [...others, { params, card }].slice(-MOST_KEPT));
  verifiedMixes(meta).take(knownOf({ params, card }));
}

function brought(meta) {
  return keptList(`verified ${meta.digest}`, (one) => isMix(one?.params) && VERIFIED(one.card, "") === null);
}

function knownOf({ params, card }) {
  return { params, verified: estimateOf(card.accuracy), card };
}

/** The configurations that were verified on this bundle. */
export function verifiedConfigs(meta) {
  return meta.configs.filter(({ verified }) => verified);
}

/** A configuration's parameters with its α, wherever that came from. */
export function filledIn({ params, alpha }) {
  return { ...params, alpha: params.alpha ?? alpha };
}

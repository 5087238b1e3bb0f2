// The verified mixes of a bundle, by their settings: a figure never stands beside settings that it is not of.

import { VerifiedMixes } from "../app/verified.js";

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
    made.set(meta, mixes);
  }
  return made.get(meta);
}

/** The configurations that were verified on this bundle. */
export function verifiedConfigs(meta) {
  return meta.configs.filter(({ verified }) => verified);
}

/** A configuration's parameters with its α, wherever that came from. */
export function filledIn({ params, alpha }) {
  return { ...params, alpha: params.alpha ?? alpha };
}

// The adaptive attacks whose results are at hand for one bundle: what each left of its mix.

import { MIX } from "./settings.js";

const DIGITS = 12; // of α, to which two mixes are one: it came from the same β on another machine, perhaps

/**
 * @typedef {object} Known A verified mix.
 * @property {import("../engine/params.js").MixParams} params α filled in.
 * @property {import("../engine/statistics.js").Estimate} verified What the attack left.
 * @property {object|null} card The whole result, as a configuration keeps it.
 */

export class VerifiedMixes {
  constructor() {
    this.results = new Map();
  }

  /** @param {Known} known */
  take(known) {
    this.results.set(keyOf(known.params), known);
  }

  /**
   * The result for this very mix; null if there is none.
   * @param {import("../engine/params.js").MixParams} params α filled in.
   * @returns {Known|null}
   */
  of(params) {
    return this.results.get(keyOf(params)) ?? null;
  }
}

/** What a verification depends on: the mix itself, not the β that its α may have come from; α filled in. */
export function keyOf(params) {
  return MIX.filter((name) => name !== "beta")
    .map((name) => (name === "alpha" ? params.alpha.toFixed(DIGITS) : params[name]))
    .join(" ");
}

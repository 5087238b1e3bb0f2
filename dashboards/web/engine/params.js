// The parameters of a mix, under the names that they have in Python and in configurations.
//
// Ranges, defaults and labels are not here: the page gets them from `mnuts_core.params` as JSON.

/**
 * @typedef {object} MixParams
 * @property {number} s Scale, > 0.
 * @property {number} p Power, > 0.
 * @property {number} c Bias inside the clamp.
 * @property {"gelu"|"relu"|"elu"|"softplus"|"linear"} clamp
 * @property {number} ln_k Layer norm over the ln_k largest logits; 0: none.
 * @property {number} beta Level from which α follows, unless alpha is set.
 * @property {number|null} alpha Weight set by hand.
 * @property {number} temperature T ≥ 0 of the standard model.
 */

/** No transform at all: the plain mix. */
export const IDENTITY = Object.freeze({ s: 1, p: 1, c: 0, clamp: "linear", ln_k: 0 });
/** Layer norm alone, over the 250 largest logits: the classifier that MMAA attacks. */
export const LN_ONLY = Object.freeze({ s: 1, p: 1, c: 0, clamp: "linear", ln_k: 250 });

/** What α_d of Eq. 8 goes by: the level that gives it, and the share of σ(h) beside it (B.2.1). */
export const AUXILIARY = Object.freeze({ r_d: 0.9, beta: 0.95 });

/** The plain mix at the level of another: the same β, or the same α where that is set by hand. */
export function plainOf({ beta, alpha, temperature }) {
  return { ...IDENTITY, beta, alpha, temperature };
}

/** Whether nothing is transformed: "Mixed" and not MixedNUTS. */
export function isPlain(params) {
  return transformKey(params) === transformKey(IDENTITY);
}

/** A key for what depends on the transform alone. */
export function transformKey({ s, p, c, clamp, ln_k }) {
  return `${ln_k} ${clamp} ${c} ${p} ${s}`;
}

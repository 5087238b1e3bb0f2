// The clamping functions of Eq. 4, a record each, as in `mnuts_core.clamps`.

import { erfc } from "./erfc.js";

const ROOT_HALF = Math.sqrt(0.5);
const SOFTPLUS_LINEAR = 20; // from here on softplus is the identity, as in torch

/**
 * @typedef {object} ClampRecord
 * @property {(x: number) => number} apply The function φ.
 * @property {boolean} monotone Whether φ never falls; GELU falls first and rises later.
 * @property {boolean} belowRelu Whether φ(x) ≤ max(x, 0).
 * @property {number} kink Where |φ|^p is not smooth.
 */

/** @type {Record<string, ClampRecord>} */
export const CLAMP_RECORDS = {
  gelu: { apply: gelu, monotone: false, belowRelu: true, kink: 0 },
  relu: { apply: (x) => (x > 0 ? x : 0), monotone: true, belowRelu: true, kink: 0 },
  elu: { apply: (x) => (x > 0 ? x : Math.expm1(x)), monotone: true, belowRelu: true, kink: 0 },
  softplus: { apply: softplus, monotone: true, belowRelu: false, kink: SOFTPLUS_LINEAR },
  linear: { apply: (x) => x, monotone: true, belowRelu: true, kink: 0 },
};

/** `x · Φ(x)`, by erfc, which keeps its relative precision far below zero. */
function gelu(x) {
  return 0.5 * x * erfc(-x * ROOT_HALF);
}

function softplus(x) {
  return x > SOFTPLUS_LINEAR ? x : Math.log1p(Math.exp(x));
}

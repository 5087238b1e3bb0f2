// The clamping functions of Eq. 4, a record each, as in `mnuts_core.clamps`.

import { erfcOf } from "./erfc.js";

const ROOT_HALF = Math.sqrt(0.5);
const SOFTPLUS_LINEAR = 20; // from here on softplus is the identity, as in torch
const ONE = new Float64Array(1);

/**
 * @typedef {object} ClampRecord
 * @property {(x: Float64Array, out: Float64Array, n: number) => void} all The function φ of the first n numbers; `out`
 *   is another array.
 * @property {(x: number) => number} apply Of one number.
 * @property {boolean} monotone Whether φ never falls; GELU falls first and rises later.
 * @property {boolean} belowRelu Whether φ(x) ≤ max(x, 0).
 * @property {number|null} leastAt Where a φ that is not monotone is least.
 * @property {number} kink Where |φ|^p is not smooth.
 */

/** @type {Record<string, ClampRecord>} */
export const CLAMP_RECORDS = {
  gelu: record(gelu, { monotone: false, leastAt: -0.7517915246935645, belowRelu: true, kink: 0 }),
  relu: record(relu, { monotone: true, belowRelu: true, kink: 0 }),
  elu: record(elu, { monotone: true, belowRelu: true, kink: 0 }),
  softplus: record(softplus, { monotone: true, belowRelu: false, kink: SOFTPLUS_LINEAR }),
  linear: record(linear, { monotone: true, belowRelu: true, kink: 0 }),
};

function record(all, facts) {
  const out = new Float64Array(1);
  const apply = (x) => {
    ONE[0] = x;
    all(ONE, out, 1);
    return out[0];
  };
  return { all, apply, leastAt: null, ...facts };
}

/** `x · Φ(x)`, by erfc, which keeps its relative precision far below zero. */
function gelu(x, out, n) {
  for (let i = 0; i < n; i++) out[i] = -x[i] * ROOT_HALF;
  erfcOf(out, out, n);
  for (let i = 0; i < n; i++) out[i] *= 0.5 * x[i];
}

function relu(x, out, n) {
  for (let i = 0; i < n; i++) out[i] = x[i] > 0 ? x[i] : 0;
}

function elu(x, out, n) {
  for (let i = 0; i < n; i++) out[i] = x[i] > 0 ? x[i] : Math.expm1(x[i]);
}

function softplus(x, out, n) {
  for (let i = 0; i < n; i++) out[i] = x[i] > SOFTPLUS_LINEAR ? x[i] : Math.log1p(Math.exp(x[i]));
}

function linear(x, out, n) {
  for (let i = 0; i < n; i++) out[i] = x[i];
}

// The tail of the softmax: `exp(s·φ(z + c)^p)` as piecewise polynomials of z, since it is one function for all rows.
//
// The range of z is cut into cells, each with a polynomial through Chebyshev nodes. Its last coefficient says how
// well it fits; a cell where it fits badly, or where |φ|^p has a kink, is cut once more, and what still does not
// fit is left to exponentials.

import { CLAMP_RECORDS } from "./clamps.js";

const DEGREE = 7;
const TERMS = DEGREE + 1;
const CELLS = 512;
const FINER = 32; // a cell that does not fit is cut into so many
const MOST_FINER = 64; // so many cells at most
const TOLERANCE = 1e-11; // relative error of the sum that a series may cause
const LARGEST_EXPONENT = 300;
const FAR = 42; // exp(-42) is 6e-19
const LEADING = 2 ** (DEGREE - 1); // of the Chebyshev polynomial of that degree
const SMALLEST_POWER = 1e-290; // below, float64 loses digits

const NODES = Float64Array.from({ length: TERMS }, (_, i) => Math.cos(((i + 0.5) * Math.PI) / TERMS));
const FIT = fitMatrix();

/** Marks in `slots`: the cell is left to exponentials; it is cut further (from the number that this is minus). */
export const EXACT = -1;
export const CUT = -2;

export class Series {
  /**
   * @param {number} low Least z.
   * @param {number} high Greatest z.
   * @param {import("./params.js").MixParams} params The transform.
   * @param {number} least Least t₁ of all rows, the powered logit of the first class.
   * @param {number} classes K.
   * @param {boolean} worth Whether there are rows enough for polynomials; else all is left to exponentials.
   */
  constructor(low, high, params, least, classes, worth) {
    Object.assign(this, { low, params, least, classes });
    const width = (high - low) / CELLS || 1;
    this.inverse = 1 / width;
    this.slots = new Int32Array(CELLS + FINER * MOST_FINER);
    this.coefficients = new Float64Array(TERMS * this.slots.length);
    this.used = 0;
    const { apply, kink, monotone } = CLAMP_RECORDS[params.clamp];
    Object.assign(this, { apply, monotone, kink: kink - params.c, negligible: -FAR - Math.log(classes) });
    if (worth) this.fitAll(width);
    else this.slots.fill(EXACT);
  }

  fitAll(width) {
    let cut = 0;
    for (let cell = 0; cell < CELLS; cell++) {
      const start = this.low + cell * width;
      if (this.fit(cell, start, width) || cut === MOST_FINER) continue;
      const from = CELLS + FINER * cut++;
      this.slots[cell] = CUT - from;
      for (let i = 0; i < FINER; i++) this.fit(from + i, start + (i * width) / FINER, width / FINER);
    }
  }

  /** The powered logit t at z. */
  powered(z) {
    const v = this.apply(z + this.params.c);
    const power = Math.exp(this.params.p * Math.log(Math.abs(v)));
    return v < 0 ? -power : power;
  }

  /** Fit one cell; whether it fits. */
  fit(slot, start, width) {
    const { coefficients } = this;
    this.slots[slot] = EXACT;
    if (Math.abs(this.kink - (start + width / 2)) <= 0.5001 * width) return false;
    let smallest = Infinity;
    for (let i = 0; i < TERMS; i++) {
      const exponent = this.params.s * (this.powered(start + ((NODES[i] + 1) / 2) * width) - this.least);
      if (!(exponent < LARGEST_EXPONENT)) return false;
      VALUES[i] = Math.exp(exponent);
      if (VALUES[i] < smallest) smallest = VALUES[i];
    }
    const at = this.used * TERMS;
    for (let j = 0; j < TERMS; j++) {
      let sum = 0;
      for (let i = 0; i < TERMS; i++) sum += FIT[j * TERMS + i] * VALUES[i];
      coefficients[at + j] = sum;
    }
    const enough = TOLERANCE * Math.max(1 / this.classes, smallest > SMALLEST_POWER ? smallest : 0);
    if (!(Math.abs(coefficients[at + DEGREE]) / LEADING <= enough)) return false;
    this.slots[slot] = at;
    this.used++;
    return true;
  }
}

const VALUES = new Float64Array(TERMS);

/**
 * `Σ exp(s(tᵢ - t₁))` over some places of one row.
 * @param {Series} series
 * @param {Float64Array} z Layer-normed logits of all rows.
 * @param {number} start First place.
 * @param {number} end The place after the last.
 * @param {number} first t₁ of the row.
 */
export function sumOfSeries(series, z, start, end, first) {
  const { slots, coefficients: a, low, inverse, least, params, monotone, negligible } = series;
  const lift = params.s * (least - first);
  const zero = params.s * -first;
  let smooth = 0;
  let exact = 0;
  for (let i = start; i < end; i++) {
    let u = (z[i] - low) * inverse;
    let at = EXACT;
    let y = 0;
    if (u >= 0 && u < CELLS) {
      let cell = u | 0;
      y = u - cell;
      at = slots[cell];
      if (at <= CUT) {
        u = y * FINER;
        cell = u | 0;
        y = u - cell;
        at = slots[CUT - at + cell];
      }
    }
    if (at >= 0) {
      y = 2 * y - 1;
      const even = y * y;
      smooth +=
        a[at] + even * (a[at + 2] + even * (a[at + 4] + even * a[at + 6])) +
        y * (a[at + 1] + even * (a[at + 3] + even * (a[at + 5] + even * a[at + 7])));
    } else {
      const exponent = params.s * (series.powered(z[i]) - first);
      exact += Math.exp(exponent);
      // all that follow are smaller, or at most 0 where the clamp is not monotone
      if (exponent < negligible && (monotone || zero < negligible || z[i] + params.c >= 0)) break;
    }
  }
  return smooth * Math.exp(lift) + exact;
}

/** From the values at the nodes to the coefficients of powers of y in [-1, 1], by way of Chebyshev's. */
function fitMatrix() {
  const chebyshev = [[1], [0, 1]]; // Tₙ by its coefficients
  for (let n = 2; n < TERMS; n++) {
    const next = [0, ...chebyshev[n - 1].map((x) => 2 * x)];
    chebyshev[n - 2].forEach((x, i) => (next[i] -= x));
    chebyshev.push(next);
  }
  const matrix = new Float64Array(TERMS * TERMS);
  for (let i = 0; i < TERMS; i++) {
    for (let n = 0; n < TERMS; n++) {
      const weight = ((n ? 2 : 1) / TERMS) * Math.cos((n * (i + 0.5) * Math.PI) / TERMS);
      chebyshev[n].forEach((x, j) => (matrix[j * TERMS + i] += weight * x));
    }
  }
  return matrix;
}

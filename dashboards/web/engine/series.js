// The tail of the softmax: `exp(s·φ(z + c)^p)` as piecewise polynomials of z, since it is one function for all rows.
//
// The range of z is cut into cells, each with a polynomial through Chebyshev nodes, which is tried between them. A
// cell where it fits badly, or where |φ|^p has a kink, is cut once more, and what still does not fit is left to
// exponentials.

import { CLAMP_RECORDS } from "./clamps.js";

const TERMS = 6;
const CELLS = 1024;
const FINER = 32; // a cell that does not fit is cut into so many
const MOST_FINER = 64; // so many cells at most
const TOLERANCE = 1e-11; // relative error of the sum that a series may cause
const LARGEST_EXPONENT = 300;
const FAR = 42; // exp(-42) is 6e-19
const SMALLEST = 1e-290; // below, float64 loses digits
const INSIDE = 1 - 1e-12; // the greatest z is inside the last cell

const NODES = Float64Array.from({ length: TERMS }, (_, i) => Math.cos(((i + 0.5) * Math.PI) / TERMS));
const FIT = fitMatrix();

/** Marks in `SLOTS`: the cell is left to exponentials; it is cut further (from the number that this is minus). */
const EXACT = -1;
const CUT = -2;

// One series is in use at a time: fresh memory would cost more than filling it.
const SLOTS = new Int32Array(CELLS + FINER * MOST_FINER);
const COEFFICIENTS = new Float64Array(TERMS * SLOTS.length);
const VALUES = new Float64Array(TERMS);

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
    const width = (high - low) / CELLS || 1;
    const { apply, kink, monotone } = CLAMP_RECORDS[params.clamp];
    Object.assign(this, { ...params, low, high, least, classes, inverse: INSIDE / width, used: 0 });
    Object.assign(this, { apply, monotone, kink: kink - params.c, negligible: -FAR - Math.log(classes) });
    if (worth) this.fitAll(width / INSIDE);
    else SLOTS.fill(EXACT);
  }

  fitAll(width) {
    let cut = 0;
    for (let cell = 0; cell < CELLS; cell++) {
      const start = this.low + cell * width;
      if (this.fit(cell, start, width) || cut === MOST_FINER) continue;
      const from = CELLS + FINER * cut++;
      SLOTS[cell] = CUT - from;
      for (let i = 0; i < FINER; i++) this.fit(from + i, start + (i * width) / FINER, width / FINER);
    }
  }

  /** The powered logit t at z. */
  powered(z) {
    const v = this.apply(z + this.c);
    const power = Math.exp(this.p * Math.log(Math.abs(v)));
    return v < 0 ? -power : power;
  }

  /** Fit one cell; whether it fits. */
  fit(slot, start, width) {
    SLOTS[slot] = EXACT;
    const middle = start + width / 2;
    if (Math.abs(this.kink - middle) <= 0.5001 * width) return false;
    for (let i = 0; i < TERMS; i++) VALUES[i] = this.value(middle + (NODES[i] * width) / 2);
    const smallest = Math.min(...VALUES);
    if (!(Math.max(...VALUES) < Infinity)) return false;
    const at = this.used * TERMS;
    for (let j = 0; j < TERMS; j++) {
      let sum = 0;
      for (let i = 0; i < TERMS; i++) sum += FIT[j * TERMS + i] * VALUES[i];
      COEFFICIENTS[at + j] = sum;
    }
    // in the middle the error of a smooth function is as large as anywhere, at the ends that of a steep one
    const [before, inside, after] = [this.value(start), this.value(middle), this.value(start + width)];
    const error = Math.max(Math.abs(COEFFICIENTS[at] - inside), Math.abs(sumOf(at, -1) - before), Math.abs(sumOf(at, 1) - after));
    if (!(error <= TOLERANCE * Math.max(1 / this.classes, smallest > SMALLEST ? smallest : 0))) return false;
    SLOTS[slot] = at;
    this.used++;
    return true;
  }

  /** `exp(s·t - s·least)` at z; infinite where it is too large for a series. */
  value(z) {
    const exponent = this.s * (this.powered(z) - this.least);
    return exponent < LARGEST_EXPONENT ? Math.exp(exponent) : Infinity;
  }
}

/** The polynomial at y = ±1. */
function sumOf(at, sign) {
  const even = COEFFICIENTS[at] + COEFFICIENTS[at + 2] + COEFFICIENTS[at + 4];
  return even + sign * (COEFFICIENTS[at + 1] + COEFFICIENTS[at + 3] + COEFFICIENTS[at + 5]);
}

/**
 * `Σ exp(s(tᵢ - t₁))` over some places of one row.
 * @param {Series} series The one made last.
 * @param {Float64Array} z Layer-normed logits of all rows.
 * @param {number} start First place.
 * @param {number} end The place after the last.
 * @param {number} first t₁ of the row.
 */
export function sumOfSeries(series, z, start, end, first) {
  const { low, high, inverse, s, c, monotone, negligible } = series;
  let smooth = 0;
  let exact = 0;
  let i = start;
  for (; i < end && z[i] > high; i++) exact += Math.exp(s * (series.powered(z[i]) - first));
  for (; i < end; i++) {
    let u = (z[i] - low) * inverse;
    let cell = u | 0;
    let at = SLOTS[cell];
    if (at <= CUT) {
      u = (u - cell) * FINER;
      cell = u | 0;
      at = SLOTS[CUT - at + cell];
    }
    if (at >= 0) {
      const y = 2 * (u - cell) - 1;
      const even = y * y;
      smooth +=
        COEFFICIENTS[at] + even * (COEFFICIENTS[at + 2] + even * COEFFICIENTS[at + 4]) +
        y * (COEFFICIENTS[at + 1] + even * (COEFFICIENTS[at + 3] + even * COEFFICIENTS[at + 5]));
    } else {
      const exponent = s * (series.powered(z[i]) - first);
      exact += Math.exp(exponent);
      // all that follow are smaller, or at most 0 where the clamp is not monotone
      if (exponent < negligible && (monotone || -s * first < negligible || z[i] + c >= 0)) break;
    }
  }
  return smooth * Math.exp(s * (series.least - first)) + exact;
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

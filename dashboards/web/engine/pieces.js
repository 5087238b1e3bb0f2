// Polynomials in place of `exp(s·φ(z + c)^p)`, which is one function of z for all rows: each through Chebyshev nodes of
// its cell, and tried between them.

import { signedPowers } from "./transform.js";

const TOLERANCE = 1e-11; // relative error of a row's sum that polynomials may cause
const LARGEST_EXPONENT = 300;
const SMALLEST = 1e-290; // below, float64 loses digits
const BATCH = 64; // cells

/**
 * @typedef {object} Curve The function, relative to its value at t = `least`.
 * @property {number} s
 * @property {number} p
 * @property {number} c
 * @property {(x: Float64Array, out: Float64Array, n: number) => void} all The clamp φ.
 * @property {number} kink Where it is not smooth.
 * @property {number} least The least t₁ of all rows, the largest powered logit.
 * @property {number} classes K.
 */

/** Room for polynomials; one set of them is in use at a time, since fresh memory would cost more than filling it. */
export class Pieces {
  /**
   * @param {number} terms Of each polynomial in y, which goes from -1 to 1 in its cell; even.
   * @param {number} most How many polynomials there may be.
   */
  constructor(terms, most) {
    const nodes = Array.from({ length: terms }, (_, i) => Math.cos(((i + 0.5) * Math.PI) / terms));
    // in the middle the error of a smooth function is as large as anywhere, at the ends that of a steep one
    this.tried = Float64Array.of(...nodes, -1, 0, 1);
    Object.assign(this, { terms, used: 0, coefficients: new Float64Array(terms * most), matrix: fitMatrix(terms, nodes) });
    const room = () => new Float64Array(BATCH * this.tried.length);
    Object.assign(this, { points: room(), values: room() });
  }

  /**
   * Fit a polynomial to each of some cells.
   * @param {Curve} curve
   * @param {Float64Array} edges Of the cells, ascending, one more than there are.
   * @param {Int32Array} slots Where it is noted, at which place its coefficients begin; `misfit` where it does not fit.
   * @param {number} from The first cell's place among the slots.
   * @param {number} misfit
   */
  fit(curve, edges, slots, from, misfit) {
    for (let start = 0; start < edges.length - 1; start += BATCH) {
      const end = Math.min(edges.length - 1, start + BATCH);
      this.compute(curve, edges, start, end);
      for (let cell = start; cell < end; cell++) {
        const [middle, half] = [(edges[cell] + edges[cell + 1]) / 2, (edges[cell + 1] - edges[cell]) / 2];
        const smooth = Math.abs(curve.kink - middle) > 1.0002 * half;
        const fits = smooth && this.fits(curve, (cell - start) * this.tried.length);
        slots[from + cell] = fits ? this.terms * this.used++ : misfit;
      }
    }
  }

  /** `exp(s·t - s·least)` where the cells are tried; infinite where it is too large for a polynomial. */
  compute({ s, p, c, all, least }, edges, start, end) {
    const { tried, points, values } = this;
    let n = 0;
    for (let cell = start; cell < end; cell++) {
      const middle = (edges[cell] + edges[cell + 1]) / 2 + c;
      const half = (edges[cell + 1] - edges[cell]) / 2;
      for (let i = 0; i < tried.length; i++) points[n++] = middle + half * tried[i];
    }
    all(points, values, n);
    signedPowers(values, p, values, n);
    for (let i = 0; i < n; i++) {
      const exponent = s * (values[i] - least);
      values[i] = exponent < LARGEST_EXPONENT ? Math.exp(exponent) : Infinity;
    }
  }

  /** Take the polynomial through the values from a place on; whether it fits. */
  fits({ classes }, from) {
    const { terms, tried, values, coefficients, matrix } = this;
    const at = this.used * terms;
    let smallest = Infinity;
    let largest = 0;
    for (let i = from; i < from + terms; i++) {
      if (values[i] < smallest) smallest = values[i];
      if (values[i] > largest) largest = values[i];
    }
    if (largest === Infinity) return false;
    for (let j = 0; j < terms; j++) {
      let sum = 0;
      for (let i = 0; i < terms; i++) sum += matrix[j * terms + i] * values[from + i];
      coefficients[at + j] = sum;
    }
    const allowed = TOLERANCE * Math.max(1 / classes, smallest > SMALLEST ? smallest : 0);
    for (let i = terms; i < tried.length; i++) {
      let value = 0;
      for (let j = terms - 1; j >= 0; j--) value = value * tried[i] + coefficients[at + j];
      if (!(Math.abs(value - values[from + i]) <= allowed)) return false;
    }
    return true;
  }
}

/** From the values at the nodes to the coefficients of powers of y, by way of Chebyshev's polynomials. */
function fitMatrix(terms, nodes) {
  const chebyshev = [[1], [0, 1]]; // Tₙ by its coefficients
  for (let n = 2; n < terms; n++) {
    const next = [0, ...chebyshev[n - 1].map((x) => 2 * x)];
    chebyshev[n - 2].forEach((x, i) => (next[i] -= x));
    chebyshev.push(next);
  }
  const matrix = new Float64Array(terms * terms);
  nodes.forEach((_, i) => {
    for (let n = 0; n < terms; n++) {
      const weight = ((n ? 2 : 1) / terms) * Math.cos((n * (i + 0.5) * Math.PI) / terms);
      chebyshev[n].forEach((x, j) => (matrix[j * terms + i] += weight * x));
    }
  });
  return matrix;
}

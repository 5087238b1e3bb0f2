// Sums of a row's powers of z, cell by cell: of a polynomial over all classes of a cell they leave one product of two
// short vectors. They depend on the layer norm alone, and pay where a cell holds many classes.

import { Pieces } from "./pieces.js";

export const MOMENTS_FROM = 512; // classes; with fewer, the sums are as many as the logits

const TERMS = 8;
const CELLS = 40; // with as many logits in each of them
const SAMPLE = 100_000; // logits by which cells are chosen

const SLOTS = new Int32Array(CELLS);
const PIECES = new Pieces(TERMS, CELLS);

export class Moments {
  /**
   * @param {Float64Array} z Layer-normed logits, from the largest to the smallest in each row.
   * @param {number} classes K.
   * @param {number} low Least z.
   * @param {number} high Greatest z, of the places from the third on.
   */
  constructor(z, classes, low, high) {
    const rows = z.length / classes;
    this.edges = evenCells(z, classes, low, high);
    this.cells = this.edges.length - 1;
    this.stride = this.cells + 1;
    this.sums = new Float64Array(rows * this.cells * TERMS); // of powers of y, which goes from -1 to 1 in each cell
    this.ends = new Uint16Array(rows * this.stride); // how many places of a row stand in this cell or higher ones
    for (let r = 0; r < rows; r++) this.sumRow(z, r, classes);
  }

  sumRow(z, r, classes) {
    const { edges, cells, sums, ends, stride } = this;
    let i = r * classes + 2;
    ends[r * stride + cells] = 2;
    for (let cell = cells - 1; cell >= 0; cell--) {
      const [middle, half] = [(edges[cell] + edges[cell + 1]) / 2, (edges[cell + 1] - edges[cell]) / 2];
      const at = (r * cells + cell) * TERMS;
      for (; i < (r + 1) * classes && (z[i] >= edges[cell] || cell === 0); i++) {
        const y = (z[i] - middle) / half;
        for (let j = 0, power = 1; j < TERMS; j++, power *= y) sums[at + j] += power;
      }
      ends[r * stride + cell] = i - r * classes;
    }
  }

  /**
   * Add to each row's sum those of the cells that have a polynomial.
   * @param {import("./pieces.js").Curve} curve
   * @param {Float64Array} out
   * @returns {{ends: Uint16Array, stride: number, gaps: number[]}} What is left: from which cell to which.
   */
  add(curve, out) {
    const { sums, ends, stride, cells, edges } = this;
    PIECES.used = 0;
    PIECES.fit(curve, edges, SLOTS, 0, -1);
    const row = new Float64Array(cells * TERMS);
    const gaps = [];
    for (let cell = 0; cell < cells; cell++) {
      if (SLOTS[cell] >= 0) row.set(PIECES.coefficients.subarray(SLOTS[cell], SLOTS[cell] + TERMS), cell * TERMS);
      else if (gaps[gaps.length - 1] === cell) gaps[gaps.length - 1]++;
      else gaps.push(cell, cell + 1);
    }
    for (let r = 0, at = 0; r < out.length; r++) {
      let one = 0;
      let two = 0;
      let three = 0;
      let four = 0;
      for (let j = 0; j < row.length; j += 4, at += 4) {
        one += row[j] * sums[at];
        two += row[j + 1] * sums[at + 1];
        three += row[j + 2] * sums[at + 2];
        four += row[j + 3] * sums[at + 3];
      }
      out[r] += one + two + (three + four);
    }
    return { ends, stride, gaps };
  }
}

/** Edges of cells that hold as many logits each, by a sample of rows. */
function evenCells(z, classes, low, high) {
  const rows = z.length / classes;
  const step = Math.max(1, Math.floor(z.length / SAMPLE));
  const sample = [];
  for (let r = 0; r < rows; r += step) for (let i = r * classes + 2; i < (r + 1) * classes; i++) sample.push(z[i]);
  const sorted = Float64Array.from(sample).sort();
  const inner = Array.from({ length: CELLS - 1 }, (_, i) => sorted[Math.floor(((i + 1) * sorted.length) / CELLS)]);
  return Float64Array.from(new Set([low, ...inner, high])).sort();
}

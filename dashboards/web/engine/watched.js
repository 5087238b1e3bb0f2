// The logits of each row that are computed exactly: the two largest, those of the label and of g's class, and the two
// smallest where GELU may put them on top. All stand in one array, one after the other.

import { CLAMP_RECORDS } from "./clamps.js";

const DIP = -0.7517; // GELU falls below, and rises above

/**
 * @typedef {object} Clamped The watched logits after the clamp.
 * @property {Float64Array} v
 * @property {Int32Array} first Where in v the largest of each row stands; shape (R,).
 * @property {Int32Array} second Where the second largest does.
 * @property {Uint8Array} start How many of the two are the row's first and second logit.
 * @property {Uint8Array} overtaken Whether the clamp puts the smallest logit above the largest (D.8.2).
 */

export class Watched {
  /**
   * @param {number} classes K.
   * @param {Int32Array} labelPlace The label's place in each sorted row.
   * @param {Int32Array} stdPlace The place of the class that g predicts.
   */
  constructor(classes, labelPlace, stdPlace) {
    const rows = labelPlace.length;
    Object.assign(this, { classes, rows, label: new Int32Array(rows), std: new Int32Array(rows) });
    const evens = new Int32Array(rows).map((_, r) => 2 * r);
    this.places = { first: evens, second: evens.map((at) => at + 1) }; // where the two largest stand, as a rule
    const at = []; // where in z each of them stands
    for (let r = 0; r < rows; r++) at.push(r * classes, r * classes + 1);
    for (let r = 0; r < rows; r++) {
      const placed = (place) => (place < 2 ? 2 * r + place : at.push(r * classes + place) - 1);
      this.label[r] = placed(labelPlace[r]);
      this.std[r] = stdPlace[r] === labelPlace[r] ? this.label[r] : placed(stdPlace[r]);
    }
    this.at = Int32Array.from(at);
  }

  /**
   * @param {Float64Array} z Layer-normed logits, from the largest to the smallest in each row.
   * @returns {Clamped}
   */
  clamped(z, clamp, c) {
    const { at, rows, classes } = this;
    const { all, monotone } = CLAMP_RECORDS[clamp];
    const low = monotone ? [] : this.dipping(z, c);
    const n = at.length + 2 * low.length;
    const x = new Float64Array(n);
    for (let i = 0; i < at.length; i++) x[i] = z[at[i]] + c;
    low.forEach((r, i) => {
      const end = (r + 1) * classes;
      x[at.length + 2 * i] = z[end - 1] + c;
      x[at.length + 2 * i + 1] = z[end - 2] + c;
    });
    const found = {
      v: new Float64Array(n),
      first: this.places.first.slice(),
      second: this.places.second.slice(),
      start: new Uint8Array(rows).fill(2),
      overtaken: new Uint8Array(rows),
    };
    all(x, found.v, n);
    low.forEach((r, i) => takeLead(found, r, at.length + 2 * i));
    return found;
  }

  /** The rows of which the smallest logits may come out on top. */
  dipping(z, c) {
    const found = [];
    for (let r = 0; r < this.rows; r++) {
      if (z[r * this.classes + 1] + c < 0 && z[(r + 1) * this.classes - 1] + c < DIP) found.push(r);
    }
    return found;
  }
}

/** Let the last two logits of a row, the last one first, lead where they are larger than its first two. */
function takeLead({ v, first, second, start, overtaken }, r, last) {
  const [one, two] = [first[r], second[r]];
  overtaken[r] = v[last] > v[one];
  if (v[last] > v[one]) [first[r], second[r], start[r]] = v[last + 1] > v[one] ? [last, last + 1, 0] : [last, one, 1];
  else if (v[last] > v[two]) [second[r], start[r]] = [last, 1];
}

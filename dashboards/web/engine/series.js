// The tail of the softmax: `exp(s·φ(z + c)^p)` as piecewise polynomials of z.
//
// The range of z is cut into cells. One where a polynomial fits badly, or where |φ|^p has a kink, is cut once more, and
// what still does not fit is left to exponentials. Where a row has many classes, most of its cells have been summed
// beforehand (`moments.js`).

import { CLAMP_RECORDS } from "./clamps.js";
import { Pieces } from "./pieces.js";
import { signedPower } from "./transform.js";

const TERMS = 6;
const CELLS = 1024;
const FINER = 32; // a cell that does not fit is cut into so many
const MOST_FINER = 64; // so many cells at most
const FAR = 42; // exp(-42) is 6e-19
const INSIDE = 1 - 1e-12; // the greatest z is inside the last cell

/** Marks in `SLOTS`: the cell is left to exponentials; it is cut further (from the number that this is minus). */
const EXACT = -1;
const CUT = -2;

const SLOTS = new Int32Array(CELLS + FINER * MOST_FINER);
const EDGES = new Float64Array(CELLS + 1);
const FINER_EDGES = new Float64Array(FINER + 1);
const PIECES = new Pieces(TERMS, SLOTS.length);

export class Series {
  /**
   * @param {import("./params.js").MixParams} params The transform.
   * @param {number} least Least t₁ of all rows, the largest powered logit.
   * @param {number} classes K.
   */
  constructor(params, least, classes) {
    const { kink, monotone, all, apply } = CLAMP_RECORDS[params.clamp];
    Object.assign(this, { ...params, least, classes, monotone, all, apply, kink: kink - params.c });
    this.negligible = -FAR - Math.log(classes);
  }

  /**
   * Fit polynomials.
   * @param {number} low Least z.
   * @param {number} high Greatest z.
   * @param {boolean} worth Whether there are logits enough for them; else all is left to exponentials.
   */
  fit(low, high, worth) {
    const width = (high - low) / CELLS || 1;
    Object.assign(this, { low, inverse: INSIDE / width });
    if (!worth) {
      SLOTS.fill(EXACT);
      return;
    }
    PIECES.used = 0;
    spread(EDGES, low, width / INSIDE);
    PIECES.fit(this, EDGES, SLOTS, 0, EXACT);
    for (let cell = 0, from = CELLS; cell < CELLS && from < SLOTS.length; cell++) {
      if (SLOTS[cell] !== EXACT) continue;
      spread(FINER_EDGES, EDGES[cell], width / INSIDE / FINER);
      PIECES.fit(this, FINER_EDGES, SLOTS, from, EXACT);
      SLOTS[cell] = CUT - from;
      from += FINER;
    }
  }

  /** The powered logit t at z. */
  powered(z) {
    return signedPower(this.apply(z + this.c), this.p);
  }

  /**
   * Add to each row's sum `Σ exp(s(tᵢ - least))` the places that are left, and make it relative to the row's first; 0
   * where not even the second class matters.
   * @param {Float64Array} z Layer-normed logits, from the largest to the smallest in each row.
   * @param {Float64Array} first t₁ of each row.
   * @param {Float64Array} second t₂.
   * @param {{ends: ArrayLike<number>, stride: number, gaps: number[]}} left See `Moments.add`.
   * @param {Float64Array} out The sums.
   */
  add(z, first, second, { ends, stride, gaps }, out) {
    const { classes, s, least, negligible, c, monotone, low, inverse } = this;
    const { coefficients } = PIECES;
    for (let r = 0; r < out.length; r++) {
      if (s * (second[r] - first[r]) < negligible) {
        out[r] = 0;
        continue;
      }
      let smooth = out[r];
      let exact = 0;
      for (let gap = 0; gap < gaps.length; gap += 2) {
        const end = r * classes + ends[r * stride + gaps[gap]];
        for (let i = r * classes + ends[r * stride + gaps[gap + 1]]; i < end; i++) {
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
              coefficients[at] + even * (coefficients[at + 2] + even * coefficients[at + 4]) +
              y * (coefficients[at + 1] + even * (coefficients[at + 3] + even * coefficients[at + 5]));
          } else {
            const exponent = s * (this.powered(z[i]) - first[r]);
            exact += Math.exp(exponent);
            // all that follow are smaller, or at most 0 where the clamp is not monotone
            if (exponent < negligible && (monotone || -s * first[r] < negligible || z[i] + c >= 0)) break;
          }
        }
      }
      out[r] = smooth * Math.exp(s * (least - first[r])) + exact;
    }
  }
}

function spread(edges, low, width) {
  for (let i = 0; i < edges.length; i++) edges[i] = low + i * width;
}

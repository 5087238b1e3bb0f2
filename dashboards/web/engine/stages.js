// The transform in stages, the last values of each kept: LN → clamp(c) → power(p) → scale and softmax(s) → margins,
// as in `mnuts_core.remix.stages`.
//
// Every clamp is monotone, or (GELU) falls first and rises later. So among logits sorted once, the two largest after
// clamp and power sit at the ends of the row; these are computed exactly, all others by `series.js`.

import { CLAMP_RECORDS } from "./clamps.js";
import { Memo } from "./memo.js";
import { transformKey } from "./params.js";
import { Series, sumOfSeries } from "./series.js";
import { sortRows } from "./sorting.js";
import { signedPower, statisticsOfTop } from "./transform.js";

const SERIES_FROM = 20_000; // with fewer logits in the tails, a series costs more than exponentials

/**
 * @typedef {object} Margins Probabilities of M(h) as far as mixing needs them; shape (R,) each.
 * @property {Float64Array} margin Confidence margin.
 * @property {Float64Array} first Largest powered logit t₁.
 * @property {Float64Array} top Largest probability.
 * @property {Float64Array} label `p₁ - p[label]`.
 * @property {Float64Array} std `p₁ - p[ŷ_std]`.
 * @property {Int32Array} top_class A class with the largest probability.
 */

export class StagedTransform {
  /**
   * @param {Float32Array|Float64Array} logits Raw logits of h, row by row.
   * @param {number} classes K.
   * @param {Int32Array} labels True class of each row.
   * @param {Int32Array} stdClass The class that g predicts.
   * @param {number} seriesFrom From how many logits in the tails on a series is used.
   */
  constructor(logits, classes, labels, stdClass, seriesFrom = SERIES_FROM) {
    Object.assign(this, { classes, rows: labels.length, seriesFrom });
    const { values, order } = sortRows(logits, classes);
    Object.assign(this, { raw: values, order });
    this.labelPlace = placesOf(labels, order, classes);
    this.stdPlace = placesOf(stdClass, order, classes);
    this.plainClass = Int32Array.from({ length: this.rows }, (_, r) => order[r * classes]);
    this.leading = { first: new Float64Array(this.rows), second: new Float64Array(this.rows), start: new Uint8Array(this.rows) };
    this.normedMemo = new Memo(2);
    this.marginsMemo = new Memo(4);
  }

  /** Whether the two largest logits of a row are equal. */
  plainTie(row) {
    return this.raw[row * this.classes] === this.raw[row * this.classes + 1];
  }

  /** LN(h) of all rows, each from the largest to the smallest. */
  normed(lnK) {
    return this.normedMemo.get(lnK, () => (lnK === 0 ? this.raw : this.computeNormed(lnK)));
  }

  computeNormed(lnK) {
    const { raw, classes, rows } = this;
    const z = new Float64Array(raw.length);
    for (let r = 0; r < rows; r++) {
      const start = r * classes;
      const [mean, scale] = statisticsOfTop(raw.subarray(start, start + classes), lnK);
      for (let i = start; i < start + classes; i++) z[i] = (raw[i] - mean) * scale;
    }
    return z;
  }

  /**
   * Margins under a transform.
   * @param {import("./params.js").MixParams} params
   * @returns {Margins}
   */
  margins(params) {
    return this.marginsMemo.get(transformKey(params), () => this.computeMargins(params));
  }

  /** The same, computed anew, of the rows from `start` to `end`. */
  computeMargins(params, start = 0, end = this.rows) {
    const z = this.normed(params.ln_k).subarray(start * this.classes, end * this.classes);
    const leaders = this.leaders(z, params);
    const series = this.series(z, params, leaders);
    const found = emptyMargins(end - start);
    for (let r = 0; r < end - start; r++) this.fillRow(found, r, start + r, z, params, leaders, series);
    return found;
  }

  /** The two largest powered logits of each row, and between which places all others stand. */
  leaders(z, { c, p, clamp }) {
    const { classes } = this;
    const rows = z.length / classes;
    const { apply, monotone } = CLAMP_RECORDS[clamp];
    const found = this.leading; // fresh memory would cost more than filling it
    for (let r = 0; r < rows; r++) {
      const at = r * classes;
      let one = apply(z[at] + c);
      let two = apply(z[at + 1] + c);
      let start = 2;
      if (!monotone && (one < 0 || two < 0)) {
        const last = apply(z[at + classes - 1] + c);
        const beforeLast = apply(z[at + classes - 2] + c);
        if (last > one) {
          [one, two, start] = beforeLast > one ? [last, beforeLast, 0] : [last, one, 1];
        } else if (last > two) [two, start] = [last, 1];
      }
      found.first[r] = signedPower(one, p);
      found.second[r] = signedPower(two, p);
      found.start[r] = start;
    }
    return found;
  }

  /** A series for the tails, where there are many. */
  series(z, params, { first }) {
    const { classes } = this;
    const rows = z.length / classes;
    const third = Math.min(2, classes - 1);
    let low = Infinity;
    let high = -Infinity;
    let least = Infinity;
    for (let r = 0; r < rows; r++) {
      const last = z[(r + 1) * classes - 1];
      if (last < low) low = last;
      if (z[r * classes + third] > high) high = z[r * classes + third];
      if (first[r] < least) least = first[r];
    }
    const worth = rows * (classes - 2) >= this.seriesFrom;
    return new Series(low, high, params, least, classes, worth);
  }

  /** The margins of one row: the r-th of those that z holds. */
  fillRow(found, r, row, z, { c, p, s, clamp }, leaders, series) {
    const { apply } = CLAMP_RECORDS[clamp];
    const { classes, order } = this;
    const at = r * classes;
    const first = leaders.first[r];
    const start = leaders.start[r]; // of the places from the start, `2 - start` at the end are leaders
    const runnerUp = s * (leaders.second[r] - first);
    const end = at + classes - (2 - start);
    const total = 1 + Math.exp(runnerUp) + (end > at + start ? sumOfSeries(series, z, at + start, end, first) : 0);
    const margin = -Math.expm1(runnerUp) / total;
    found.margin[r] = margin;
    found.first[r] = first;
    found.top[r] = 1 / total;
    const last = start < 2 && this.overtaken(z, at, c, apply);
    found.top_class[r] = order[row * classes + (last ? classes - 1 : 0)];
    const label = this.labelPlace[row];
    const std = this.stdPlace[row];
    const leading = start === 2;
    found.label[r] = leading && label < 2 ? label * margin : -Math.expm1(s * (signedPower(apply(z[at + label] + c), p) - first)) / total;
    if (std === label) found.std[r] = found.label[r];
    else found.std[r] = leading && std < 2 ? std * margin : -Math.expm1(s * (signedPower(apply(z[at + std] + c), p) - first)) / total;
  }

  /** Whether the clamp puts the smallest logit of a row above the largest (D.8.2). */
  overtaken(z, at, c, apply) {
    return apply(z[at + this.classes - 1] + c) > apply(z[at] + c);
  }
}

function emptyMargins(rows) {
  const columns = Object.fromEntries(["margin", "first", "top", "label", "std"].map((name) => [name, new Float64Array(rows)]));
  return { ...columns, top_class: new Int32Array(rows) };
}

/** At which place of its sorted row each class stands. */
function placesOf(wanted, order, classes) {
  return Int32Array.from(wanted, (number, r) => order.subarray(r * classes, (r + 1) * classes).indexOf(number));
}

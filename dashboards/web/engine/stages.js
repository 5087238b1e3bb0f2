// The transform in stages, the last values of each kept: LN → clamp(c) → power(p) → scale and softmax(s) → margins,
// as in `mnuts_core.remix.stages`. A move of one slider redoes only the stages after it.
//
// Every clamp is monotone, or (GELU) falls first and rises later. So among logits sorted once, the two largest after
// clamp and power sit at the ends of the row; these and the watched ones (`watched.js`) are computed exactly, all others
// by `series.js`.

import { Memo } from "./memo.js";
import { MOMENTS_FROM, Moments } from "./moments.js";
import { transformKey } from "./params.js";
import { Series } from "./series.js";
import { sortRows } from "./sorting.js";
import { signedPowers, statisticsOfTop } from "./transform.js";
import { Watched } from "./watched.js";

const SERIES_FROM = 20_000; // with fewer logits in the tails, a series costs more than exponentials

/**
 * @typedef {object} Margins Probabilities of M(h) as far as mixing needs them; shape (R,) each.
 * @property {Float64Array} margin Confidence margin.
 * @property {Float64Array} first Largest powered logit t₁.
 * @property {Float64Array} top Largest probability.
 * @property {Float64Array} label `p₁ - p[label]`.
 * @property {Float64Array} std `p₁ - p[ŷ_std]`.
 * @property {Int32Array} top_class A class with the largest probability.
 *
 * @typedef {object} Normed After the layer norm.
 * @property {Float64Array} z LN(h) of all rows, each from the largest to the smallest.
 * @property {number} low The least of these.
 * @property {number} high The greatest from the third place on.
 * @property {Moments|null} moments
 * @property {number} asked How many transforms have been computed of it.
 * @property {boolean} lent Whether somebody holds z for longer than a frame.
 */

export class StagedTransform {
  /**
   * @param {{values: Float64Array, order: Uint16Array|Int32Array}} sorted Logits of h, see `sortRows`.
   * @param {number} classes K.
   * @param {Int32Array} labels True class of each row.
   * @param {Int32Array} stdClass The class that g predicts.
   * @param {number} seriesFrom From how many logits in the tails on a series is used.
   */
  constructor({ values, order }, classes, labels, stdClass, seriesFrom = SERIES_FROM) {
    Object.assign(this, { classes, labels, stdClass, rows: labels.length, seriesFrom, raw: values, order });
    this.labelPlace = placesOf(labels, order, classes);
    this.stdPlace = placesOf(stdClass, order, classes);
    this.plainClass = Int32Array.from({ length: this.rows }, (_, r) => order[r * classes]);
    this.watched = new Watched(classes, this.labelPlace, this.stdPlace);
    this.normedMemo = new Memo(2, ({ z, lent }) => {
      if (!lent && z !== this.raw) this.spare.normed = z;
    });
    this.clampedMemo = new Memo(2);
    this.poweredMemo = new Memo(2);
    this.marginsMemo = new Memo(4);
    const column = () => new Float64Array(this.rows);
    this.spare = { second: column(), tail: column(), normed: null }; // used again: fresh memory would cost more
  }

  /** From logits as they are, row by row. */
  static of(logits, classes, ...others) {
    return new StagedTransform(sortRows(logits, classes), classes, ...others);
  }

  /** The first rows alone. */
  head(rows) {
    const { classes, raw, order, labels, stdClass, seriesFrom } = this;
    const sorted = { values: raw.subarray(0, rows * classes), order: order.subarray(0, rows * classes) };
    return new StagedTransform(sorted, classes, labels.subarray(0, rows), stdClass.subarray(0, rows), seriesFrom);
  }

  /** Whether the two largest logits of a row are equal. */
  plainTie(row) {
    return this.raw[row * this.classes] === this.raw[row * this.classes + 1];
  }

  /** LN(h) of all rows, each from the largest to the smallest; its memory is used again some layer norms later. */
  normed(lnK) {
    return this.normedStage(lnK).z;
  }

  /** The same for who goes on reading it while frames come and go. */
  lendNormed(lnK) {
    const stage = this.normedStage(lnK);
    stage.lent = true;
    return stage.z;
  }

  /** @returns {Normed} */
  normedStage(lnK) {
    return this.normedMemo.get(lnK, () => {
      const z = lnK === 0 ? this.raw : this.computeNormed(lnK);
      return { z, ...this.rangeOf(z), moments: null, asked: 0, lent: false };
    });
  }

  computeNormed(lnK) {
    const { raw, classes, rows, spare } = this;
    const z = spare.normed ?? new Float64Array(raw.length);
    spare.normed = null;
    for (let r = 0; r < rows; r++) {
      const start = r * classes;
      const [mean, scale] = statisticsOfTop(raw.subarray(start, start + classes), lnK);
      for (let i = start; i < start + classes; i++) z[i] = (raw[i] - mean) * scale;
    }
    return z;
  }

  rangeOf(z) {
    const { classes, rows } = this;
    const third = Math.min(2, classes - 1);
    let [low, high] = [Infinity, -Infinity];
    for (let r = 0; r < rows; r++) {
      low = Math.min(low, z[(r + 1) * classes - 1]);
      high = Math.max(high, z[r * classes + third]);
    }
    return { low, high };
  }

  /**
   * The clamp stage of the watched logits.
   * @returns {import("./watched.js").Clamped}
   */
  clamped({ ln_k, clamp, c }) {
    return this.clampedMemo.get(`${ln_k} ${clamp} ${c}`, () => this.watched.clamped(this.normed(ln_k), clamp, c));
  }

  /** The power stage of the watched logits. */
  powered(params) {
    const { ln_k, clamp, c, p } = params;
    return this.poweredMemo.get(`${ln_k} ${clamp} ${c} ${p}`, () => {
      const { v } = this.clamped(params);
      const t = new Float64Array(v.length);
      signedPowers(v, p, t, v.length);
      return t;
    });
  }

  /**
   * The scale stage: margins under a transform.
   * @param {import("./params.js").MixParams} params
   * @returns {Margins}
   */
  margins(params) {
    return this.marginsMemo.get(transformKey(params), () => this.computeMargins(params));
  }

  computeMargins(params) {
    const { rows, classes, order, spare, watched } = this;
    const { s } = params;
    const clamped = this.clamped(params);
    const { first: firstAt, second: secondAt, start, overtaken } = clamped;
    const t = this.powered(params);
    const found = emptyMargins(rows);
    for (let r = 0; r < rows; r++) {
      found.first[r] = t[firstAt[r]];
      spare.second[r] = t[secondAt[r]];
    }
    const { negligible } = this.sumTails(params, found.first);
    for (let r = 0; r < rows; r++) {
      const first = found.first[r];
      const gap = Math.min(0, s * (spare.second[r] - first)); // rounding may put it above 0
      const less = Math.expm1(gap);
      let total = 2 + less + spare.tail[r];
      // where leaders come from the end of the row, they are in the tail, and its first two places are not
      if (start[r] < 2 && gap >= negligible) total = Math.exp(s * (t[2 * r] - first)) + Math.exp(s * (t[2 * r + 1] - first)) + spare.tail[r];
      const margin = (0 - less) / total;
      const [label, std] = [watched.label[r], watched.std[r]];
      found.margin[r] = margin;
      found.top[r] = 1 / total;
      found.top_class[r] = order[r * classes + (overtaken[r] ? classes - 1 : 0)];
      if (label === firstAt[r]) found.label[r] = 0;
      else found.label[r] = label === secondAt[r] ? margin : (0 - Math.expm1(s * (t[label] - first))) / total;
      if (std === label) found.std[r] = found.label[r];
      else if (std === firstAt[r]) found.std[r] = 0;
      else found.std[r] = std === secondAt[r] ? margin : (0 - Math.expm1(s * (t[std] - first))) / total;
    }
    return found;
  }

  /** The sums over all but the two leading classes, into `spare.tail`. */
  sumTails(params, first) {
    const { rows, classes, seriesFrom, spare } = this;
    const stage = this.normedStage(params.ln_k);
    const { z, low, high } = stage;
    let least = Infinity;
    for (let r = 0; r < rows; r++) least = Math.min(least, first[r]);
    const worth = rows * (classes - 2) >= seriesFrom;
    if (worth && classes >= MOMENTS_FROM && stage.asked++ === 1) stage.moments = new Moments(z, classes, low, high);
    const series = new Series(params, least, classes);
    const left = spare.tail.fill(0) && (stage.moments?.add(series, spare.tail) ?? { ends: [classes, 2], stride: 0, gaps: [0, 1] });
    series.fit(stage.moments ? stage.moments.edges[left.gaps[0] ?? 0] : low, high, worth);
    series.add(z, first, spare.second, left, spare.tail);
    return series;
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

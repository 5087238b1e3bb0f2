// Rows of both models' cached logits, and what a mix does on each of them, as in `mnuts_core.remix.rows`.

import { Memo } from "./memo.js";
import { argMax } from "./mixing.js";
import { transformKey } from "./params.js";
import { TIE, leastKept } from "./quantiles.js";
import { RobProbabilities, StdProbabilities, softMix } from "./soft.js";
import { StagedTransform } from "./stages.js";

/**
 * @typedef {object} Transformed What M(h) does on each row, whatever α and T; shape (R,) each.
 * @property {Float64Array} margin Confidence margin of M(h).
 * @property {Float64Array} signed Signed margin: `margin` where M(h) is right, else minus the label's distance.
 * @property {Int32Array} rob_class Class that M(h) predicts; where it ties one of the largest.
 * @property {Uint8Array} tied Whether the transform has made a tie.
 * @property {Uint8Array} right Whether M(h) predicts the label; not where it ties.
 * @property {Int32Array} vote Class of the mix with T = 0 where g does not outvote M(h).
 * @property {Float64Array} std `p₁ - p[ŷ_std]`.
 *
 * @typedef {Transformed & {mix_class: Int32Array, mix_right: Uint8Array}} Part What a mix does on each row.
 */

export class Rows {
  /**
   * @param {Float32Array|Float64Array} std Logits of g, row by row.
   * @param {Float32Array|Float64Array} rob Logits of h.
   * @param {Int32Array} labels True classes.
   * @param {number} classes K.
   * @param {number} [seriesFrom] See `StagedTransform`.
   */
  constructor(std, rob, labels, classes, seriesFrom) {
    Object.assign(this, { std, rob, labels, classes, length: labels.length });
    this.stdClass = Int32Array.from(labels, (_, r) => argMax(this.stdRow(r)));
    this.stages = StagedTransform.of(rob, classes, labels, this.stdClass, seriesFrom);
    this.plainRight = Uint8Array.from(labels, (label, r) => label === this.stages.plainClass[r]);
    this.stdRight = Uint8Array.from(labels, (label, r) => label === this.stdClass[r]);
    this.stdTop = Float64Array.from(this.stdClass, (best, r) => std[r * classes + best]);
    this.stdSecond = Float64Array.from(this.stdClass, (best, r) => runnerUp(this.stdRow(r), best));
    this.transformedMemo = new Memo(4);
    this.stdMemo = new Memo(1);
  }

  stdRow(r) {
    return this.std.subarray(r * this.classes, (r + 1) * this.classes);
  }

  robRow(r) {
    return this.rob.subarray(r * this.classes, (r + 1) * this.classes);
  }

  /** @returns {Transformed} */
  transformed(params) {
    return this.transformedMemo.get(transformKey(params), () => this.computeTransformed(params));
  }

  computeTransformed(params) {
    const { margin, label, std, top_class } = this.stages.margins(params);
    const rob = new RobProbabilities(this, params);
    const [tied, right] = [new Uint8Array(this.length), new Uint8Array(this.length)];
    const [signed, vote] = [new Float64Array(this.length), top_class.slice()];
    for (let r = 0; r < this.length; r++) {
      tied[r] = margin[r] === 0 && !(this.stages.plainTie(r) && top_class[r] === this.stages.plainClass[r]);
      right[r] = top_class[r] === this.labels[r] && !tied[r];
      signed[r] = right[r] ? margin[r] : -label[r];
      if (margin[r] <= TIE && std[r] > TIE) vote[r] = rob.likeliest(r, this.stages.order);
    }
    return { margin, signed, rob_class: top_class, tied, right, vote, std };
  }

  /** Whether M changes h's prediction (Assumption 4.2); a tie is a change. */
  changed(params) {
    const { rob_class, tied } = this.transformed(params);
    return tied.map((tie, r) => tie || rob_class[r] !== this.stages.plainClass[r]);
  }

  /**
   * What the mix with odds `(1-α)/α` does on all rows.
   * @returns {Part}
   */
  part(params, threshold) {
    const transformed = this.transformed(params);
    const mix_class = params.temperature === 0 ? this.hardMix(transformed, threshold) : this.softMix(params, threshold);
    const mix_right = new Uint8Array(this.length);
    for (let r = 0; r < this.length; r++) mix_right[r] = mix_class[r] === this.labels[r];
    return { ...transformed, mix_class, mix_right };
  }

  /** T = 0: ŷ_std iff the odds reach `p₁ - p[ŷ_std]`. */
  hardMix({ std, vote }, threshold) {
    const mixed = new Int32Array(this.length);
    const limit = threshold + TIE;
    for (let r = 0; r < this.length; r++) mixed[r] = std[r] <= limit ? this.stdClass[r] : vote[r];
    return mixed;
  }

  softMix(params, threshold) {
    return softMix(this, this.stdProbabilities(params.temperature), new RobProbabilities(this, params), threshold);
  }

  /** `σ(g/T)` of all rows; the last temperature is kept. */
  stdProbabilities(temperature) {
    return this.stdMemo.get(temperature, () => new StdProbabilities(this, temperature));
  }
}

/** The largest but one of a row's logits. */
function runnerUp(row, best) {
  let most = -Infinity;
  for (let i = 0; i < row.length; i++) if (i !== best && row[i] > most) most = row[i];
  return most;
}

/** Which rows of a part are right by margin: right, with a margin that reaches `(1-α)/α`. */
export function held({ right, margin }, threshold) {
  const least = leastKept(threshold);
  return right.map((ok, r) => ok && margin[r] >= least);
}

// Mixing at T > 0, where every class has a say, without computing the probabilities of all classes.
//
// The classes are followed in the order of h's logits; those of which even the bound `t·a₂ + b` is below the best
// found so far need not be looked at (a₂: the second largest probability of g).

import { CLAMP_RECORDS } from "./clamps.js";
import { TIE } from "./quantiles.js";
import { signedPower } from "./transform.js";

const TRIFLE = 1e-300; // makes of 0 what is larger than 0, and leaves every other number as it is

const SAME = 2 ** -54; // exp(-x) is 1 below it

/** `σ(g/T)` of each row, as far as it is the same for all classes. */
export class StdProbabilities {
  constructor(rows, temperature) {
    const { length, classes } = rows;
    Object.assign(this, { std: rows.std, classes, temperature });
    this.largest = new Float64Array(length);
    this.total = new Float64Array(length);
    this.second = new Float64Array(length);
    for (let r = 0; r < length; r++) {
      const g = rows.stdRow(r);
      const largest = g[rows.stdClass[r]] / temperature;
      let [total, second] = [0, 0];
      for (let i = 0; i < classes; i++) {
        const part = Math.exp(g[i] / temperature - largest);
        total += part;
        if (i !== rows.stdClass[r] && part > second) second = part;
      }
      this.largest[r] = largest;
      this.total[r] = total;
      this.second[r] = second / total;
    }
  }

  /** The probability of a class in a row. */
  at(r, i) {
    return Math.exp(this.std[r * this.classes + i] / this.temperature - this.largest[r]) / this.total[r];
  }
}

/** `σ(M(h))` of each row, by the place of a class among its sorted logits. */
export class RobProbabilities {
  constructor(rows, params) {
    const { apply, monotone } = CLAMP_RECORDS[params.clamp];
    const { first, top } = rows.stages.margins(params);
    Object.assign(this, { first, top, apply, monotone, ...params, classes: rows.classes, z: rows.stages.normed(params.ln_k) });
  }

  /** The probability of the class at a place. */
  at(r, place) {
    return this.from(r, this.powered(r, place));
  }

  /** No class behind a place is more probable than this. */
  bound(r, place) {
    const t = this.powered(r, place);
    return this.from(r, this.monotone ? t : Math.max(0, t));
  }

  /** Whether all classes behind a place are less probable, or equally so. */
  leads(r, place) {
    return this.monotone || this.powered(r, place) >= 0;
  }

  /** Of a row's classes that are as probable as any, the first. */
  likeliest(r, order) {
    const least = this.first[r] - SAME / this.s;
    let found = this.classes;
    for (let place = 0; place < this.classes; place++) {
      const t = this.powered(r, place);
      if (t >= least) found = Math.min(found, order[r * this.classes + place]);
      else if (this.monotone || t >= 0) break;
    }
    return found;
  }

  clamped(r, place) {
    return this.apply(this.z[r * this.classes + place] + this.c);
  }

  powered(r, place) {
    return signedPower(this.clamped(r, place), this.p);
  }

  from(r, t) {
    return Math.exp(this.s * (t - this.first[r])) * this.top[r];
  }
}

/** The class that the mix with odds `t = (1-α)/α` predicts in each row. */
export function softMix(rows, a, b, odds) {
  const { classes, stages, stdClass } = rows;
  return Int32Array.from(stdClass, (own, r) => {
    const mine = odds * a.at(r, own) + b.at(r, stages.stdPlace[r]);
    let [best, found] = [mine, own];
    for (let place = 0; place < classes; place++) {
      const i = stages.order[r * classes + place];
      const value = odds * a.at(r, i) + b.at(r, place);
      if (value > best || (value === best && i < found)) [best, found] = [value, i];
      if (odds * a.second[r] + b.bound(r, place) < best) break;
    }
    return best - mine <= TIE ? own : found;
  });
}

/**
 * Each row's interval of odds at which the mix predicts the label: the intersection over classes i of
 * `t·(a_y - a_i) ≥ b_i - b_y`. Only classes that lead the label in g or in M(h) narrow it.
 */
export function softIntervals(rows, a, b, { low, high, closed }) {
  const { classes, labels, stages, stdClass } = rows;
  closed.fill(1);
  for (let r = 0; r < rows.length; r++) {
    const y = labels[r];
    const yPlace = stages.labelPlace[r];
    const [aOwn, bOwn] = [a.at(r, y), b.at(r, yPlace)];
    const g = rows.stdRow(r);
    const all = !b.leads(r, yPlace);
    const v = b.clamped(r, yPlace);
    const steady = b.monotone || v > 0; // a class that the clamp leaves below the label is followed by such alone
    let below = false;
    let [from, to] = [0, Infinity];
    for (let place = 0; place < classes; place++) {
      const i = stages.order[r * classes + place];
      if (!all && place > yPlace && g[i] <= g[y]) {
        if (below) continue;
        if (b.clamped(r, place) !== v) {
          below = steady;
          continue;
        }
      }
      const slope = aOwn - a.at(r, i);
      // ties: the label needs TIE less where it is ŷ_std, else TIE more than ŷ_std and a trifle more than those before it
      let need = (place === yPlace ? 0 : b.at(r, place) - bOwn) + (i < y ? TRIFLE : 0);
      if (y === stdClass[r]) need -= TIE;
      else if (i === stdClass[r]) need += TIE;
      if (slope > 0) from = Math.max(from, need / slope);
      else if (slope < 0) to = Math.min(to, need / slope);
      else if (need > 0) [from, to] = [Infinity, -Infinity];
      if (from === Infinity) break;
    }
    low[r] = from;
    high[r] = to;
  }
}

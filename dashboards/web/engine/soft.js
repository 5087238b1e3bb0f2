// Mixing at T > 0, where every class has a say, without computing the probabilities of all classes.
//
// Where g's class is M(h)'s, too, the mix takes it at any odds. Elsewhere classes are followed in the order of h's logits,
// until no class that is left can matter, whatever its probabilities: below that of its place in M(h), and below the
// second largest in g.

import { CLAMP_RECORDS } from "./clamps.js";
import { sumOfExponentials } from "./exponentials.js";
import { TIE, TRIFLE } from "./quantiles.js";
import { signedPower } from "./transform.js";

const SAME = 2 ** -54; // exp(-x) is 1 below it
const STEP = Number.EPSILON / 2; // between floats just below 1
const ROUNDING = 1e-14; // leads this small are computed with care: the difference of two sums near 1 is off by some 1e-16
const NOTHING = 1e-30; // beside TIE

/** `σ(g/T)` of each row; `rest`: of all classes but ŷ_std. */
export class StdProbabilities {
  constructor({ length, std, stdTop, stdSecond, stdClass, classes }, temperature) {
    const column = () => new Float64Array(length);
    Object.assign(this, { std, stdTop, stdSecond, stdClass, classes, temperature, total: column(), rest: column() });
  }

  /** To be called before a row is looked at: what is the same for all of its classes. */
  prepare(r) {
    if (this.total[r]) return;
    const { std, stdTop, stdSecond, stdClass, classes, temperature } = this;
    const secondOdds = Math.exp((stdSecond[r] - stdTop[r]) / temperature);
    let odds = 0; // of all classes but ŷ_std
    if (secondOdds * classes > NOTHING) {
      const [start, own, largest] = [r * classes, r * classes + stdClass[r], stdSecond[r] / temperature];
      odds = sumOfExponentials(std, start, own, temperature, largest);
      odds += sumOfExponentials(std, own + 1, start + classes, temperature, largest);
      odds *= secondOdds;
    }
    this.total[r] = 1 + odds;
    this.rest[r] = odds / (1 + odds);
  }

  /** The probability of a class in a row. */
  at(r, i) {
    return Math.exp((this.std[r * this.classes + i] - this.stdTop[r]) / this.temperature) / this.total[r];
  }

  /** The largest but that of ŷ_std. */
  second(r) {
    return Math.exp((this.stdSecond[r] - this.stdTop[r]) / this.temperature) / this.total[r];
  }
}

/** `σ(M(h))` of each row, by powered logits and by the place of a class among its sorted logits. */
export class RobProbabilities {
  constructor({ stages, classes }, params) {
    const { apply, monotone } = CLAMP_RECORDS[params.clamp];
    const { first, top, std } = stages.margins(params);
    const { labelPlace, stdPlace, watched } = stages;
    Object.assign(this, { first, top, std, apply, monotone, ...params, classes, z: stages.normed(params.ln_k) });
    Object.assign(this, { labelPlace, stdPlace, watched, t: stages.powered(params) });
  }

  /** The powered logit at a place. */
  powered(r, place) {
    if (place < 2) return this.t[2 * r + place];
    if (place === this.labelPlace[r]) return this.t[this.watched.label[r]];
    if (place === this.stdPlace[r]) return this.t[this.watched.std[r]];
    return signedPower(this.apply(this.z[r * this.classes + place] + this.c), this.p);
  }

  /** The largest at a place or behind it: at an end, since a clamp rises, or falls first and rises later. */
  largest(r, t) {
    return this.monotone || t >= 0 ? t : Math.max(t, this.powered(r, this.classes - 1));
  }

  /** The probability of a class with this powered logit. */
  of(r, t) {
    return Math.exp(this.s * (t - this.first[r])) * this.top[r];
  }

  /**
   * The probability of all classes but that at a place, however close to 1 that one's is.
   * @param {number} enough Where it is more, how much more is not asked.
   */
  but(r, place, enough) {
    const { classes } = this;
    let sum = 0;
    for (let other = 0; other < classes && sum <= enough; other++) {
      if (other === place) continue;
      const t = this.powered(r, other);
      const value = this.of(r, t);
      const largest = this.largest(r, t);
      const left = (classes - other) * (largest === t ? value : this.of(r, largest)); // at most
      if (left < NOTHING || left < sum * SAME) break;
      sum += value;
    }
    return sum;
  }

  /** Of a row's classes that are as probable as any, the first. */
  likeliest(r, order) {
    const least = this.first[r] - SAME / this.s;
    let found = this.classes;
    for (let place = 0; place < this.classes; place++) {
      const t = this.powered(r, place);
      if (this.largest(r, t) < least) break;
      if (t >= least) found = Math.min(found, order[r * this.classes + place]);
    }
    return found;
  }
}

/**
 * The class that the mix with odds `t = (1-α)/α` predicts in each row.
 * @param {import("./rows.js").Rows} rows
 * @param {StdProbabilities} a
 * @param {RobProbabilities} b
 * @returns {Int32Array}
 */
export function softMix(rows, a, b, odds) {
  const found = rows.stdClass.slice();
  for (let r = 0; r < rows.length; r++) if (b.std[r] > 0) found[r] = softClass(rows, a, b, odds, r);
  return found;
}

function softClass({ classes, stages, stdClass }, a, b, odds, r) {
  a.prepare(r);
  const own = stdClass[r];
  const mine = odds * a.at(r, own) + b.of(r, b.powered(r, stages.stdPlace[r]));
  const second = odds * a.second(r);
  let best = mine;
  let found = own;
  let at = stages.stdPlace[r];
  for (let place = 0; place < classes; place++) {
    const t = b.powered(r, place);
    if (second + b.of(r, b.largest(r, t)) < best) break;
    const i = stages.order[r * classes + place];
    const value = odds * a.at(r, i) + b.of(r, t);
    if (value > best || (value === best && i < found)) {
      best = value;
      found = i;
      at = place;
    }
  }
  let lead = best - mine;
  if (found !== own && lead < ROUNDING && certain(a, b, r, at)) {
    const more = (1 - odds) * (a.at(r, own) - a.at(r, found)); // than at odds of 1
    lead = more + leadAtEvenOdds(a, b, r, found, at, more - TIE);
  }
  return lead <= TIE ? own : found;
}

/**
 * Each row's interval of odds at which the mix predicts the label.
 * @param {import("./rows.js").Rows} rows
 * @param {StdProbabilities} a
 * @param {RobProbabilities} b
 * @param {{low: Float64Array, high: Float64Array, closed: Uint8Array}} found Filled.
 */
export function softIntervals(rows, a, b, { low, high, closed }) {
  closed.fill(1);
  for (let r = 0; r < rows.length; r++) {
    const right = rows.stdRight[r];
    low[r] = right ? 0 : Infinity;
    high[r] = right ? Infinity : -Infinity;
    if (b.std[r] > 0) narrow(rows, a, b, r, low, high);
  }
}

/**
 * The interval of one row: the intersection over classes i of `t·(a_y - a_i) ≥ b_i - b_y`.
 *
 * Ties: the label needs TIE less where it is ŷ_std, else TIE more than ŷ_std and a trifle more than those before it.
 */
function narrow({ classes, labels, stages, stdClass }, a, b, r, low, high) {
  a.prepare(r);
  const y = labels[r];
  const own = stdClass[r];
  const aOwn = a.at(r, y);
  const bOwn = b.of(r, b.powered(r, stages.labelPlace[r]));
  const second = a.second(r);
  let from = 0;
  let to = Infinity;
  // ŷ_std first, then the others
  for (let place = y === own ? 0 : -1; place < classes && from <= to; place++) {
    const t = b.powered(r, place < 0 ? stages.stdPlace[r] : place);
    let need = b.of(r, t) - bOwn + (y === own ? -TIE : 0);
    let i = own;
    if (place >= 0) {
      const most = b.of(r, b.largest(r, t)) - bOwn + TRIFLE + (y === own ? -TIE : 0); // that any class from here on needs
      if (most > 0 ? second < aOwn && most / (aOwn - second) <= from : second <= aOwn || most / (aOwn - second) >= to) break;
      i = stages.order[r * classes + place];
      if (i === y || i === own) continue;
    } else need += TIE;
    if (i < y) need += TRIFLE;
    const slope = aOwn - a.at(r, i);
    let bound = need / slope;
    if ((y === own || i === own) && Math.abs(need - slope) < ROUNDING) {
      const [rival, at] = y === own ? [i, place] : [y, stages.labelPlace[r]];
      if (certain(a, b, r, at)) bound = turningOdds(a, b, r, rival, at, Math.abs(slope), y === own);
    }
    if (slope > 0) from = Math.max(from, bound);
    else if (slope < 0) to = Math.min(to, bound);
    else if (need > 0) from = Infinity;
  }
  low[r] = from <= to ? from : Infinity;
  high[r] = from <= to ? to : -Infinity;
}

/** Whether both models are next to certain: g of ŷ_std, M(h) of the class at a place. */
function certain(a, b, r, place) {
  return a.rest[r] < 0.5 && b.of(r, b.powered(r, place)) > 0.5;
}

/**
 * How far class i, which is at a place, is ahead of ŷ_std at odds of 1, where both models are next to certain: from what
 * they leave to other classes, as `lead_over_std` in `mnuts_core.functional.mixing`. Where `spare` cannot bring it above 0,
 * how far it is below is not asked.
 */
function leadAtEvenOdds(a, b, r, i, place, spare = Infinity) {
  const most = a.rest[r] + a.at(r, i) - b.of(r, b.powered(r, b.stdPlace[r]));
  return most - b.but(r, place, most + spare);
}

/** From which odds on ŷ_std holds there against class i; `up`: rounded to odds where it does, else to where it does not. */
function turningOdds(a, b, r, i, place, gap, up) {
  const below = (TIE - leadAtEvenOdds(a, b, r, i, place)) / gap; // so far below 1
  const odds = 1 - below;
  const error = 1 - odds - below;
  if (up) return error > 0 ? odds + (odds < 1 ? STEP : 2 * STEP) : odds;
  return error < 0 ? odds - (odds > 1 ? 2 * STEP : STEP) : odds;
}

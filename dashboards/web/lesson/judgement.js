// A prediction held against the data: how near it came, in words that fit.

import { share } from "../engine/statistics.js";

/**
 * @typedef {"exact"|"near"|"low"|"high"|"right"|"wrong"|"open"|"shown"} Judgement `shown`: nothing was predicted; `open`: the data do not
 *   say which answer is right.
 * @typedef {"shown"|"contrary"|"open"} Verdict What the data say of a claim.
 */

/**
 * How a predicted number compares with the truth.
 *
 * @param {import("../engine/statistics.js").Estimate} truth
 * @param {number|null} said In the truth's units.
 * @param {{exact: number, near: number}} within How far off still counts as exact, and as near; so does what lies in the interval.
 * @returns {Judgement}
 */
export function judgeNumber(truth, said, { exact, near }) {
  if (said === null) return "shown";
  const off = Math.abs(said - truth.value);
  if (off <= exact + 1e-12) return "exact";
  if (off <= near + 1e-12 || (said >= truth.low && said <= truth.high)) return "near";
  return said < truth.value ? "low" : "high";
}

/** How a choice compares with what is the case. */
export function judgeChoice(fact, said) {
  if (said === null) return "shown";
  return said === fact ? "right" : "wrong";
}

/** Whether a judgement counts as a hit; null where nothing was predicted. */
export function isHit(judgement) {
  if (judgement === "shown" || judgement === "open") return null;
  return ["exact", "near", "right"].includes(judgement);
}

/**
 * Whether more images go one way than the other, by the sign test at 95 %.
 *
 * @param {number} expected How many go the expected way.
 * @param {number} other
 * @returns {Verdict}
 */
export function signVerdict(expected, other) {
  const { low, high } = share(expected, expected + other);
  if (low > 0.5) return "shown";
  return high < 0.5 ? "contrary" : "open";
}

/** Whether one figure lies above another: their intervals must not overlap. */
export function overVerdict(one, other) {
  if (one.low > other.high) return "shown";
  return one.high < other.low ? "contrary" : "open";
}

// Figures as they are printed, in the words and digits of `mnuts_dashboards.text.numbers`.

import { fixed, general, minus, signed, toDigits } from "../controls/numbers.js";
import { thousands } from "../engine/text.js";

const MOST = 17; // significant digits that tell any two floats apart
const NEAR_ONE = 0.9999; // from here on a share is written as what it lacks to 1

/** A share in percent, without the sign: `95.20`. */
export function percent(share, digits = 2) {
  return fixed(100 * share, digits);
}

/** α with as many digits as it takes to tell it from 1. */
export function alphaText(alpha) {
  if (alpha === 1) return "1";
  return 1 - alpha >= 5e-5 ? fixed(alpha, 5) : `1 − ${general(1 - alpha, 2)}`;
}

/** A mix in one line. */
export function settingsText({ s, p, c, clamp, alpha, beta, temperature }) {
  const level = (alpha ?? null) === null ? `β = ${general(beta, 4)}` : `α = ${alphaText(alpha)}`;
  const transform = `s = ${general(s, 4)}, p = ${general(p, 4)}, c = ${general(c, 4)}`;
  return minus(`${transform}${clamp === "gelu" ? "" : `, ${clamp}`}, ${level}, T = ${general(temperature, 6)}`);
}

/** A paired difference in points with its interval, such as `+2.00 points [+0.50, +3.60]`. */
export function pointsText({ difference: { value, low, high } }) {
  const [middle, ...ends] = [value, low, high].map((x) => {
    const text = signed(100 * x, 2);
    return /[1-9]/.test(text) ? text : fixed(Math.abs(100 * x), 2); // no sign of zero
  });
  return `${middle} points [${ends.join(", ")}]`;
}

/** A share with its interval and n, such as `95.20 % [93.70, 96.40], n = 1,000`. */
export function estimateText({ value, low, high, n }) {
  if (Number.isNaN(value) || value === null) return `NaN, n = ${thousands(n)}`;
  return `${percent(value)} % [${percent(low)}, ${percent(high)}], n = ${thousands(n)}`;
}

/** A share as a count, such as `3 of 4 (75.00 %)`. */
export function tally({ count, value, n }) {
  return `${thousands(count)} of ${thousands(n)}${n ? ` (${percent(value)} %)` : ""}`;
}

/**
 * Two numbers as text, with as many digits as it takes for them to read differently; those next to 1 as `1 − 2.0e-13`.
 * @returns {[string, string]}
 */
export function compared(value, limit) {
  const [isNear, limitIsNear] = [value, limit].map((x) => x >= NEAR_ONE && x < 1);
  if (isNear && limitIsNear) return compared(1 - value, 1 - limit).map((lacking) => `1 − ${lacking}`);
  if (isNear) return [`1 − ${toDigits(1 - value, 2)}`, toDigits(limit, digitsApart(limit, 1))];
  if (limitIsNear) return compared(limit, value).reverse();
  const digits = digitsApart(value, limit);
  return [toDigits(value, digits), toDigits(limit, digits)];
}

/** How many significant digits it takes for two numbers to read differently; neither reads as 1 without being 1. */
function digitsApart(value, limit) {
  const pairs = [[value, limit], [value, 1], [limit, 1]].filter(([one, other]) => one !== other);
  for (let digits = 2; digits < MOST; digits++) {
    if (pairs.every(([one, other]) => general(one, digits) !== general(other, digits))) return digits;
  }
  return MOST;
}

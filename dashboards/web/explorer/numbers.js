// Numbers as they are printed, digit for digit as Python prints them: a tie goes to the even digit.

const MOST = 17; // significant digits that tell any two floats apart
const NEAR_ONE = 0.9999; // from here on a share is written as what it lacks to 1

/** A number's text with the minus as it is printed. */
export function minus(text) {
  return text.replaceAll("-", "−");
}

/** So many decimals: Python's `f"{x:.2f}"`. */
export function fixed(x, digits) {
  if (!Number.isFinite(x)) return notFinite(x);
  const text = Math.abs(x) < 1e21 ? x.toFixed(digits) : BigInt(x).toString() + (digits ? `.${"0".repeat(digits)}` : "");
  const even = isTie(x * 2 ** (digits + 1)) ? toEven(text) : text;
  return Object.is(x, -0) ? `-${even}` : even;
}

/** The same with its sign, the minus as it is printed. */
export function signed(x, digits) {
  const text = fixed(x, digits);
  return minus(text.startsWith("-") ? text : `+${text}`);
}

/** So many significant digits: Python's `f"{x:.4g}"`. */
export function general(x, digits) {
  const [mantissa, exponent] = scientific(x, digits);
  if (exponent === null) return mantissa;
  if (exponent >= -4 && exponent < digits) return withoutZeros(placed(mantissa, exponent));
  const size = String(Math.abs(exponent)).padStart(2, "0");
  return `${withoutZeros(mantissa)}e${exponent < 0 ? "-" : "+"}${size}`;
}

/** A whole number with commas between its thousands. */
export function thousands(n) {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A share in percent, without the sign: `95.20`. */
export function percent(share, digits = 2) {
  return fixed(100 * share, digits);
}

/** α with as many digits as it takes to tell it from 1. */
export function alphaText(alpha) {
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

/** A number to so many significant digits, zeros included; a small one in powers of ten. */
function toDigits(x, digits) {
  if (x === 0) return "0";
  const [mantissa, exponent] = scientific(x, digits);
  return Math.abs(x) >= 1e-3 && exponent < digits ? placed(mantissa, exponent) : `${mantissa}e${exponent}`;
}

/** Mantissa and exponent of ten to so many significant digits; no exponent of what is not finite. */
function scientific(x, digits) {
  if (!Number.isFinite(x)) return [notFinite(x), null];
  const [mantissa, exponent] = x.toExponential(digits - 1).split("e");
  if (x === 0) return [Object.is(x, -0) ? `-${mantissa}` : mantissa, 0];
  const before = Number(x.toExponential(20).split("e")[1]);
  const decimals = digits - 1 - before;
  const tie = decimals >= 0 ? isTie(x * 2 ** (decimals + 1)) : isTie((2 * x) / 10 ** -decimals);
  const carried = Number(exponent) !== before; // from 99.95 to 100.0, which is even
  return [tie && !carried ? toEven(mantissa) : mantissa, Number(exponent)];
}

/** A mantissa with its decimal point put in place. */
function placed(mantissa, exponent) {
  const sign = mantissa.startsWith("-") ? "-" : "";
  const digits = mantissa.replace(/[-.]/g, "");
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  const rest = digits.slice(exponent + 1);
  return sign + digits.slice(0, exponent + 1) + (rest && `.${rest}`);
}

/** Whether a number lies half way between two texts: twice its last digit's worth is odd. */
function isTie(halves) {
  return Number.isInteger(halves) && Math.abs(halves % 2) === 1;
}

/** JavaScript rounds a tie away from zero: where that gives an odd digit, the even one is one less. */
function toEven(text) {
  const last = Number(text.at(-1));
  return last % 2 ? text.slice(0, -1) + (last - 1) : text;
}

function withoutZeros(text) {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

function notFinite(x) {
  return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
}

// Numbers and words, digit for digit as Python prints them: a link or a message reads the same wherever it was made.

import { thousands } from "../engine/text.js";

/**
 * The shortest text that reads back as the very same number, as Python's `repr` without a trailing ".0".
 *
 * @param {number} value
 */
export function shortest(value) {
  if (!Number.isFinite(value)) return nonFinite(value);
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [mantissa, exponent] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power < -4 || power >= 16) return `${mantissa}e${signedPower(power)}`;
  return placed(mantissa, power);
}

/** A number's text with the minus as it is printed. */
export function minus(text) {
  return text.replaceAll("-", "−");
}

/** So many decimals: Python's `f"{x:.2f}"`. */
export function fixed(x, digits) {
  if (!Number.isFinite(x)) return nonFinite(x);
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
  return `${withoutZeros(mantissa)}e${signedPower(exponent)}`;
}

/** A number with so many significant digits and commas between thousands: "1,000,000". */
export function grouped(value, digits) {
  const [whole, rest] = general(value, digits).split(/(?=\.|e)/);
  return thousands(whole) + (rest ?? "");
}

/**
 * A text in quotes, as Python's `repr` writes it.
 *
 * @param {string} text
 */
export function quoted(text) {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inside = Array.from(text, (character) => escaped(character, mark)).join("");
  return mark + inside + mark;
}

/** The first so many characters, none of them cut in half. */
export function firstOf(text, length) {
  return Array.from(text).slice(0, length).join("");
}

const ESCAPES = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escaped(character, mark) {
  if (character === mark) return `\\${mark}`;
  if (character in ESCAPES) return ESCAPES[character];
  if (character === " " || !/[\p{C}\p{Z}]/u.test(character)) return character;
  const code = character.codePointAt(0);
  const [letter, width] = code < 0x100 ? ["x", 2] : code < 0x10000 ? ["u", 4] : ["U", 8];
  return `\\${letter}${code.toString(16).padStart(width, "0")}`;
}

/** A number to so many significant digits, zeros included; a small one in powers of ten. */
export function toDigits(x, digits) {
  if (x === 0) return "0";
  const [mantissa, exponent] = scientific(x, digits);
  return Math.abs(x) >= 1e-3 && exponent < digits ? placed(mantissa, exponent) : `${mantissa}e${exponent}`;
}

/** Mantissa and exponent of ten to so many significant digits; no exponent of what is not finite. */
function scientific(x, digits) {
  if (!Number.isFinite(x)) return [nonFinite(x), null];
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
  return sign + digits.slice(0, exponent + 1).padEnd(exponent + 1, "0") + (rest && `.${rest}`);
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

function nonFinite(value) {
  return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

function signedPower(power) {
  return `${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

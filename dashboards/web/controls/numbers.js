// Numbers and words as Python prints them, so that a link or a message reads the same wherever it was made.

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

/**
 * A number with so many significant digits, as Python's format `.Ng`: `general(0.00001, 4)` is "1e-05".
 *
 * @param {number} value
 * @param {number} digits
 */
export function general(value, digits) {
  if (!Number.isFinite(value)) return nonFinite(value);
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  const power = Number(exponent);
  const short = mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa;
  return power < -4 || power >= digits ? `${short}e${signedPower(power)}` : placed(short, power);
}

/** The same with commas between thousands: "1,000,000". */
export function grouped(value, digits) {
  const [whole, rest] = general(value, digits).split(/(?=\.|e)/);
  return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (rest ?? "");
}

/** A whole number with commas between thousands. */
export function thousands(value) {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A number's text with the minus as it is printed. */
export function minus(text) {
  return text.replaceAll("-", "−");
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

function nonFinite(value) {
  return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

function signedPower(power) {
  return `${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

/** A mantissa's digits with the point where its power of ten has it. */
function placed(mantissa, power) {
  const sign = mantissa.startsWith("-") ? "-" : "";
  const digits = mantissa.replace(/[-.]/g, "");
  if (power < 0) return `${sign}0.${"0".repeat(-power - 1)}${digits}`;
  if (digits.length <= power + 1) return sign + digits.padEnd(power + 1, "0");
  return `${sign}${digits.slice(0, power + 1)}.${digits.slice(power + 1)}`;
}

// Numbers as text in Python's formats, digit for digit, but without a minus before 0 and with a space before %.

const SPEC = /^(\+?)(,?)(?:\.(\d+))?([fg%]?)$/;

/**
 * A number or text in one of Python's formats: `,` `.2f` `+.3f` `,.2f` `.4g` `g` `.1%`, or none.
 * @param {number|string|null} value What is missing is an empty text.
 * @param {string} spec
 * @returns {string}
 */
export function formatted(value, spec = "") {
  if (value === null || value === undefined) return "";
  if (typeof value !== "number") return String(value);
  const [, sign, comma, digits, kind] = SPEC.exec(spec) ?? [];
  if (kind === undefined) throw new RangeError(`no such format: ${spec}`);
  if (!Number.isFinite(value)) return withSign(Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf", sign) + (kind === "%" ? " %" : "");
  const text = bare(value, kind, digits === undefined ? 6 : Number(digits)).replace(/^-(?=[0.]+( %)?$)/, "");
  return withSign(comma ? withCommas(text) : text, sign);
}

function bare(value, kind, digits) {
  if (kind === "f") return fixed(value, digits);
  if (kind === "%") return `${fixed(100 * value, digits)} %`;
  if (kind === "g") return general(value, digits);
  return String(value);
}

function withSign(text, sign) {
  return sign && !text.startsWith("-") ? `+${text}` : text;
}

function withCommas(text) {
  const [whole, part] = text.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return part === undefined ? grouped : `${grouped}.${part}`;
}

/** `.Nf`; a tie goes to the even digit, where JavaScript goes away from 0. */
export function fixed(value, digits) {
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const size = Math.abs(value);
  const text = size < 1e21 ? size.toFixed(digits) : BigInt(size).toString() + (digits ? `.${"0".repeat(digits)}` : "");
  const halves = size * 2 ** (digits + 1); // exact: a tie has just one binary digit more than decimals
  const tie = Number.isInteger(halves) && halves % 2 === 1;
  const odd = tie && Number(text.at(-1)) % 2 === 1;
  return sign + (odd ? text.slice(0, -1) + (Number(text.at(-1)) - 1) : text);
}

/** `.Ng`: so many digits, without zeros at the end, with an exponent where the number is large or small. */
function general(value, digits) {
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const kept = Math.max(1, digits);
  const [mantissa, exponent] = scientific(value, kept);
  const power = Number(exponent);
  if (power < -4 || power >= kept) return `${trimmed(mantissa)}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  const figures = mantissa.replace(/[-.]/g, "");
  const plain = power >= 0 ? `${figures.slice(0, power + 1)}.${figures.slice(power + 1)}` : `0.${"0".repeat(-power - 1)}${figures}`;
  return (value < 0 ? "-" : "") + trimmed(plain);
}

/** Mantissa and exponent with so many digits; a tie goes to the even digit. */
function scientific(value, kept) {
  const [mantissa, exponent] = value.toExponential(kept - 1).split("e");
  const all = value.toExponential(100).split("e")[0].replace(/[-.]/g, "");
  const tie = /^50*$/.test(all.slice(kept));
  const odd = tie && Number(mantissa.at(-1)) % 2 === 1;
  return [odd ? mantissa.slice(0, -1) + (Number(mantissa.at(-1)) - 1) : mantissa, exponent];
}

function trimmed(text) {
  return text.includes(".") ? text.replace(/\.?0*$/, "") : text;
}

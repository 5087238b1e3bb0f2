// By what mixes with equal figures are ranked, as in `mnuts_core.search.result`.

const LEAST = 1e-300;
const DIGITS = 1e9; // distances from q = 0.3 that agree to so many digits are equal

/** Quantiles in here give an α that is neither 1/2 nor 1 in effect. */
export const MILD = [1e-3, 0.95];

/** Whether a quantile is of ordinary size. */
export function isMild(quantile) {
  return quantile >= MILD[0] && quantile <= MILD[1];
}

/**
 * Numbers by which mixes are ranked, the first that differ deciding: smaller is milder, and no two are equal.
 * @param {import("./grids.js").Grid} grid
 * @param {import("./grids.js").Index} index
 * @param {number} quantile Its odds (1-α)/α.
 */
export function mildness(grid, index, quantile) {
  const [i, j, k] = index;
  const distance = Math.abs(Math.log(Math.max(quantile, LEAST) / 0.3));
  return [Math.round(distance * DIGITS) / DIGITS, grid.p[j], Math.abs(Math.log(grid.s[i])), Math.abs(grid.c[k]), ...index];
}

/** Which of two rankings comes first: negative if the first does. */
export function compare(one, other) {
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return one[i] - other[i];
  return 0;
}

/** A quantile that is not of ordinary size, for a warning. */
export function extreme(quantile, alpha) {
  return `q = ${threeDigits(quantile)} is extreme: α = ${alpha.toFixed(8)}`;
}

/** A number as Python's `.3g` writes it. */
function threeDigits(x) {
  if (x === 0) return "0";
  const [digits, exponent] = x.toExponential(2).split("e");
  const power = Number(exponent);
  if (power >= -4 && power < 3) return String(Number(x.toPrecision(3)));
  return `${Number(digits)}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

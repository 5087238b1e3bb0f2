// Figures with their uncertainty, as in `mnuts_core.functional.statistics`.

export const Z95 = 1.959963984540054; // two-sided 95 % point of the standard normal distribution

/**
 * @typedef {object} Estimate A figure, its 95 % interval and what it rests on.
 * @property {number} value NaN if there is nothing to take it from.
 * @property {number} low
 * @property {number} high
 * @property {number} n How many examples.
 * @property {string} kind
 * @property {number|null} count How many of the n, where it is a share.
 */

/** @returns {Estimate} */
export function estimate(value, low, high, n, kind, count = null) {
  return { value, low, high, n, kind, count };
}

/** An estimate where n examples give none. */
export function missing(n, kind) {
  return estimate(NaN, NaN, NaN, n, kind);
}

/** The Wilson score interval of a share. */
export function wilsonInterval(successes, n, z = Z95) {
  const value = successes / n;
  const z2 = z * z;
  const middle = (value + z2 / (2 * n)) / (1 + z2 / n);
  const half = (z * Math.sqrt((value * (1 - value)) / n + z2 / (4 * n * n))) / (1 + z2 / n);
  return [Math.max(0, Math.min(middle - half, value)), Math.min(1, Math.max(middle + half, value))];
}

/** A share of n examples with its Wilson interval. */
export function share(successes, n, kind = "share") {
  if (n === 0) return { ...missing(0, kind), count: 0 };
  const [low, high] = wilsonInterval(successes, n);
  return estimate(successes / n, low, high, n, kind, successes);
}

/** How many of some values are true. */
export function count(values) {
  let n = 0;
  for (let i = 0; i < values.length; i++) if (values[i]) n++;
  return n;
}

/** The share of examples that are right. */
export function shareOf(right, kind = "share") {
  return share(count(right), right.length, kind);
}

/** The middle of ascending numbers; NaN of none. */
export function middleOf(sorted) {
  const n = sorted.length;
  if (!n) return NaN;
  return n % 2 ? sorted[(n - 1) / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

/** The middle of numbers in any order, which are put into another one: quicker than to sort them. */
export function middleOfAny(values) {
  const n = values.length;
  if (!n) return NaN;
  const above = select(values, n >> 1);
  if (n % 2) return above;
  let below = -Infinity; // the greatest of those before it
  for (let i = 0; i < n >> 1; i++) if (values[i] > below) below = values[i];
  return (below + above) / 2;
}

/** The k-th smallest of numbers, with none greater before it and none smaller behind: Hoare's selection (1961). */
function select(values, k) {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const pivot = values[k];
    let i = low;
    let j = high;
    while (i <= j) {
      while (values[i] < pivot) i++;
      while (values[j] > pivot) j--;
      if (i > j) break;
      const value = values[i];
      values[i++] = values[j];
      values[j--] = value;
    }
    if (k <= j) high = j;
    else if (k >= i) low = i;
    else break;
  }
  return values[k];
}

/**
 * The median with its distribution-free 95 % interval, from order statistics; NaN ends of fewer than six.
 * @param {Float64Array} values
 */
export function median(values) {
  const n = values.length;
  if (!n) return missing(0, "median");
  const sorted = values.slice().sort();
  const r = fewestBelow(n);
  return estimate(middleOf(sorted), r ? sorted[r - 1] : NaN, r ? sorted[n - r] : NaN, n, "median");
}

/** The largest r for which a binomial(n, 1/2) falls below r with probability ≤ 2.5 %; 0 if there is none. */
function fewestBelow(n) {
  const chance = halfBinomial(n);
  let r = Math.max(0, Math.floor(n / 2 - 5 * Math.sqrt(n))); // ten standard deviations down there is nothing
  let below = 0;
  while (below + chance(r) <= 0.025) below += chance(r++);
  return r;
}

/** P(X ≤ k) for a binomial(n, 1/2), 2k ≤ n. */
export function binomialHalf(k, n) {
  const chance = halfBinomial(n);
  let below = 0;
  for (let i = k; i >= 0; i--) {
    const one = chance(i);
    below += one;
    if (one < 1e-18 * below) break;
  }
  return Math.min(1, below);
}

/** P(X = k) for a binomial(n, 1/2), as a function of k. */
function halfBinomial(n) {
  const logs = logFactorials(n);
  return (k) => Math.exp(logs[n] - logs[k] - logs[n - k] - n * Math.LN2);
}

let FACTORIALS = new Float64Array([0, 0]);

/** log 0!, …, log n!, by Neumaier's sum, which loses no digits. */
function logFactorials(n) {
  if (FACTORIALS.length > n) return FACTORIALS;
  const logs = new Float64Array(Math.max(n + 1, 2 * FACTORIALS.length));
  let [sum, rest] = [0, 0];
  for (let i = 2; i < logs.length; i++) {
    const term = Math.log(i);
    const next = sum + term;
    rest += Math.abs(sum) >= term ? sum - next + term : term - next + sum;
    sum = next;
    logs[i] = sum + rest;
  }
  return (FACTORIALS = logs);
}

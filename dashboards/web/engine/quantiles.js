// The (1-β)-quantile of margins, as in `mnuts_core.functional.quantiles`.

export const TIE = 1e-15; // margins and odds this close count as equal
export const TRIFLE = 1e-300; // makes of 0 what is larger than 0, and leaves every other number as it is
export const SATURATED = 1 - 3e-6; // above this float64 cannot tell margins apart
export const UNRESOLVED = 1e-12; // below this it hardly tells α from 1

/** The smallest margin that counts as reaching the odds `(1-α)/α`. */
export function leastKept(threshold) {
  return threshold > SATURATED ? threshold + UNRESOLVED : threshold - TIE;
}

/**
 * The (1-β)-quantile of ascending margins.
 * @param {Float64Array} sorted At least one.
 * @param {number} beta Level in [0, 1].
 * @param {"linear"|"lower"} method Between neighbours, or the lower one.
 */
export function marginQuantile(sorted, beta, method = "linear") {
  let place = (1 - beta) * (sorted.length - 1);
  // 1 - 0.985 is 0.01500000000000001: a place that is an integer but for rounding is that integer
  if (Math.abs(place - Math.round(place)) < 1e-9) place = Math.round(place);
  const low = Math.floor(place);
  if (method === "lower") return sorted[low];
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (place - low) * (sorted[high] - sorted[low]);
}

/** How many of some ascending numbers are below (`left`), or at or below (`right`), a value. */
export function searchSorted(sorted, value, side = "left") {
  const right = side === "right";
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < value || (right && sorted[middle] === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The p-quantile, linear between neighbours, as `numpy.quantile`. */
export function quantile(sorted, p) {
  const place = p * (sorted.length - 1);
  const low = Math.floor(place);
  const share = place - low;
  const [a, b] = [sorted[low], sorted[Math.min(low + 1, sorted.length - 1)]];
  return share < 0.5 ? a + (b - a) * share : b - (b - a) * (1 - share);
}

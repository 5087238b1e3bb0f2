// How far each stage's axis reaches: that of logits far enough for the clean and the attacked image, so that the two can be
// compared; after the power, where one may be a hundred times the other, just far enough.

const PROBABILITIES = new Set(["softmax", "vote", "mix"]);
const ENDS = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10]; // where an axis may end, times a power of ten
const NEGLIGIBLE = 0.03; // of the axis: what is negative by less is not given room

/**
 * The ends of a stage's axis; 0 lies between them.
 * @param {string} stage One of `CHARTS`.
 * @param {import("./numbers.js").Numbers} numbers At the point that is shown.
 * @param {import("./numbers.js").Numbers[]} moments At all points of the image.
 * @param {number[]} shown The classes that are drawn.
 * @returns {[number, number]}
 */
export function axisOf(stage, numbers, moments, shown) {
  if (PROBABILITIES.has(stage)) return [0, 1];
  const of = (name) => (stage === "power" ? [numbers] : moments).flatMap((one) => shown.map((k) => one[name][k]));
  const values = stage === "clamp" ? [...of("ln"), ...of("clamp")] : of(stage); // on LN's axis one sees what is cut away
  const high = Math.max(0, ...values);
  const low = Math.min(0, ...values);
  const size = Math.max(high, -low);
  if (size === 0) return [0, 1];
  return [-low > NEGLIGIBLE * size ? -ending(-low) : 0, high > NEGLIGIBLE * size ? ending(high) : 0];
}

/** The nearest end that is not below a positive number. */
export function ending(size) {
  const unit = 10 ** Math.floor(Math.log10(size));
  return unit * (ENDS.find((end) => end * unit >= size) ?? 10);
}

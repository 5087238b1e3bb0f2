// Numbers as text, as Python writes them.

/** A whole number with commas between its thousands. */
export function thousands(n) {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** How many of something there are: "1 image", "1,200 images". */
export function counted(n, one, more = `${one}s`) {
  return `${thousands(n)} ${n === 1 ? one : more}`;
}

/** A number with two decimals; a tie goes to the even digit, as in Python. */
export function twoDecimals(x) {
  const eighths = 8 * x;
  if (!Number.isInteger(eighths) || eighths % 2 === 0) return x.toFixed(2);
  const down = Math.floor(100 * x);
  return ((down % 2 === 0 ? down : down + 1) / 100).toFixed(2);
}

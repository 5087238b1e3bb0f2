// Round ends of axes, and the subplots' names, as `dashboards/figures/layout.py`.

const STEPS = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];

/** The next round number: the end of an axis that need not change at every move of a slider. */
export function roundUp(value) {
  if (!(value > 0 && value < Infinity)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return STEPS.find((step) => step * power >= value * (1 - 1e-9)) * power;
}

/** An axis of a subplot, as a trace names it (`x`) or the layout (`xaxis`); subplots count from 1. */
export function axisName(name, number) {
  return number === 1 ? name : `${name}${number}`;
}

/** The least and the largest of some numbers, those that are none passed over. */
export function ends(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

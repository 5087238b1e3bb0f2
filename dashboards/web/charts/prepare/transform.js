// M in units of a round number, and the labels of its axis, as `dashboards/figures/transform.py`.

import { formatted } from "../format.js";
import { ends, roundUp } from "./rounding.js";

const HALVES = [-1, -0.5, 0, 0.5, 1];
const ROOM = 0.1; // above and below the units: GELU's small dip below 0 mostly fits

export function prepareTransform({ transform: { z, m } }) {
  const [unit, below] = unitOf(m);
  return {
    y: m.map((value) => value / unit),
    low: (below ? HALVES[0] : 0) - ROOM,
    places: HALVES,
    left: HALVES.map(() => z[0]),
    labels: HALVES.map((place) => `${label(place * unit)}\u00a0`),
  };
}

/** A round number that holds all values, and whether any lie below 0 by more than GELU's small dip. */
function unitOf(values) {
  const [low, high] = ends([0, ...values.filter(Number.isFinite)]);
  const below = -low > ROOM * Math.max(high, -low);
  return [roundUp(below ? Math.max(high, -low) : high), below];
}

/** A round number, short. */
function label(value) {
  if (value === 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e4)) return minus(formatted(value + 0, "g"));
  const power = Math.floor(Math.log10(Math.abs(value)));
  return minus(`${formatted(value / 10 ** power, "g")}·10<sup>${power}</sup>`);
}

function minus(text) {
  return text.replaceAll("-", "−");
}

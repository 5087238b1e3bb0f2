// The frontiers of a whole grid in the trade-off plane, as `mnuts_core.views.tradeoff.frontier`.

import { transformKey } from "../params.js";
import { sharesAt } from "./tradeoff.js";

const NAMES = ["clean", "attacked", "by_margin"];

/**
 * The mixes of a frontier in the trade-off plane, those that move; clean accuracy there is that of all clean images.
 * @template {{params: import("../params.js").MixParams}} Point
 * @param {import("../engine.js").RemixEngine} engine
 * @param {Point[]} points The best cell for every β, or for every clean accuracy.
 * @param {(point: Point) => number} oddsOf Its odds (1-α)/α; called for points of one transform after another.
 * @yields {number} The share done.
 * @returns {Generator<number, {curve: Record<string, Float64Array>, params: import("../params.js").MixParams[]}>}
 */
export function* frontierView(engine, points, oddsOf) {
  const table = Object.fromEntries(["alpha", ...NAMES].map((name) => [name, new Float64Array(points.length)]));
  let done = 0;
  for (const places of byTransform(points)) {
    const odds = Float64Array.from(places, (place) => oddsOf(points[place]));
    const found = sharesAt(engine, { ...points[places[0]].params, temperature: 0 }, odds);
    places.forEach((place, i) => {
      table.alpha[place] = 1 / (1 + odds[i]);
      for (const name of NAMES) table[name][place] = found[name][i];
    });
    done += places.length;
    yield done / points.length;
  }
  const moves = (_, i) => i === 0 || NAMES.some((name) => table[name][i] !== table[name][i - 1]);
  const curve = Object.fromEntries(Object.entries(table).map(([name, column]) => [name, column.filter(moves)]));
  return { curve, params: points.map(({ params }) => params).filter(moves) };
}

/** The places of the points of each transform. */
function byTransform(points) {
  const places = new Map();
  points.forEach(({ params }, place) => {
    const key = transformKey(params);
    if (!places.has(key)) places.set(key, []);
    places.get(key).push(place);
  });
  return places.values();
}

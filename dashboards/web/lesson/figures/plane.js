// Clean accuracy against accuracy under attack: where the mix stands between both models.

import { GUESS, layoutOf, translucent } from "./style.js";

/**
 * @param {{name: string, x: object, y: object, colour: string, symbol: string, detail?: string}[]} points Estimates in shares.
 * @param {{name: string, clean: ArrayLike<number>, attacked: ArrayLike<number>, colour: string}[]} curves
 * @param {[number, number]|null} guess In shares.
 */
export function plane(points, curves, guess, texts) {
  const layout = layoutOf(texts.plain("price.x"), texts.plain("price.y"), { legend: true });
  const percent = (values) => Array.from(values, (value) => 100 * value);
  const data = curves.map(({ name, clean, attacked, colour }) => ({
    type: "scatter", mode: "lines", x: percent(clean), y: percent(attacked), name, line: { color: translucent(colour, 0.6), width: 2.5 },
    hovertemplate: "%{x:.1f} %, %{y:.1f} %<extra></extra>",
  }));
  data.push(...points.map(({ name, x, y, colour, symbol, detail = name }) => ({
    type: "scatter", mode: "markers", x: [100 * x.value], y: [100 * y.value], name, hovertext: [detail], marker: { color: colour, size: 15, symbol, line: { color: colour, width: 2.5 } },
    error_x: ends(x, colour), error_y: ends(y, colour), hovertemplate: "%{hovertext}: %{x:.1f} %, %{y:.1f} %<extra></extra>",
  })));
  if (guess) {
    const [x, y] = percent(guess);
    data.push({ type: "scatter", mode: "markers", x: [x], y: [y], name: texts.plain("guess.name"), marker: { symbol: "x-thin-open", size: 15, color: GUESS, line: { width: 4 } } });
  }
  const range = (axis, below, above) => {
    const all = [...points.flatMap((point) => [100 * point[axis].low, 100 * point[axis].high]), ...(guess ? [100 * guess[axis === "x" ? 0 : 1]] : [])];
    return [Math.max(0, Math.min(...all) - below), Math.min(102, Math.max(...all) + above)];
  };
  layout.xaxis.range = range("x", 1, 1);
  layout.yaxis.range = range("y", 8, 5);
  return { data, layout };
}

function ends({ value, low, high }, colour) {
  return { type: "data", symmetric: false, array: [100 * (high - value)], arrayminus: [100 * (value - low)], width: 6, thickness: 2, color: translucent(colour, 0.6) };
}

// What the comparison's plots share: names of bundles beside each other, signs, a pane's axes.

import { escaped } from "../../charts/names.js";
import { fixed, minus } from "../../controls/numbers.js";

export const FADED = 0.25; // opacity of the bundles that are not the chosen one

/** The name of a pane's axis: `axis("x", 0)` is `x`, the next ones `x2`, `x3`, … */
export function axis(letter, pane) {
  return pane ? `${letter}${pane + 1}` : letter;
}

/** The same as a layout names it. */
export function axisKey(letter, pane) {
  return `${letter}axis${pane ? pane + 1 : ""}`;
}

/** A hex colour as rgba. */
export function translucent(colour, alpha) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return `rgba(${red},${green},${blue},${alpha})`;
}

/**
 * An axis of bundles, the first one at 0, whose labels fit beside each other.
 *
 * @param {string[]} names
 * @param {number} room Characters that the whole axis holds.
 */
export function nameAxis(names, room) {
  const each = Math.max(7, Math.floor(room / Math.max(names.length, 1)));
  const style = { showgrid: false, zeroline: false, tickangle: 0, tickfont: { size: 10 }, fixedrange: true };
  return { range: [-0.5, names.length - 0.5], tickvals: names.map((_, i) => i), ticktext: names.map((name) => wrapped(name, each)), ...style };
}

/** A label in a few short lines, broken at marks where there are any. */
export function wrapped(name, room, lines = 3) {
  let rows = [""];
  for (const piece of name.match(/[^-_ .]*[-_ .]?/gu)) {
    if (rows.at(-1) && rows.at(-1).length + piece.length > room) rows.push(piece);
    else rows[rows.length - 1] += piece;
  }
  if (rows.length >= lines) rows = [...rows.slice(0, lines - 1), rows.slice(lines - 1).join("")];
  const short = (line) => (line.length <= room ? line : `${line.slice(0, room - 1)}…`);
  return rows.map((line) => escaped(short(line.trim()))).join("<br>");
}

/** A name in so many characters: its beginning and its end, since names often differ there. */
export function shortened(name, room) {
  const half = Math.floor((room - 1) / 2);
  return name.length <= room ? name : `${name.slice(0, room - 1 - half)}…${name.slice(-half)}`;
}

/** A number with its sign, the minus as it is printed; what rounds to zero has a plus. */
export function signedText(value, digits) {
  const text = fixed(value, digits);
  return minus(/[1-9]/.test(text) ? (value < 0 ? text : `+${text}`) : `+${text.replace("-", "")}`);
}

/** A text above a pane. */
export function above(text, x, y, anchor = "left") {
  return { text, x, y, xref: "paper", yref: "paper", xanchor: anchor, yanchor: "bottom", showarrow: false, font: { size: 12 } };
}

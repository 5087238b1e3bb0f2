// Paths on the simplex and names of classes, as `dashboards/figures/examples.py`.

import { formatted } from "../format.js";
import { label, whole } from "../names.js";

const TAU_MARKS = [3, 0.06, 0.003];
const APART = 0.14; // a dot that is nearer to the one before has no label
const TITLE_ROOM = 60; // characters of a single example's title, which ends in the name of its class
const STEP = 1.35; // from one triangle to the next
const MARGIN_NAMES = { g: "g", h: "h", printed: "Fig. 3", "M(h)": "M(h)", mix: "mix" };

/** Paths as columns, each case beside the one before. */
export function prepareSimplex({ simplex }) {
  const cases = simplex.map((one, number) => pathsOf(one, STEP * number));
  const corners = simplex.map((one) => one.corners.map((name) => label(name)));
  return { cases, titles: titlesOf(simplex), corners, right: STEP * simplex.length - 0.2 };
}

/** Of the paper's cases Fig. 4's own path bears the temperatures: it moves with no slider. */
function pathsOf({ raw, raw_at, transformed, at, printed, printed_at }, shift) {
  return {
    raw: pathOf(raw, raw_at, shift),
    printed: printed && pathOf(printed, printed_at, shift),
    transformed: pathOf(transformed, at, shift, !printed),
  };
}

/** `xy` and `probabilities` hold two and three numbers for each τ, row by row. */
function pathOf({ tau, probabilities, xy }, at, shift, labelled = true) {
  const x = Float64Array.from(tau, (_, i) => xy[2 * i] + shift);
  const y = Float64Array.from(tau, (_, i) => xy[2 * i + 1]);
  const hover = Array.from(tau, (t, i) => [...probabilities.slice(3 * i, 3 * i + 3), t]);
  const marks = TAU_MARKS.map((mark) => nearest(tau, mark));
  const gaps = marks.map((i, k) => (k ? Math.hypot(x[i] - x[marks[k - 1]], y[i] - y[marks[k - 1]]) : 1));
  return {
    x,
    y,
    hover,
    at: [at[0] + shift, at[1]],
    marks: {
      x: marks.map((i) => x[i]),
      y: marks.map((i) => y[i]),
      // a space and not nothing: Plotly keeps a node for it, so that a slider's frame finds the label's place
      text: TAU_MARKS.map((mark, k) => (labelled && gaps[k] > APART ? formatted(mark, "g") : " ")),
      hover: marks.map((i) => hover[i]),
    },
  };
}

function nearest(tau, mark) {
  let best = 0;
  for (let i = 1; i < tau.length; i++) if (Math.abs(Math.log(tau[i] / mark)) < Math.abs(Math.log(tau[best] / mark))) best = i;
  return best;
}

function titlesOf(cases) {
  return cases.map(({ name }) => label(name, TITLE_ROOM));
}

/** Names of the classes, the true one marked, margins in words, and where M changes the class. */
export function prepareBars({ bars }) {
  const changed = bars.filter(({ answers }) => answers["M(h)"] !== answers.h);
  return {
    titles: titlesOf(bars),
    names: bars.map((one) => marked(one, (name) => name, (name) => `${name} ✓`)),
    labels: bars.map((one) => marked(one, label, (name) => `<b>${name} ✓</b>`)),
    hover: bars.map((one) => marked(one, whole, (name) => `<b>${name} ✓</b>`)),
    places: bars.map(({ classes }) => classes.map((_, i) => i)),
    ranges: bars.map(({ classes }) => [-0.5, classes.length - 0.5]),
    margins: bars.map(marginsOf),
    changes: changed.map(({ name, answers }) => `${name.split(":")[0]} from ${answers.h} to ${answers["M(h)"]}`),
  };
}

/** Names of a case's classes in some form, the label's marked. */
function marked({ classes, label: at }, form, mark) {
  return Array.from(classes, (name) => form(name)).map((name, i) => (i === at ? mark(name) : name));
}

function marginsOf({ margin }) {
  const known = Object.entries(MARGIN_NAMES).filter(([key]) => key in margin);
  const shown = known.map(([key, name]) => `${name} ${formatted(margin[key], ".2g")}`);
  const half = Math.floor((shown.length - 1) / 2) || 1; // in two lines, the longer one below
  return `margin ${shown.slice(0, half).join(", ")},<br>${shown.slice(half).join(", ")}`;
}

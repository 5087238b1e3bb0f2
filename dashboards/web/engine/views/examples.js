// Single examples: which ones the mix fixes or breaks, and one example's probabilities (Fig. 3 and 4),
// as `mnuts_core.views.examples`.

import { softmax, temperatureSoftmax } from "../mixing.js";
import { PAPER_CASES, topClasses, trajectory } from "../simplex.js";
import { transformLogits } from "../transform.js";

export const NO_CLASS = "none (a tie)"; // what M(h) predicts where the transform makes classes equally likely
const LETTERS = ["A", "B", "C"];
const ONE = Float64Array.of(1);

/** Where the rows of a part begin, and how many there are. */
export function partOf(engine, where) {
  return where === "clean" ? [0, engine.nClean] : [engine.nClean, engine.nAttacked];
}

/** Which image of the bundle a row of a part is. */
function numberOf(engine, where, row) {
  return where === "clean" ? row : engine.pool.index[row];
}

/**
 * The examples that the mix fixes or breaks: where it and the robust model are not both right or wrong.
 * @param {import("../engine.js").RemixEngine} engine
 * @param {import("../engine.js").Remix} remix
 * @param {"clean"|"attacked"} where Which part of the bundle; attacked: the first points.
 */
export function changedExamples(engine, remix, where = "clean") {
  const { rows } = engine;
  const { part } = remix;
  const [start, n] = partOf(engine, where);
  const picked = [];
  for (let r = 0; r < n; r++) if (Boolean(rows.plainRight[start + r]) !== Boolean(part.mix_right[start + r])) picked.push(r);
  const at = (column, type = Int32Array) => type.from(picked, (r) => column[start + r]);
  return {
    row: Int32Array.from(picked),
    number: Int32Array.from(picked, (r) => numberOf(engine, where, r)),
    label: at(rows.labels),
    std: at(rows.stdClass),
    rob: at(rows.stages.plainClass),
    mix: at(part.mix_class),
    margin: at(part.margin, Float64Array),
    fixed: at(part.mix_right, Uint8Array),
  };
}

/** What the four classifiers make of one example. */
export function story(engine, remix, where, row) {
  const { rows } = engine;
  const { part } = remix;
  const at = partOf(engine, where)[0] + row;
  const name = (k) => engine.bundle.classes[k];
  const [before, after] = [Boolean(rows.plainRight[at]), Boolean(part.mix_right[at])];
  return {
    where,
    number: numberOf(engine, where, row),
    label: name(rows.labels[at]),
    std: name(rows.stdClass[at]),
    rob: name(rows.stages.plainClass[at]),
    mapped: part.tied[at] ? NO_CLASS : name(part.rob_class[at]),
    mix: name(part.mix_class[at]),
    outcome: before === after ? (after ? "right" : "wrong") : after ? "fixed" : "broken",
    margin: part.margin[at],
    threshold: remix.threshold,
  };
}

/** The paper's two logit vectors (Fig. 3): probabilities of h and M(h). */
export function paperBars(params) {
  return Object.entries(PAPER_CASES).map(([name, h]) =>
    bars(name, LETTERS, null, { h: softmax(h), "M(h)": softmax(transformLogits(h, params)) }, [0, 1, 2]),
  );
}

/** One example's probabilities of its top three classes under g, h, M(h) and the mix. */
export function exampleBars(engine, remix, where, row) {
  const at = partOf(engine, where)[0] + row;
  const [g, h] = [engine.rows.stdRow(at), engine.rows.robRow(at)];
  const { alpha, temperature } = remix.params;
  const mapped = softmax(transformLogits(h, remix.params));
  const scaled = temperatureSoftmax(g, temperature);
  const values = { g: softmax(g), h: softmax(h), "M(h)": mapped, mix: mapped.map((p, k) => (1 - alpha) * scaled[k] + alpha * p) };
  const shown = topClasses(h, Math.min(3, h.length));
  const place = shown.indexOf(engine.rows.labels[at]);
  const { number, label } = story(engine, remix, where, row);
  const names = shown.map((k) => engine.bundle.classes[k]);
  return bars(`${where} image ${number}, labelled ${label}`, names, place < 0 ? null : place, values, shown);
}

function bars(name, classes, label, probabilities, shown) {
  const each = (one) => Object.fromEntries(Object.entries(probabilities).map(([key, p]) => [key, one(p)]));
  const lead = (p) => {
    const sorted = p.slice().sort();
    return sorted[sorted.length - 1] - sorted[sorted.length - 2];
  };
  return { name, classes, label, values: each((p) => Float64Array.from(shown, (k) => p[k])), margin: each(lead) };
}

/** The paper's two logit vectors on the simplex (Fig. 4) under the current transform. */
export function paperCases(params) {
  return Object.entries(PAPER_CASES).map(([name, h]) => simplexCase(name, LETTERS, h, params));
}

/** One example with its top three classes on the simplex. */
export function exampleCase(engine, where, row, params) {
  const at = partOf(engine, where)[0] + row;
  const h = engine.rows.robRow(at);
  const corners = topClasses(h).map((k) => engine.bundle.classes[k]);
  const label = engine.bundle.classes[engine.rows.labels[at]];
  return simplexCase(`${where} image ${numberOf(engine, where, row)}, labelled ${label}`, corners, h, params);
}

function simplexCase(name, corners, h, params) {
  const [at, raw_at] = [trajectory(h, params, ONE).xy, trajectory(h, null, ONE).xy];
  return { name, corners, raw: trajectory(h), transformed: trajectory(h, params), at, raw_at };
}

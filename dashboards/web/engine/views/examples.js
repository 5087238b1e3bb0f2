// Single examples: which ones the mix fixes or breaks, and one example's probabilities (Fig. 3 and 4),
// as `mnuts_core.views.examples`.

import { mixProbabilities, softmax, temperatureSoftmax } from "../mixing.js";
import { TIE } from "../quantiles.js";
import { FIG3_MIX, PAPER_CASES, topClasses, trajectory } from "../simplex.js";
import { transformLogits } from "../transform.js";

export const NO_CLASS = "none (a tie)"; // what M(h) predicts where the transform makes classes equally likely
const LETTERS = ["A", "B", "C"];
const ONE = Float64Array.of(1);

/** Which image of the bundle an example of a part is: its clean row. */
function numberOf(engine, where, place) {
  return where === "clean" ? place : engine.pool.index[place];
}

/**
 * Of each example of a part whether h gets it right, whether the mix does, and the row at which it is shown;
 * attacked images over all of their points, shown at one where the mix is wrong if there is any.
 * @param {import("../engine.js").RemixEngine} engine
 * @param {import("../engine.js").Remix} remix
 * @param {"clean"|"attacked"} where Which part of the bundle.
 * @returns {{before: ArrayLike<number>, after: Uint8Array, rowOf: (place: number) => number}}
 */
function outcomes(engine, remix, where) {
  if (where !== "clean" && !engine.pool) throw new RangeError(`bundle '${engine.bundle.name}' has no attacked part`);
  if (where === "clean") {
    return { before: engine.rows.plainRight.subarray(0, engine.nClean), after: remix.part.mix_right, rowOf: (place) => place };
  }
  const { mix_right, row } = remix.on_images;
  return { before: engine.robRightOnImages, after: mix_right, rowOf: (place) => row[place] };
}

/**
 * The examples that the mix fixes or breaks: where it and the robust model are not both right or wrong.
 * @param {import("../engine.js").RemixEngine} engine
 * @param {import("../engine.js").Remix} remix
 * @param {"clean"|"attacked"} where Which part of the bundle.
 */
export function changedExamples(engine, remix, where = "clean") {
  const { rows } = engine;
  const { part } = remix;
  const { before, after, rowOf } = outcomes(engine, remix, where);
  const picked = [];
  for (let i = 0; i < before.length; i++) if (Boolean(before[i]) !== Boolean(after[i])) picked.push(i);
  const shown = picked.map(rowOf);
  const at = (column, type = Int32Array) => type.from(shown, (r) => column[r]);
  return {
    row: Int32Array.from(picked),
    number: Int32Array.from(picked, (place) => numberOf(engine, where, place)),
    label: at(rows.labels),
    std: at(rows.stdClass),
    rob: at(rows.stages.plainClass),
    mix: at(part.mix_class),
    margin: at(part.margin, Float64Array),
    fixed: Uint8Array.from(picked, (place) => after[place]),
  };
}

/**
 * What the four classifiers make of one example.
 * @param {import("../engine.js").RemixEngine} engine
 * @param {import("../engine.js").Remix} remix
 * @param {"clean"|"attacked"} where
 * @param {number} place In the part.
 */
export function story(engine, remix, where, place) {
  const { rows } = engine;
  const { part } = remix;
  const outcome = outcomes(engine, remix, where);
  const n = outcome.before.length;
  if (!(place >= 0 && place < n)) throw new RangeError(`row must lie in [0, ${n}) for ${where} images, got ${place}`);
  const at = outcome.rowOf(place);
  const name = (k) => engine.bundle.classes[k];
  const [before, after] = [Boolean(outcome.before[place]), Boolean(outcome.after[place])];
  return {
    where,
    number: numberOf(engine, where, place),
    row: at,
    point: where === "clean" ? "" : pointWords(engine, at),
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

/** Which point of an attacked image a row is. */
function pointWords({ nClean, bundle }, row) {
  if (row < nClean) return "the image without an attack";
  const { source, sources } = bundle.attacked;
  return `the point found by ${sources[source[row - nClean]]}`;
}

/** The paper's two logit vectors: probabilities of h, of M(h) as in Fig. 3, and of M(h) here. */
export function paperBars(params) {
  return Object.entries(PAPER_CASES).map(([name, h]) => {
    const [printed, mapped] = [FIG3_MIX, params].map((mix) => softmax(transformLogits(h, mix)));
    const values = { h: softmax(h), printed, "M(h)": mapped };
    const answers = Object.fromEntries(Object.entries(values).map(([key, p]) => [key, leader(p)]));
    return bars(name, LETTERS, null, values, [0, 1, 2], answers);
  });
}

/** The letter of the largest probability; none where two are as large. */
function leader(probabilities) {
  const [first, second] = topClasses(probabilities, 2);
  return probabilities[first] - probabilities[second] <= TIE ? NO_CLASS : LETTERS[first];
}

/** One example's probabilities of its top three classes under g, h, M(h) and the mix. */
export function exampleBars(engine, remix, where, place) {
  const one = story(engine, remix, where, place);
  const { number, label, row } = one;
  const [g, h] = [engine.rows.stdRow(row), engine.rows.robRow(row)];
  const { alpha, temperature } = remix.params;
  const mapped = softmax(transformLogits(h, remix.params));
  const scaled = temperatureSoftmax(g, temperature);
  const values = { g: softmax(g), h: softmax(h), "M(h)": mapped, mix: mixProbabilities(scaled, mapped, alpha) };
  const shown = topClasses(h, Math.min(3, h.length));
  const at = shown.indexOf(engine.rows.labels[row]);
  const names = shown.map((k) => engine.bundle.classes[k]);
  const answers = { g: one.std, h: one.rob, "M(h)": one.mapped, mix: one.mix };
  return bars(`${where} image ${number}, labelled ${label}`, names, at < 0 ? null : at, values, shown, answers);
}

function bars(name, classes, label, probabilities, shown, answers) {
  const each = (one) => Object.fromEntries(Object.entries(probabilities).map(([key, p]) => [key, one(p)]));
  const lead = (p) => {
    const sorted = p.slice().sort();
    return sorted[sorted.length - 1] - sorted[sorted.length - 2];
  };
  return { name, classes, label, values: each((p) => Float64Array.from(shown, (k) => p[k])), margin: each(lead), answers };
}

/** The paper's two logit vectors on the simplex (Fig. 4) under the current transform, and as in Fig. 3. */
export function paperCases(params) {
  return Object.entries(PAPER_CASES).map(([name, h]) => {
    const printed = { printed: trajectory(h, FIG3_MIX), printed_at: trajectory(h, FIG3_MIX, ONE).xy };
    return { ...simplexCase(name, LETTERS, h, params), ...printed };
  });
}

/** One example with its top three classes on the simplex. */
export function exampleCase(engine, remix, where, place) {
  const { number, label, row } = story(engine, remix, where, place);
  const h = engine.rows.robRow(row);
  const corners = topClasses(h).map((k) => engine.bundle.classes[k]);
  const kind = row < engine.nClean ? "clean" : "attacked";
  return simplexCase(`${kind} image ${number}, labelled ${label}`, corners, h, remix.params);
}

function simplexCase(name, corners, h, params) {
  const [at, raw_at] = [trajectory(h, params, ONE).xy, trajectory(h, null, ONE).xy];
  return { name, corners, raw: trajectory(h), transformed: trajectory(h, params), at, raw_at, printed: null, printed_at: null };
}

// All views by name: what each one shows of one moment.

import { assumptions } from "./assumptions.js";
import { certifiedFigures } from "./certified.js";
import { classResults, confusion } from "./classes.js";
import { changedExamples, exampleBars, exampleCase, paperBars, paperCases, story } from "./examples.js";
import { headline, seenAndUnseen } from "./headline.js";
import { images } from "./images.js";
import { baseHistograms, marginMedians, mixHistograms } from "./margins.js";
import { snapshots } from "./snapshots.js";
import { alphaCurve } from "./tradeoff.js";
import { logitDensity, transformCurve } from "./transform.js";
import { plainOf } from "../params.js";

/**
 * @typedef {object} State What the page shows.
 * @property {import("../params.js").MixParams} params
 * @property {"linear"|"lower"} [quantile]
 * @property {{where: "clean"|"attacked", row: number}|null} [example] The chosen example; none: the paper's two cases.
 * @property {import("../statistics.js").Estimate|null} [verified] What an attack has left of this very mix.
 * @property {import("../params.js").MixParams[]} [snapshots] Mixes to compare with the current one.
 * @property {string} [grid] Name of the grid whose search is shown.
 *
 * @typedef {object} Moment
 * @property {import("../engine.js").RemixEngine} engine
 * @property {State} state
 * @property {import("../engine.js").Remix} remix
 * @property {import("../search/searches.js").Searches} searches
 */

const chosen = ({ engine, state }) => (state.example && engine.classes >= 3 ? state.example : null);

/** @type {Record<string, (moment: Moment) => unknown>} */
export const VIEWS = {
  headline: ({ engine, state, remix }) => headline(engine, state.params, remix, state.quantile, state.verified),
  seen_and_unseen: ({ engine, remix }) => seenAndUnseen(engine, remix),
  certified: ({ engine, state, remix }) => certifiedFigures(engine, state.params, remix, state.quantile),
  curve: ({ engine, remix }) => alphaCurve(engine, remix.params),
  plain_curve: ({ engine, remix }) => alphaCurve(engine, plainOf(remix.params)),
  transform: ({ engine, remix }) => transformCurve(densityOf(engine, remix.params.ln_k), remix.params),
  margins: ({ engine }) => baseHistograms(engine),
  mix_margins: ({ engine, remix }) => mixHistograms(engine, remix),
  medians: ({ engine, remix }) => marginMedians(engine, remix.params),
  simplex: (moment) => {
    const [example, { engine, remix }] = [chosen(moment), moment];
    return example ? [exampleCase(engine, remix, example.where, example.row)] : paperCases(remix.params);
  },
  bars: ({ engine, state: { example }, remix }) =>
    example ? [exampleBars(engine, remix, example.where, example.row)] : paperBars(remix.params),
  story: ({ engine, state: { example }, remix }) => (example ? story(engine, remix, example.where, example.row) : null),
  examples_clean: ({ engine, remix }) => changedExamples(engine, remix, "clean"),
  examples_attacked: ({ engine, remix }) => (engine.pool ? changedExamples(engine, remix, "attacked") : null),
  classes_clean: ({ engine, remix }) => classResults(engine, remix, "clean"),
  classes_attacked: ({ engine, remix }) => (engine.pool ? classResults(engine, remix, "attacked") : null),
  confusion_clean: ({ engine, remix }) => confusion(engine, remix, "clean"),
  confusion_attacked: ({ engine, remix }) => (engine.pool ? confusion(engine, remix, "attacked") : null),
  images: ({ engine, remix }) => images(engine, remix),
  assumptions: ({ engine, remix }) => assumptions(engine, remix),
  snapshots: ({ engine, state, remix }) => snapshots(engine, remix, state.snapshots ?? [], state.quantile),
  frontier: (moment) => drawn(moment)?.frontier ?? null,
  direct_frontier: (moment) => drawn(moment)?.direct_frontier ?? null,
  sensitivity: ({ searches, state, remix }) => searches.of(state)?.search?.sensitivity(remix.params) ?? null,
};

/** The search whose frontiers are drawn: at T = 0 alone, for which they hold. */
function drawn({ searches, state }) {
  return state.params.temperature === 0 ? searches.of(state) : null;
}

function densityOf(engine, lnK) {
  return engine.fixedMemo.get(`density ${lnK}`, () => logitDensity(engine, lnK));
}

// The direct search's choice beside the plain mix under the same condition, as `mnuts_core.views.direct`.

import { paired } from "../paired.js";
import { IDENTITY } from "../params.js";
import { rightOf, seenAndUnseen } from "../views/headline.js";
import { cellTables } from "./cells.js";
import { directSearch } from "./direct.js";

const PLAIN_GRID = { name: "plain mix", s: [IDENTITY.s], p: [IDENTITY.p], c: [IDENTITY.c] };

/**
 * @typedef {object} Side One mix of a comparison.
 * @property {import("../params.js").MixParams} params
 * @property {{seen: object|null, unseen: object|null}} clean On the images that the search saw, and on the others.
 * @property {import("../statistics.js").Estimate} attacked
 *
 * @typedef {object} Match
 * @property {Side} ours With the transform.
 * @property {Side|null} plain Without; null where no α of the plain mix meets the condition.
 * @property {Record<string, import("../paired.js").Paired>} paired The two on the same images, for each figure.
 */

/** The direct search of the plain mix, which has no parameter but α. */
export function* plainSearch(seen, settings) {
  const plain = { ...settings, clamp: IDENTITY.clamp, ln_k: IDENTITY.ln_k, max_accuracy_loss: null };
  return yield* directSearch(seen, PLAIN_GRID, yield* cellTables(seen, PLAIN_GRID, plain), plain);
}

/**
 * @param {import("../engine.js").RemixEngine} engine
 * @param {import("./direct.js").Choice} choice
 * @param {import("./direct.js").Choice|null} plainChoice
 * @param {import("./seen.js").CleanRows} clean What the search saw.
 * @returns {Match}
 */
export function match(engine, choice, plainChoice, clean) {
  const ours = sideOf(engine, choice, clean);
  if (!plainChoice) return { ours: ours.side, plain: null, paired: {} };
  const plain = sideOf(engine, plainChoice, clean);
  const pairs = Object.entries(ours.right).map(([name, right]) => [name, paired(right, plain.right[name])]);
  return { ours: ours.side, plain: plain.side, paired: Object.fromEntries(pairs) };
}

function sideOf(engine, { params }, clean) {
  const remix = engine.remix(params);
  const split = clean === "all" ? { seen: remix.clean, unseen: null } : seenAndUnseen(engine, remix);
  return { side: { params, clean: split, attacked: remix.attacked }, right: rightOf(engine, remix) };
}

// Snapshots beside the current mix, on the same images.

import { paired } from "../paired.js";
import { rightOf, seenAndUnseen } from "./headline.js";

/**
 * @typedef {object} Snapshot What the engine makes of it (`Remix`, without the rows), its letter as `name`,
 * @property {{seen: object|null, unseen: object|null}} seen_and_unseen see `seenAndUnseen`,
 * @property {Record<string, import("../paired.js").Paired>} paired how it differs from the current mix, by the name of a
 *   figure; or
 * @property {string} error why it cannot be computed on this bundle; then it has nothing but its `params`.
 */

/**
 * The figures of snapshots, and how they differ from the current mix's.
 * @param {import("../engine.js").RemixEngine} engine
 * @param {import("../engine.js").Remix} remix The current mix.
 * @param {import("../params.js").MixParams[]} kept
 * @param {"linear"|"lower"} [quantile]
 * @returns {Snapshot[]}
 */
export function snapshots(engine, remix, kept, quantile) {
  const current = rightOf(engine, remix);
  return kept.map((params, place) => {
    const name = String.fromCharCode(65 + place);
    try {
      const { figures, right } = known(engine, params, quantile);
      const pairs = Object.keys(right).map((name) => [name, paired(right[name], current[name])]);
      return { name, ...figures, paired: Object.fromEntries(pairs) };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return { name, params, error: error.message };
    }
  });
}

/** A snapshot's figures, and which images count in them; each is computed once. */
function known(engine, params, quantile) {
  return engine.snapshotMemo.get(`${JSON.stringify(params)} ${quantile}`, () => {
    const found = engine.remix(params, quantile);
    const { part, on_images, ...figures } = found;
    return { figures: { ...figures, seen_and_unseen: seenAndUnseen(engine, found) }, right: rightOf(engine, found) };
  });
}

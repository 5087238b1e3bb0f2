// Snapshots beside the current mix, on the same images.

import { paired } from "../paired.js";
import { rightOf, seenAndUnseen } from "./headline.js";

/**
 * @typedef {object} Snapshot
 * @property {string} name A letter.
 * @property {import("../params.js").MixParams} params α filled in, where the mix can be computed.
 * @property {import("../statistics.js").Estimate|null} clean
 * @property {import("../statistics.js").Estimate|null} attacked
 * @property {import("../statistics.js").Estimate|null} by_margin
 * @property {{seen: object|null, unseen: object|null}} seen_and_unseen See `seenAndUnseen`.
 * @property {Record<string, import("../paired.js").Paired>} paired Against the current mix, by the name of a figure.
 * @property {string|null} error Why the mix cannot be computed on this bundle.
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
  const right = rightOf(engine, remix);
  return kept.map((params, i) => ({ name: String.fromCharCode(65 + i), ...snapshot(engine, params, quantile, right) }));
}

function snapshot(engine, params, quantile, right) {
  const none = { clean: null, attacked: null, by_margin: null, seen_and_unseen: { seen: null, unseen: null }, paired: {}, error: null };
  const key = `snapshot ${JSON.stringify(params)} ${quantile}`;
  const compute = () => {
    const found = engine.remix(params, quantile);
    const { clean, attacked, by_margin } = found;
    const figures = { params: found.params, clean, attacked, by_margin, seen_and_unseen: seenAndUnseen(engine, found) };
    return { figures, right: rightOf(engine, found) };
  };
  try {
    const { figures, right: own } = engine.snapshotMemo.get(key, compute);
    const pairs = Object.entries(own).filter(([name]) => right[name]);
    return { ...none, ...figures, paired: Object.fromEntries(pairs.map(([name, ours]) => [name, paired(ours, right[name])])) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { ...none, params, error: error.message };
  }
}

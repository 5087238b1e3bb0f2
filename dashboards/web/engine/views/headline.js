// The headline: what a mix does on a bundle, beside what it is made of and the mix without a transform,
// as `mnuts_core.views.headline`.

import { paired } from "../paired.js";
import { plainOf } from "../params.js";
import { held } from "../rows.js";
import { shareOf } from "../statistics.js";

const COMPARED = ["clean", "attacked", "by_margin"];

/**
 * @typedef {object} Row One classifier's figures, null where there is no such figure.
 * @property {string} key
 * @property {string} label
 * @property {import("../statistics.js").Estimate} clean
 * @property {import("../statistics.js").Estimate|null} attacked
 * @property {import("../statistics.js").Estimate|null} by_margin
 * @property {import("../statistics.js").Estimate|null} verified
 * @property {import("../params.js").MixParams|null} params α filled in.
 */

/**
 * The headline figures of a mix.
 * @param {import("../engine.js").RemixEngine} engine
 * @param {import("../params.js").MixParams} params As asked for.
 * @param {import("../engine.js").Remix} remix What the engine makes of them.
 * @param {"linear"|"lower"} quantile
 * @param {import("../statistics.js").Estimate|null} verified What an attack has left of this very mix.
 * @returns {{std: Row, rob: Row, mapped: Row, plain: Row, mix: Row, changes: object}}
 */
export function headline(engine, params, remix, quantile = "linear", verified = null) {
  const plain = engine.remix(plainOf(params), quantile);
  const level = params.alpha === null || params.alpha === undefined ? "β" : "α";
  const { base } = engine;
  const rows = {
    std: row("std", "standard model g", { clean: base.std_clean, attacked: base.std_attacked }),
    rob: row("rob", "robust model h", { clean: base.rob_clean, attacked: base.rob_attacked }),
    mapped: row("mapped", "transformed M(h)", { clean: remix.rob_clean, attacked: remix.rob_attacked }),
    plain: row("plain", `plain mix, same ${level}`, plain),
    mix: { ...row("mix", "this mix", remix), verified },
  };
  const right = rightOf(engine, remix);
  const changes = {
    rob: changed(rows.mix, rows.rob, right, rightOfRobust(engine)),
    plain: changed(rows.mix, rows.plain, right, rightOf(engine, plain)),
  };
  return { ...rows, changes };
}

function row(key, label, { clean, attacked = null, by_margin = null, params = null }) {
  return { key, label, clean, attacked, by_margin, verified: null, params };
}

/** By the name of a figure, which images count in it. */
export function rightOf(engine, remix) {
  const clean = remix.part.mix_right.subarray(0, engine.nClean);
  if (!remix.on_images) return { clean };
  return { clean, attacked: remix.on_images.mix_right, by_margin: held(remix.on_images, remix.threshold) };
}

/** The same for the robust model, whose attacked accuracy stands in for a mix's accuracy by margin. */
function rightOfRobust(engine) {
  const clean = engine.rows.plainRight.subarray(0, engine.nClean);
  const attacked = engine.robRightOnImages;
  return attacked ? { clean, attacked, by_margin: attacked } : { clean };
}

/** A mix against another classifier, for each figure; the other's attacked accuracy stands in for one by margin. */
function changed(mix, other, right, theirs) {
  const pairs = COMPARED.map((name) => {
    const both = right[name] && theirs[name] ? paired(right[name], theirs[name]) : null;
    return [name, change(mix[name], other[name] ?? other.attacked, both)];
  });
  return Object.fromEntries(pairs);
}

/** The change from their accuracy to ours: in points, relative to their error rate, and in pairs. */
function change(ours, theirs, both) {
  if (!ours || !theirs) return null;
  return { points: 100 * (ours.value - theirs.value), relative_error: errorChange(ours, theirs), paired: both };
}

function errorChange(ours, theirs) {
  return theirs.value === 1 ? null : (1 - ours.value) / (1 - theirs.value) - 1;
}

/** Clean accuracy on the images of the attacked rows, that a search sees, and on the others (Table 8). */
export function seenAndUnseen(engine, remix) {
  const right = remix.part.mix_right.subarray(0, engine.nClean);
  const isSeen = new Uint8Array(engine.nClean);
  if (engine.pool) for (const at of engine.pool.index) isSeen[at] = 1;
  const part = (seen) => right.filter((_, i) => isSeen[i] === seen);
  const [seen, unseen] = [part(1), part(0)];
  return { seen: seen.length ? shareOf(seen, "clean") : null, unseen: unseen.length ? shareOf(unseen, "clean") : null };
}

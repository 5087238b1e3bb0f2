// Two mixes on the same images of one bundle: which there are to choose from, and what they do.

import { alphaText } from "../app/numbers.js";
import { general, minus } from "../controls/numbers.js";
import { free, plainAt } from "./comparison.js";

export const BEST = "best";
export const PLAIN = "plain";
const OF = "of:"; // before the name of a bundle: its best on this one
const FILE = "file:"; // before the name of a configuration

/**
 * The mixes that a bundle offers.
 *
 * @param {import("./comparison.js").Comparison} comparison
 * @param {string} name The bundle.
 * @param {import("../app/texts.js").Texts} texts
 * @returns {[string, string, import("../engine/params.js").MixParams][]} What each is called, its word in links, and its parameters.
 */
export function offeredMixes({ asked, best, metas, names }, name, texts) {
  const meta = metas[name];
  const others = names.filter((one) => one !== name && one in best);
  const lent = ({ best: { params } }) => (asked.alpha === "source" ? params : free(params));
  const usable = (params) => params.alpha !== null || meta.by_level;
  return [
    ...(name in best ? [[texts.plain("mixes.best"), BEST, free(best[name].best.params)]] : []),
    [texts.plain("mixes.plain"), PLAIN, plainAt(asked.beta)],
    ...others.map((one) => [texts.plain("mixes.of", { name: one }), `${OF}${one}`, lent(best[one])]),
    ...meta.configs.map(({ label, file, params, alpha }) => [label, `${FILE}${file}`, { ...params, alpha }]),
  ].filter(([, , params]) => usable(params));
}

/**
 * Two mixes on one bundle.
 *
 * @param {import("./bench.js").Bench} bench
 * @param {import("../engine/params.js").MixParams} first
 * @param {import("../engine/params.js").MixParams} second
 * @returns {Promise<{first: object, second: object, paired: object}>} Figures of both, and the first against the second on the same
 *   images, by figure.
 */
export async function mixPair(bench, first, second) {
  const { remix, views } = await bench.ask(second, ["snapshots"], [first]);
  const [found] = views.snapshots;
  if (found.error) throw new Error(found.error);
  return { first: found, second: remix, paired: found.paired };
}

const PARAMETERS = ["s", "p", "c", "clamp", "ln_k", "alpha", "temperature"];

/**
 * What tells two mixes apart, in words, each with what it does.
 *
 * @param {import("../engine/params.js").MixParams} one α filled in.
 * @param {import("../engine/params.js").MixParams} other
 * @param {import("../app/texts.js").Texts} texts
 * @returns {string[]}
 */
export function parameterDifferences(one, other, texts) {
  const written = (name, value) => (name === "alpha" ? alphaText(value) : typeof value === "number" ? minus(general(value, 5)) : value);
  return PARAMETERS.filter((name) => written(name, one[name]) !== written(name, other[name])).map((name) =>
    texts.plain(`parameter.${name}`, { one: written(name, one[name]), other: written(name, other[name]), ...thresholds(one, other) }));
}

/** The margin that h must have for g not to overrule it. */
function thresholds(one, other) {
  const [first, second] = [one, other].map(({ alpha }) => (1 - alpha) / alpha);
  return { first, second };
}

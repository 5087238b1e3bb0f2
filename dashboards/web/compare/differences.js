// What differs between bundles, and what that means for their figures; what is the same on all.

import { minus } from "../controls/numbers.js";
import { percent } from "../app/numbers.js";
import { thousands } from "../engine/text.js";

/**
 * @typedef {object} Difference
 * @property {string} title What differs.
 * @property {string[]} values On each bundle, in their order.
 * @property {string} meaning What follows from it.
 */

/**
 * @param {import("./comparison.js").Comparison} comparison
 * @param {import("../app/texts.js").Texts} texts
 * @returns {{differ: Difference[], same: string[]}} `same`: in words, what all have in common.
 */
export function differencesOf(comparison, texts) {
  const [differ, same] = [[], []];
  for (const [key, value] of Object.entries(FACTS)) {
    const values = comparison.names.map((name) => value(comparison, name, texts) ?? texts.plain("facts.none"));
    const title = texts.plain(`differs.${key}`);
    if (new Set(values).size > 1) differ.push({ title, values, meaning: texts.plain(`differs.${key}.meaning`) });
    else if (values.length) same.push(texts.plain("differs.same_one", { title, value: values[0] }));
  }
  return { differ, same };
}

const meta = (read) => ({ metas }, name, texts) => read(metas[name], texts);
const share = (key) => ({ bases }, name) => shareText(bases[name][key]);
const middle = (classifier, group) => ({ medians }, name) => medianText(medians[name][classifier][group]);

/** By key, from a comparison and a bundle's name to what it has there, in words; null for nothing. */
const FACTS = {
  data: meta(({ dataset, split }) => [dataset, split].filter(Boolean).join(", ")),
  pixels: meta(({ pixels }) => pixels || null),
  classes: meta(({ classes }) => thousands(classes.length)),
  images: meta(({ n_clean, n_adv }, texts) => texts.plain("facts.images", { clean: thousands(n_clean), attacked: thousands(n_adv) })),
  threat: meta(({ threat }) => threat || null),
  std_model: meta(({ models }) => models.std),
  rob_model: meta(({ models }) => models.rob),
  first: meta(firstAttack),
  pool: meta(furtherAttacks),
  std_clean: share("std_clean"),
  rob_clean: share("rob_clean"),
  rob_attacked: share("rob_attacked"),
  wrong: middle("LN h", "clean_wrong"),
  held: middle("LN h", "attacked_right"),
};

/** Which attack found the first points, and whether it used gradients. */
export function firstAttack({ found_by: { name, budget, kind } }, texts) {
  if (kind === "none") return null;
  const short = name.split(/[:,]/)[0] || texts.plain("facts.unknown");
  return [kind === "not recorded" ? short : `${short}, ${kind}`, budget].filter(Boolean).join(", ");
}

/** How many attacks of each further kind have left points; null without an attacked part. */
export function furtherAttacks({ sources, n_adv }, texts) {
  if (!n_adv) return null;
  const counts = ["mixes", "g", "others"].map((kind) => [kind, sources.filter((one) => one.kind === kind).length]);
  const found = counts.filter(([, count]) => count).map(([kind, count]) => texts.plain(`kind.${kind}${count === 1 ? ".one" : ""}`, { count }));
  return found.length ? found.join(", ") : texts.plain("kind.no_more");
}

function shareText(estimate) {
  return estimate ? `${percent(estimate.value)} % [${percent(estimate.low, 1)}, ${percent(estimate.high, 1)}]` : null;
}

function medianText(estimate) {
  return estimate?.n ? minus(estimate.value.toFixed(3)) : null;
}

/**
 * Why the bundles' best mixes gain what they gain, and how parameters carry over: sentences with these bundles' numbers.
 *
 * @param {import("./comparison.js").Comparison} comparison
 * @param {import("../app/texts.js").Texts} texts
 * @returns {string[]}
 */
export function reasonsOf(comparison, texts) {
  const { names, best } = comparison;
  const own = names.filter((name) => name in best).map((name) => gainOf(comparison, name, texts));
  return [...own, ...orderOf(comparison, texts), ...carriedOf(comparison, texts)];
}

/** What a bundle's own best gains over its plain mix, and on what that rests. */
function gainOf({ best, transfers }, name, texts) {
  const { best: cell, n_wrong } = best[name];
  const { to_plain } = transfers.find(({ source, target }) => source === name && target === name);
  const fields = { name, n_wrong: thousands(n_wrong), kept: cell.objective, freed: 1 - cell.objective, q: cell.quantile };
  const gain = ["clean", "attacked"].filter((figure) => figure in to_plain).map((figure) => texts.plain(`why.gain.${figure}`, { points: inPoints(to_plain[figure], texts) }));
  return [texts.plain("why.objective", fields), gain.length ? texts.plain("why.gain", { gain: gain.join(texts.plain("why.and")) }) : ""].filter(Boolean).join(" ");
}

/** On which bundle margins tell h's mistakes best, and whether the margin gap says so, too. */
function orderOf({ names, best, medians }, texts) {
  const known = names.filter((name) => name in best).sort((one, other) => best[one].best.objective - best[other].best.objective);
  const [first, last] = [known[0], known.at(-1)];
  if (known.length < 2 || best[first].best.objective === best[last].best.objective) return [];
  const [gap, other] = [first, last].map((name) => medians[name]["LN h"].gap);
  const fields = { first, last, gap, other, low: best[first].best.objective, high: best[last].best.objective };
  return [texts.plain(gap > other ? "why.order" : "why.order_despite", fields)];
}

/** How many of the transfers are clearly worse than the own best, and which is the worst. */
function carriedOf({ transfers, asked }, texts) {
  const away = transfers.filter(({ source, target, to_own }) => source !== target && to_own.clean);
  if (!away.length) return [];
  const lines = ["clean", "attacked"].map((figure) => {
    const pairs = away.filter(({ to_own }) => to_own[figure]).map((cell) => ({ ...cell, pair: cell.to_own[figure] }));
    const [worst] = [...pairs].sort((one, other) => one.pair.difference.value - other.pair.difference.value);
    const worse = pairs.filter(({ pair }) => pair.clear && pair.difference.value < 0).length;
    return texts.plain("why.carried", { figure: texts.plain(`figure.${figure}`), worse, n: pairs.length, source: worst.source, target: worst.target, points: inPoints(worst.pair, texts) });
  });
  return [...lines, texts.plain(`why.alpha.${asked.alpha}`)];
}

/** A paired difference in points with its interval, and whether it is clear of chance. */
export function inPoints({ difference: { value, low, high }, clear }, texts) {
  const fields = { value: 100 * value, low: 100 * low, high: 100 * high };
  return texts.plain(clear ? "points.clear" : "points.open", fields);
}

// What the comparison shows: each bundle's best parameters, its medians, and what every bundle's best does on every other one, as
// `mnuts_core.views.transfer_matrix` and `.comparison`.

import { IDENTITY } from "../engine/params.js";
import { sharedKinds } from "../engine/terms.js";

export const FIGURES = ["clean", "attacked", "by_margin"];
export const EQUAL = "equal";

/**
 * @typedef {object} Transfer One bundle's best parameters used on another (or the same).
 * @property {string} source Whose best (s, p, c) it is.
 * @property {string} target The bundle it is used on.
 * @property {import("../engine/params.js").MixParams|null} params α filled in; null where refused.
 * @property {object|null} clean @property {object|null} attacked @property {object|null} by_margin Estimates.
 * @property {Object<string, import("../engine/paired.js").Paired>} to_own Against the target's own best, by figure.
 * @property {Object<string, import("../engine/paired.js").Paired>} to_plain Against the plain mix at the same β on the target.
 * @property {string[]} warnings
 * @property {string|null} refused Why there are no figures.
 *
 * @typedef {object} Comparison By the bundle's name, in their order.
 * @property {object} asked The state that it is of.
 * @property {string[]} names
 * @property {Object<string, object>} metas What each says of itself.
 * @property {Object<string, object>} bases The base models' figures.
 * @property {Object<string, Object<string, object>>} medians By classifier; M(h) with the bundle's own best parameters.
 * @property {Object<string, object>} best What Algorithm 1 found, where it could.
 * @property {Object<string, object>} plain The plain mix at β, where there is one.
 * @property {Transfer[]} transfers Sources outermost.
 * @property {Object<string, string>} without Why a bundle has no best parameters; empty text: no attacked part.
 * @property {{equal: boolean, shared: Set<string>, left_out: string[]}} terms Which kinds of sources count; names of the bundles
 *   of whose points not all do.
 */

/**
 * Compare bundles.
 *
 * @param {import("./bench.js").Bench[]} benches Open ones.
 * @param {object} asked beta, grid, clamp, alpha, points, see `CompareState`.
 * @param {{progress: (share: number) => void, stopped: () => boolean}} on `stopped`: whether nobody waits any more.
 * @returns {Promise<Comparison>}
 */
export async function compared(benches, asked, on) {
  const terms = termsOf(benches, asked.points === EQUAL);
  await Promise.all(benches.map((bench) => bench.load(terms.equal ? terms.shared : new Set(bench.kinds))));
  const { best, without } = await searched(benches, asked, on);
  const by = (value) => Object.fromEntries(benches.map((bench) => [bench.name, value(bench)]));
  const lent = Object.entries(best).map(([source, { best: { params } }]) => [source, asked.alpha === "source" ? params : free(params)]);
  const [medians, plain, columns] = [{}, {}, {}];
  for (const bench of benches) {
    const { name } = bench;
    const found = await onTarget(bench, best[name]?.best.params ?? null, lent, asked.beta);
    [medians[name], columns[name]] = [found.medians, found.column];
    if (found.plain) plain[name] = found.plain;
  }
  const transfers = lent.flatMap(([source], at) => benches.map(({ name }) => ({ source, target: name, ...columns[name][at] })));
  return { asked, names: benches.map(({ name }) => name), metas: by(({ meta }) => meta), bases: by(({ base }) => base), medians, best, plain, transfers, without, terms };
}

/** Which kinds of sources count: those that all bundles have, or each bundle's own. */
function termsOf(benches, equal) {
  const shared = sharedKinds(benches.map(({ kinds }) => kinds));
  const left_out = equal ? benches.filter(({ kinds }) => kinds.some((kind) => !shared.has(kind))).map(({ name }) => name) : [];
  return { equal, shared, left_out };
}

/** Each bundle's best parameters, all at once. */
async function searched(benches, asked, { progress, stopped }) {
  const shares = benches.map(() => 0);
  const [best, without] = [{}, {}];
  await Promise.all(benches.map(async (bench, at) => {
    if (!bench.meta.n_adv) {
      without[bench.name] = "";
      return;
    }
    const report = (share) => {
      shares[at] = share;
      progress(shares.reduce((sum, one) => sum + one, 0) / shares.length);
    };
    try {
      best[bench.name] = await bench.search(asked, report);
    } catch (error) {
      if (stopped()) throw error;
      without[bench.name] = error.message;
    }
    report(1);
  }));
  const inOrder = (found) => Object.fromEntries(benches.filter(({ name }) => name in found).map(({ name }) => [name, found[name]]));
  return { best: inOrder(best), without: inOrder(without) };
}

/** All that is used on one bundle: what is lent to it, beside its own best and beside the plain mix. */
async function onTarget(bench, own, lent, beta) {
  const mixes = lent.map(([, params]) => params);
  const alone = { ...IDENTITY, beta, alpha: 1, temperature: 0 }; // h by itself, which there always is
  const beside = await bench.ask(own ? free(own) : alone, ["medians", "snapshots"], mixes);
  const level = bench.meta.by_level ? await bench.ask(plainAt(beta), ["snapshots"], mixes) : null;
  const { "M(h)": mapped, ...fixed } = beside.views.medians;
  const column = beside.views.snapshots.map((mix, at) => {
    if (mix.error) return { params: null, clean: null, attacked: null, by_margin: null, to_own: {}, to_plain: {}, warnings: [], refused: mix.error };
    const { params, clean, attacked, by_margin, warnings } = mix;
    return { params, clean, attacked, by_margin, warnings, to_own: own ? mix.paired : {}, to_plain: level?.views.snapshots[at].paired ?? {}, refused: null };
  });
  return { medians: own ? { ...fixed, "M(h)": mapped } : fixed, plain: level?.remix ?? null, column };
}

/** The mix without a transform at a level. */
export function plainAt(beta) {
  return { ...IDENTITY, beta, alpha: null, temperature: 0 };
}

/** A mix whose α is to follow from its β. */
export function free(params) {
  return { ...params, alpha: null };
}

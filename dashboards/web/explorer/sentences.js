// Sentences about figures: which of the words apply, with the numbers filled in. The same as `mnuts_dashboards.text`.

import { leastKept } from "../engine/quantiles.js";
import { fixed, general, minus, signed } from "../controls/numbers.js";
import { alphaText, compared, estimateText, percent, pointsText, settingsText, tally } from "../app/numbers.js";
import { thousands } from "../engine/text.js";
import { WORDS } from "./words.js";

const GAINS = ["clean", "attacked"];

/** A relative change of the error rate, such as `12.9 % fewer errors`. */
export function errorsText(change) {
  const share = fixed(100 * Math.abs(change), 1);
  if (Number(share) === 0) return WORDS.strip.sameErrors;
  return change < 0 ? WORDS.strip.fewer(share) : WORDS.strip.more(share);
}

/**
 * What the mix gains over the robust model and over the plain mix at the same level.
 * @param {object} changes Of the view `headline`.
 */
export function gains(changes) {
  return WORDS.strip.gains(gain(changes.rob), gain(changes.plain));
}

function gain(changes) {
  const parts = GAINS.filter((name) => changes[name]).map((name) => {
    const change = changes[name];
    const points = change.paired ? pointsText(change.paired) : WORDS.strip.points(signed(change.points, 2));
    const errors = name === "clean" && change.relative_error !== null ? errorsText(change.relative_error) : "";
    return WORDS.strip.gain(points, WORDS.parts[name], errors);
  });
  return parts.join(", ");
}

/** What McNemar's test says of these gains; empty where there are no pairs. */
export function tests(changes) {
  const [robust, plain] = [changes.rob, changes.plain].map(test);
  return robust && plain ? WORDS.strip.tests(robust, plain) : "";
}

function test(changes) {
  const known = GAINS.filter((name) => changes[name]?.paired);
  const said = ({ paired }, name) => WORDS.strip.test(WORDS.parts[name], general(paired.p_value, 2), paired.clear);
  return known.map((name) => said(changes[name], name)).join(", ");
}

/**
 * What the figures mean.
 * @param {object} table The view `headline`.
 * @param {boolean} optimistic Whether no attack on a mix is among the points.
 * @param {string} points Where they come from, see `sourcesWords`.
 */
export function meaning(table, optimistic, points) {
  const { remarks } = WORDS;
  if (!table.rob.attacked) return remarks.noAttack;
  return [remarks.intervals(points), ...(optimistic ? [WORDS.optimistic] : []), remarks.verify].join(" ");
}

/**
 * What certified accuracies mean and rest on, a line each.
 * @param {import("../engine/views/certified.js").CertifiedFigures} found
 */
export function certifiedLines({ within, basis, of_threat, refused }) {
  const { remarks } = WORDS;
  const lines = [remarks.certified(within, basis)];
  if (!of_threat) lines.push(remarks.otherRadius);
  return refused ? [...lines, remarks.notCertified(refused)] : lines;
}

/**
 * Where the attacked points come from, such as "MMAA on LN∘h_rob, 2 attacks on mixes, 1 on g".
 * @param {{name: string, target: string, alpha: number|null}[]} sources Of the meta record.
 */
export function sourcesWords(sources) {
  const { on, attacks, furtherAttacks, notRecorded, targets } = WORDS.sources;
  if (!sources.length) return notRecorded;
  const [first, ...others] = sources;
  const name = first.target ? on(first.name.split(":")[0], first.target) : notRecorded;
  const onMixes = others.filter(isOnMix).length;
  const onStd = others.filter(({ target }) => target === "g").length;
  const counts = [[onMixes, targets.mixes], [onStd, targets.g], [others.length - onMixes - onStd, targets.others]];
  const parts = counts.filter(([count]) => count).map(([count, what], i) => (i ? furtherAttacks : attacks)(count, what));
  return [name, ...parts].join(", ");
}

function isOnMix({ alpha }) {
  return (alpha ?? null) !== null;
}

/** Whether g overrules M(h) at an example's margin, and why. */
export function rule({ margin, threshold, mix, mapped }) {
  const [shown, limit] = compared(margin, threshold);
  if (Math.abs(margin - threshold) <= Math.abs(leastKept(threshold) - threshold)) return WORDS.story.tie(limit);
  if (margin > threshold) return WORDS.story.reaches(shown, limit);
  return WORDS.story.below(shown, limit, mix !== mapped);
}

/** The rows of the assumptions' table: name, what it says, what is found. */
export function assumptionRows(view) {
  const { says, rightToo, changed, kept } = WORDS.assumptions;
  const found = {
    4.1: rightToo(tally(view.std_right_too)),
    4.2: changed(tally(view.changed_clean), view.changed_attacked && tally(view.changed_attacked)),
    "Theorem 4.4": kept(tally(view.kept), tally(view.kept_std_right)),
  };
  return Object.entries(found).map(([name, text]) => [name, says[name], text]);
}

/** What the assumptions cost: the gain that the objective predicts, and the actual one. */
export function assumptionCost(view) {
  const n = view.std_right_too.n + view.kept.n;
  const [promised, gained] = [view.promised, view.fixed - view.broken].map((value) => minus(fixed((100 * value) / n, 2)));
  return WORDS.assumptions.cost(promised, gained, view.fixed, view.broken, view.not_second);
}

/** Clean accuracy on the images that the search has seen, and on the others. */
export function seenWords({ seen, unseen }) {
  if (!seen) return WORDS.seen.none;
  const first = WORDS.seen.seen(estimateText(seen));
  return unseen ? WORDS.seen.unseen(first, estimateText(unseen)) : WORDS.seen.all(first);
}

/**
 * A transform and what is not at its default, in few words: `s 5, p 2.5, c −1.1`.
 * @param {import("../engine/params.js").MixParams} params
 * @param {import("../app/settings.js").Settings} settings
 */
export function settingsWords({ s, p, c, clamp, temperature, ln_k }, { defaults }) {
  const parts = [`s ${general(s, 4)}`, `p ${general(p, 4)}`, `c ${general(c, 4)}`];
  if (clamp !== defaults.clamp) parts.push(clamp);
  if (temperature) parts.push(`T ${general(temperature, 6)}`);
  if (ln_k !== defaults.ln_k) parts.push(`k ${ln_k}`);
  return minus(parts.join(", "));
}

/**
 * What Algorithm 1 found, a line each.
 * @param {import("../engine/search/searches.js").SearchRequest} request
 * @param {import("../engine/search/searches.js").SearchResult} result
 * @param {number} seen How many clean images it saw.
 */
export function foundByLevel({ beta, grid }, { best, ties, n_wrong }, seen) {
  const { byLevel, objective, cells } = WORDS.found;
  return [
    byLevel(general(beta, 4)),
    mixWords(best.params),
    objective(fixed(100 * best.objective, 1), n_wrong, seen),
    cells(sizeOf(grid), grid.name, ties.length - 1),
  ];
}

/**
 * What the direct search found, on seen and unseen images and beside the plain mix, a line each.
 * @param {import("../engine/search/searches.js").SearchRequest} request
 * @param {import("../engine/search/searches.js").SearchResult} result
 * @param {boolean} optimistic Whether no attack on a mix is among the points.
 */
export function foundByAccuracy({ grid, clean_at_least, attacked_at_least }, { match, n_mixes }, optimistic) {
  const words = WORDS.found;
  const { ours, plain, paired } = match;
  const kept = clean_at_least === undefined ? "attacked" : "clean";
  const part = ([name, figure]) => words.cleanPart(percent(figure.value), thousands(figure.n), words.parts[name]);
  const parts = Object.entries(ours.clean).filter(([, figure]) => figure);
  return [
    words.byAccuracy(WORDS.parts[kept], general(100 * (clean_at_least ?? attacked_at_least), 4)),
    mixWords(ours.params),
    words.attacked(percent(ours.attacked.value), ours.attacked.n) + (optimistic ? words.optimistic : ""),
    words.clean(parts.map(part).join("; ")),
    plain ? words.plain(percent(plain.clean.seen.value), percent(plain.attacked.value), pointsText(paired.attacked)) : words.noPlain,
    words.grid(n_mixes, sizeOf(grid), grid.name),
  ];
}

function sizeOf({ s, p, c }) {
  return s.length * p.length * c.length;
}

function mixWords({ s, p, c, alpha }) {
  return minus(WORDS.found.mix(general(s, 4), general(p, 3), general(c, 3), alphaText(alpha ?? 1)));
}

/**
 * What a verification gave, a line each.
 * @param {import("../app/verified.js").Known} known
 */
export function verifiedLines({ params, verified: { value, low, high, n }, card }) {
  const words = WORDS.verification;
  const ends = [low, high].map((end) => percent(end, 1));
  const lines = [words.verified(percent(value, 1), ...ends, thousands(n), settingsText(params))];
  if (card?.clean) lines.push(words.clean(percent(card.clean.value, 1)));
  const steps = Object.entries(card?.components ?? {}).map(([name, share]) => `${name} ${percent(share, 1)}`);
  return steps.length ? [...lines, words.steps(steps.join(" → "))] : lines;
}

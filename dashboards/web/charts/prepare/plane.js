// The trade-off plane: ranges, and the points of other mixes, as `dashboards/figures/tradeoff.py`.

import { isPlain } from "../../engine/params.js";
import { formatted } from "../format.js";
import { ends, roundUp } from "./rounding.js";

const LETTERS = "ABCDEFGHIJ";
const LETTERS_AT = ["top right", "bottom left", "top left", "bottom right", "top center", "bottom center"];
const NOT_OF_ROBUSTBENCH = "standard_base"; // the kind of the rows of Fig. 2 that are the paper's own
const ALPHA_DIGITS = 12; // of α, to which two mixes are one

/** Null without an attacked part. */
export function preparePlane(fields) {
  if (!fields.headline.rob.attacked) return null;
  const points = {
    kept: keptOf(fields.snapshots ?? []),
    stars: starsOf(fields.meta?.configs ?? [], fields.remix.params),
    leaderboard: leaderboardOf(fields),
  };
  return { ...ranges(fields, Object.values(points)), ...points };
}

/** Ranges that stay put while a slider moves: the plain mix's, wider only where something else stands. */
function ranges({ plain_curve: plain, curve, headline, certified, meta }, points) {
  const methods = meta?.methods ?? [];
  const ofMix = [headline.mix.verified, certified?.of_threat ? certified.mix : null].filter(Boolean);
  const shares = (axis) => points.flatMap((one) => one[axis].map((percent) => percent / 100));
  const figures = (name) => methods.map((method) => method[name].value);
  const clean = [...shares("x"), ...figures("clean")];
  const robust = [...shares("y"), ...figures("attacked"), ...ofMix.map(({ value }) => value)];
  const [lowest, highest] = ends([...plain.clean, ...curve.clean, ...clean]);
  const [low, high] = [Math.min(lowest, headline.rob.clean.low), Math.max(highest, headline.std.clean.high)];
  const top = ends([...plain.by_margin, ...plain.attacked, ...curve.attacked, ...robust])[1];
  const step = roundUp((high - low) / 4);
  const [from, to] = [step * Math.floor(low / step), Math.min(step * Math.ceil(high / step), 1)];
  return {
    x_range: [100 * (from - 0.1 * step), 100 * (to + 0.1 * step)],
    y_range: [-3, Math.ceil(20 * top) * 5 + 3],
  };
}

function keptOf(snapshots) {
  const shown = snapshots.map((mix, i) => ({ mix, letter: LETTERS[i] })).filter(({ mix }) => mix.attacked);
  return {
    x: shown.map(({ mix }) => 100 * mix.clean.value),
    y: shown.map(({ mix }) => 100 * mix.attacked.value),
    text: shown.map(({ letter }) => letter),
    places: shown.map((_, i) => LETTERS_AT[i % LETTERS_AT.length]),
  };
}

/** Other mixes that were attacked: small stars; the hover says what they are. */
function starsOf(configs, here) {
  const known = configs
    .map((config, i) => ({ ...config, number: config.number ?? i }))
    .filter(({ verified, clean, params }) => verified && clean && !sameMix(params, here));
  return {
    x: known.map(({ clean }) => 100 * clean.value),
    y: known.map(({ verified }) => 100 * verified.value),
    hover: known.map(({ params, verified }) => `${called(params)}<br>verified, ${estimateText(verified)}`),
    number: known.map(({ number }) => number),
    params: known.map(({ params }) => params),
    kind: known.map(({ params }) => (isPlain(params) ? "plain" : "mix")),
  };
}

/** Whether two mixes are one, whatever the β that their α may have come from. */
function sameMix(one, other) {
  if (one.alpha === null || other.alpha === null) return false;
  const key = ({ s, p, c, clamp, ln_k, temperature, alpha }) => [s, p, c, clamp, ln_k, temperature, formatted(alpha, `.${ALPHA_DIGITS}f`)].join();
  return key(one) === key(other);
}

function called(params) {
  if (isPlain(params) && params.alpha !== null) return `plain mix, α = ${alphaText(params.alpha)}`;
  const { s, p, c, clamp, alpha, beta, temperature } = params;
  const level = alpha === null ? `β = ${formatted(beta, ".4g")}` : `α = ${alphaText(alpha)}`;
  const transform = `s = ${formatted(s, ".4g")}, p = ${formatted(p, ".4g")}, c = ${formatted(c, ".4g")}${clamp === "gelu" ? "" : `, ${clamp}`}`;
  return `${transform}, ${level}, T = ${formatted(temperature, "g")}`;
}

/** α with as many digits as it takes to tell it from 1. */
function alphaText(alpha) {
  return 1 - alpha >= 5e-5 ? formatted(alpha, ".5f") : `1 − ${formatted(1 - alpha, ".2g")}`;
}

/** An accuracy with its interval and n. */
function estimateText({ value, low, high, n }) {
  if (Number.isNaN(value) || value === null) return `NaN, n = ${formatted(n, ",")}`;
  const [middle, from, to] = [value, low, high].map((share) => formatted(100 * share, ".2f"));
  return `${middle} % [${from}, ${to}], n = ${formatted(n, ",")}`;
}

/** The models of the paper's Fig. 2 on the bundle's data set and threat model, and the mix's places. */
function leaderboardOf(fields) {
  const { paper, options, meta } = fields;
  const rows = options?.robustbench ? (paper?.robustbench ?? []) : [];
  const shown = rows.filter((row) => isOfBundle(row, meta));
  return {
    x: shown.map((row) => row.clean_percent),
    y: shown.map((row) => row.autoattack_percent),
    hover: shown.map(({ model, venue }) => [model, venue].filter(Boolean).join(", ")),
    places: placesOf(shown, fields),
  };
}

/** The current mix's places among RobustBench's entries and itself; null where they are not comparable. */
function placesOf(shown, { meta, remix, headline }) {
  if (!shown.length || meta?.incomparable) return null;
  const entries = shown.filter(({ kind }) => kind !== NOT_OF_ROBUSTBENCH);
  const place = (name, figure) => 1 + entries.filter((row) => row[name] > 100 * figure.value).length;
  return {
    clean: place("clean_percent", remix.clean),
    attacked: place("autoattack_percent", headline.mix.verified ?? remix.attacked),
    of: entries.length,
  };
}

/** Whether a row of the paper's Fig. 2 is of the bundle's data set, of its norm and its ε (such as `8/255`). */
export function isOfBundle(row, meta) {
  const data = String(meta?.dataset ?? "").toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
  const named = data.startsWith(row.dataset) && !/^\d/.test(data.slice(row.dataset.length)); // cifar100 is none of cifar10
  const [above, below] = String(row.epsilon).split("/").map(Number);
  return named && row.norm === meta.norm && Math.abs(above / (below || 1) - (meta.eps || 0)) < 1e-9;
}

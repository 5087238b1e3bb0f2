// The numbers of every stage that an image goes through, from its logits to the mix's answer.

import { confidenceMargin } from "../../engine/margins.js";
import { argMax, mixProbabilities, predictedClass, softmax, temperatureSoftmax } from "../../engine/mixing.js";
import { IDENTITY } from "../../engine/params.js";
import { TIE } from "../../engine/quantiles.js";
import { transformLogits, transformStages } from "../../engine/transform.js";

/** Stages of the robust model's road, of the standard model's, and where they meet. */
export const H_ROAD = ["h", "ln", "clamp", "power", "softmax"];
export const G_ROAD = ["g", "vote"];
export const CHARTS = [...H_ROAD, ...G_ROAD, "mix"];
/** All that can be lit. */
export const STAGES = ["pixels", ...CHARTS];

/**
 * @typedef {object} Example An image that is followed, see `dashboards/page/thread.py`.
 * @property {"held"|"corrected"} kind What it shows: an attack withstood, or an error of h corrected.
 * @property {number} number Which clean image of the bundle.
 * @property {"clean"|"attacked"} point Where it is followed first.
 * @property {number} label Its true class.
 * @property {number} rival The wrong class that it is about: g's at the attacked point, or h's at the clean one.
 * @property {string[]} classes Names of the K classes.
 * @property {number[]} shape (H, W, C) of the pictures, C = 1 or 3.
 * @property {number} magnify By how much to magnify the perturbation.
 * @property {"Linf"|"L2"|null} norm
 * @property {number|null} eps The attack's radius, in shares of the range from black to white.
 * @property {{clean: Point, attacked: Point}} points
 *
 * @typedef {object} Point
 * @property {number[]} pixels Row by row, from 0 to 255.
 * @property {number[]} std Logits of g, shape (K,).
 * @property {number[]} rob Logits of h.
 *
 * @typedef {object} Numbers Of each chart K values, by its name, and:
 * @property {Float64Array} fromH What M(h) brings to the mix, α·σ(M(h)).
 * @property {Float64Array} fromG What g brings.
 * @property {Float64Array} before Probabilities of h without the transform, σ(h).
 * @property {number} std The class that g predicts.
 * @property {number} rob That of h.
 * @property {number} answer That of the mix.
 * @property {number} plain That of the plain mix with the same α.
 * @property {number} confidence The probability that g gives its class.
 * @property {number} plainMargin Confidence margin of h.
 * @property {number} margin That of M(h).
 * @property {number} gap By how much M(h)'s largest probability leads that of g's class.
 * @property {number} threshold (1-α)/α, which the gap must exceed where T = 0.
 */

/**
 * The numbers of all stages at one point of an image.
 * @param {Point} point
 * @param {import("../../engine/params.js").MixParams} settings With α.
 * @returns {Numbers}
 */
export function numbersOf({ std: g, rob: h }, settings) {
  const { alpha, temperature } = settings;
  const { ln, clamped, powered } = transformStages(h, settings);
  const [mapped, vote, std] = [softmax(powered), temperatureSoftmax(g, temperature), argMax(g)];
  const mix = mixProbabilities(vote, mapped, alpha);
  const before = softmax(transformLogits(h, IDENTITY));
  return {
    h: Float64Array.from(h),
    ln,
    clamp: clamped,
    power: powered,
    softmax: mapped,
    g: Float64Array.from(g),
    vote,
    mix,
    fromH: mapped.map((p) => alpha * p),
    fromG: vote.map((p) => (1 - alpha) * p),
    before,
    std,
    rob: argMax(h),
    answer: predictedClass(mix, std),
    plain: predictedClass(mixProbabilities(vote, before, alpha), std),
    confidence: softmax(g)[std],
    plainMargin: confidenceMargin(h),
    margin: confidenceMargin(powered),
    gap: mapped[argMax(mapped)] - mapped[std],
    threshold: (1 - alpha) / alpha,
  };
}

/** The place of the largest of some numbers; -1 where two are as large. */
export function leaderOf(values) {
  const best = argMax(values);
  return values.some((value, k) => k !== best && values[best] - value <= TIE) ? -1 : best;
}

/** The place of the second largest. */
export function secondOf(values) {
  const best = argMax(values);
  return argMax(values.map((value, k) => (k === best ? -Infinity : value)));
}

/**
 * The classes that there is room for, in their order: the true one, its rival, and those that g or h come closest to.
 * @param {Example} example
 * @param {number} most
 */
export function shownClasses({ label, rival, classes, points }, most) {
  const all = classes.map((_, k) => k);
  if (classes.length <= most) return all;
  const chances = Object.values(points).flatMap(({ std, rob }) => [softmax(std), softmax(rob)]);
  const best = (k) => Math.max(...chances.map((p) => p[k]));
  const others = all.filter((k) => k !== label && k !== rival).sort((one, other) => best(other) - best(one));
  return [...new Set([label, rival, ...others])].slice(0, most).sort((one, other) => one - other);
}

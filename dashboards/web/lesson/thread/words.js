// What the thread says of a frame: the catalogue's sentences with this image's names and this mix's numbers.
//
// In a formula `^(…)` stands raised.

import { fill, h } from "../../controls/dom.js";
import { fixed, general, minus } from "../../controls/numbers.js";
import { localNumber } from "../../controls/words.js";
import { isPlain } from "../../engine/params.js";
import { secondOf } from "./numbers.js";

const UNSURE = 0.5; // a margin below which a classifier is called unsure
const LEAST = 0.001; // the least probability that stands in digits beside a bar
const RAISED = /\^\(([^)]*)\)/;
const PROBABILITIES = new Set(["softmax", "vote", "mix"]);

/** Shows a text in which `^(…)` stands raised. */
export function rich(element, text) {
  if (element.dataset.text === text) return;
  element.dataset.text = text;
  fill(element, text.split(RAISED).map((part, i) => (i % 2 ? h("sup", null, part) : part)));
}

/** A stage's number, as it stands beside its bar. */
export function numberText(stage, x) {
  if (PROBABILITIES.has(stage)) return localNumber(x > 0 && x < LEAST ? `<${LEAST}` : fixed(x, 3));
  const size = Math.abs(x);
  if (size >= 1e4) return minus(localNumber(general(x, 2)));
  return minus(localNumber(fixed(x, size >= 100 ? 0 : size >= 10 ? 1 : 2).replace(/^-(?=[0.]+$)/, "")));
}

/** A margin or a threshold, which can be tiny and still decide. */
export function probability(x) {
  return localNumber(x > 0 && x < 5e-4 ? minus(general(x, 1)) : fixed(Math.abs(x), 3)); // never −0
}

/** An end of an axis. */
export function endText(x) {
  return minus(localNumber(general(x, 2)));
}

/** A share in percent; not 100 where it is less. */
function percent(share) {
  const digits = share < 1 && share >= 0.9995 ? 2 : 1;
  return localNumber(fixed(Math.min(share < 1 ? 99.99 : 100, 100 * share), digits).replace(/\.0+$/, ""));
}

/** The robust model's name in formulas: M(h), as soon as there is a transform. */
function robustName(settings) {
  return isPlain(settings) ? "h" : "M(h)";
}

/** What the captions of the stages take: settings and margins as they are written. */
export function captionFields(settings, { margin, plainMargin }, texts) {
  const { s, p, c, alpha, temperature, clamp } = settings;
  const bias = c === 0 ? "" : ` ${c < 0 ? "−" : "+"} ${localNumber(fixed(Math.abs(c), 2))}`;
  return {
    robust: robustName(settings),
    s: localNumber(general(s, 3)),
    p: localNumber(general(p, 3)),
    clamped: texts.plain(`thread.clamp.${clamp}`, { c: bias }),
    temperature: localNumber(general(temperature, 3)),
    alpha: localNumber(fixed(alpha, 3)),
    rest: localNumber(fixed(1 - alpha, 3)),
    margin: probability(margin),
    plain: probability(plainMargin),
  };
}

/** Formula and note of a chart. */
export function captionOf(stage, settings, numbers, texts) {
  const kind = kindOf(stage, settings, numbers);
  const fields = captionFields(settings, numbers, texts);
  const own = (part) => texts.plain(`thread.stage.${texts.has(`thread.stage.${kind}.${part}`) ? kind : stage}.${part}`, fields);
  return { formula: own("formula"), note: own("note") };
}

/** Where a setting makes nothing, or the contrary, of a stage, that has words of its own. */
function kindOf(stage, settings, { margin }) {
  const { ln_k, clamp, p, temperature } = settings;
  if (stage === "ln" && ln_k === 0) return "ln_off";
  if (stage === "clamp" && clamp === "linear") return "clamp_off";
  if (stage === "power" && p <= 1) return p === 1 ? "power_one" : "power_less";
  if (stage === "softmax" && margin === 0) return "softmax_tie";
  if (stage === "softmax" && isPlain(settings)) return "softmax_plain";
  if (stage === "vote" && temperature === 0) return "vote_hard";
  return stage;
}

/** How h does. */
export function verdictOfH({ h: logits, rob, plainMargin }, { classes, label }, texts) {
  if (plainMargin === 0) return texts.plain("thread.h.tie");
  const key = `thread.h.${rob === label ? "right" : "wrong"}_${plainMargin < UNSURE ? "unsure" : "sure"}`;
  return texts.plain(key, { class: classes[rob], second: classes[secondOf(logits)], margin: probability(plainMargin) });
}

/** How g does: whether it is right, or was led astray by the attack. */
export function verdictOfG({ std, confidence }, { classes, label }, wasRight, texts) {
  const kind = std === label ? "right" : wasRight ? "fooled" : "wrong";
  return texts.plain(`thread.g.${kind}`, { class: classes[std], confidence: percent(confidence) });
}

/** Why the mix answers what it answers. */
export function reasonOf({ std, gap, threshold, answer }, settings, classes, texts) {
  const robust = robustName(settings);
  if (settings.temperature > 0) return texts.plain("thread.mix.soft");
  if (gap === 0) return texts.plain("thread.mix.agree", { robust });
  const fields = { robust, std: classes[std], gap: probability(gap), threshold: probability(threshold) };
  return texts.plain(`thread.mix.${answer === std ? "overruled" : "holds"}`, fields);
}

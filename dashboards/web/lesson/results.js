// What the data say to an answer: the judgement in words that fit it, the paper's claim, and how sure the number is, on demand.

import { h } from "../controls/dom.js";
import { answerText } from "./questions.js";
import { decimals, percentText } from "../app/texts.js";

/** The whole result of a step; nothing without an answer. */
export function resultOf(step, scene, facts, question, judged) {
  if (!scene.answered) return [];
  const { texts } = scene;
  const claim = step.claim?.(facts);
  const notes = [...(texts.has(`${step.key}.note`) ? [`${step.key}.note`] : []), ...(step.notes?.(facts) ?? [])];
  const verdict = h("p", { class: `verdict ${judged}`, role: "status" }, sentenceOf(step, scene, facts, question, judged));
  const sure = sureness(step.truth(facts), question, texts);
  const claimed = claim ? claimOf(claim, step, facts, texts) : null;
  return [
    verdict,
    step.place ? [claimed, sure] : [sure, claimed], // of one image there is no interval: its number is the claim's
    notes.map((note) => (Array.isArray(note) ? texts.paragraphs(note[0], note[1]) : texts.paragraphs(note, facts))),
  ];
}

/** What was to be expected, and what the data say of it. */
function claimOf({ verdict, key }, step, facts, texts) {
  const expected = [h("b", null, texts.plain("verdict.expected")), " ", texts.line(`${step.key}.claim`, facts), " "];
  return h("p", { class: "claim" }, expected, h("b", null, texts.plain(`verdict.${verdict}`)), " ", texts.line(key ?? `${step.key}.evidence`, facts));
}

/** The truth of a step as a part of a sentence. */
export function truthKey(step, facts) {
  return step.fact ? `${step.key}.truth.${step.fact(facts)}` : `${step.key}.truth`;
}

function sentenceOf(step, { texts, answer }, facts, question, judged) {
  const said = answer === null ? "" : answerText(question, answer, texts);
  const truth = texts.filled(truthKey(step, facts), facts);
  const sentence = texts.line(`judge.${judged}`, { truth, said });
  if (typeof sentence[0] === "string") sentence[0] = sentence[0].replace(/^./u, (first) => first.toUpperCase());
  return sentence;
}

/** The interval of a number, for those who ask. */
function sureness({ value, low, high, n }, question, texts) {
  if (!n || low === high) return null;
  const text = Number.isNaN(low) ? texts.plain("sure.too_few", { n }) : texts.plain("sure.interval", { low: endText(low, question), high: endText(high, question), n });
  return h("details", { class: "sure" }, h("summary", null, texts.plain("sure.title", { value: endText(value, question) })), h("p", null, text));
}

function endText(end, { kind, scale = 1 }) {
  if (kind === "percent" || kind === "choice") return percentText(end);
  return decimals(end / scale, scale === 1 ? 3 : 1);
}

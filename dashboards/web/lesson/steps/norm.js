// Step 5: layer norm, every image on the same scale.

import { mistakesAbove, onlyAbove } from "../facts.js";
import { histograms } from "../figures/histograms.js";
import { judgeChoice, signVerdict } from "../judgement.js";
import { LEVEL } from "../lab.js";
import { noLine, twoGroups } from "./line.js";
import { chosenImage } from "./margin.js";

const FACT = { shown: "fewer", open: "same", contrary: "more" };

export const norm = {
  key: "norm",
  stage: "norm",
  control: "scale",
  missing: noLine,
  wants: ({ lab }) => ({ raw: { params: lab.raw, views: ["images"] }, normed: { params: lab.layerNormed, views: ["images"] } }),
  question: () => ({ kind: "choice", options: ["fewer", "same", "more"].map((value) => [`norm.option.${value}`, value]) }),
  asked: () => ({ scale: "normed" }),
  options: () => ["raw", "normed"].map((value) => [`norm.scale.${value}`, value]),

  facts({ lab, state, got, texts, answered }) {
    const [raw, normed] = [got.raw, got.normed].map(mistakesAbove);
    const scale = answered ? state.scale : "raw";
    const { row, order, first } = chosenImage(lab, state);
    const own = lab.normedRow(row);
    return {
      raw, normed, level: LEVEL, fact: FACT[signVerdict(...onlyAbove(got.raw, got.normed))], frame: got[scale], first,
      q: got[scale].remix.threshold, now: scale === "raw" ? raw : normed, scale: texts.plain(`norm.scale.${scale}`),
      logit: own.logits[order[0]], mean: own.mean, spread: own.spread, z: own.normed[order[0]],
    };
  },

  fact: ({ fact }) => fact,
  truth: ({ normed }) => normed,
  judge: ({ fact }, said) => judgeChoice(fact, said),
  live: ({ answered }) => (answered ? "norm.live" : null),
  caption: "norm.caption",
  numbers: ({ logit, mean, spread, z }) => ({ logit: [logit, 3], mean: [mean, 3], spread: [spread, 3], normed: [z, 3] }),

  figure: ({ texts, colours }, { frame, q }) => histograms(twoGroups(frame, texts, colours), { line: q }, texts, colours),
};

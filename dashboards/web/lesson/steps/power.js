// Step 7: the power, which parts sure images from unsure ones.

import { CLAMP_RECORDS } from "../../engine/clamps.js";
import { sizeOf } from "../../engine/search/grids.js";
import { mistakesAbove, onlyAbove } from "../facts.js";
import { histograms } from "../figures/histograms.js";
import { judgeNumber, signVerdict } from "../judgement.js";
import { LEVEL } from "../lab.js";
import { noLine, twoGroups } from "./line.js";
import { chosenImage } from "./margin.js";

const ASKED = 4; // the paper's p for CIFAR-10

export const power = {
  key: "power",
  stage: "power",
  control: "p",
  needsBest: true,
  missing: noLine,
  wants: ({ lab, state }) => ({
    before: { params: lab.powered(lab.best.c, 1), views: ["images"] },
    asked: { params: lab.powered(lab.best.c, ASKED), views: ["images"] },
    best: { params: lab.chosen(), views: ["images"] },
    now: { params: lab.powered(lab.best.c, state.p), views: ["images"] },
  }),
  question: () => ({ kind: "percent" }),
  asked: () => ({ p: ASKED }),

  facts({ lab, state, got }) {
    const { order, row } = chosenImage(lab, state);
    const { s, p, c } = lab.best;
    const v = CLAMP_RECORDS.gelu.apply(lab.normedRow(row).normed[order[0]] + c);
    const [more, fewer] = onlyAbove(got.before, got.asked);
    return {
      before: mistakesAbove(got.before), asked: mistakesAbove(got.asked), now: mistakesAbove(got.now), best: mistakesAbove(got.best), asked_p: ASKED, level: LEVEL,
      more: more - fewer, fewer: fewer - more, shut: more, letIn: fewer, wrong: mistakesAbove(got.before).n, q: got.now.remix.threshold, p: state.p, c,
      best_s: s, best_p: p, best_c: c, cells: sizeOf(lab.grid), size: Math.abs(v), sign: Math.sign(v), mapped: Math.abs(v) ** state.p * Math.sign(v),
    };
  },

  truth: ({ asked }) => asked,
  judge: ({ asked }, said) => judgeNumber(asked, said, { exact: 0.005, near: 0.05 }),
  claim: ({ shut, letIn }) => ({ verdict: signVerdict(shut, letIn), key: shut < letIn ? "power.evidence_fewer" : "power.evidence" }),
  live: ({ answered }) => (answered ? "power.live" : null),
  caption: "power.caption",
  numbers: ({ p, size, sign, mapped }) => ({ s: [1, 0], size: [size, 3], p: [p, 2], sign: [sign, 0], mapped: [mapped, 3] }),

  figure: ({ got, texts, colours, answered }, { q }) => histograms(twoGroups(answered ? got.now : got.before, texts, colours), { line: answered ? q : got.before.remix.threshold }, texts, colours),
};

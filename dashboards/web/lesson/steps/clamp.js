// Step 6: bias and clamp, which silence the classes that do not compete.

import { estimate, share } from "../../engine/statistics.js";
import { CLAMP_RECORDS } from "../../engine/clamps.js";
import { mistakesAbove } from "../facts.js";
import { cutoff } from "../figures/cutoff.js";
import { judgeNumber } from "../judgement.js";
import { LEVEL } from "../lab.js";
import { noLine } from "./line.js";
import { chosenImage } from "./margin.js";

const ASKED = -1.1; // the paper's c for CIFAR-10
const TOLERATED = 0.01; // of the answers, that the clamp may change
const FEW = 20; // classes, up to which a tenth of a class is asked for

export const clamp = {
  key: "clamp",
  stage: "clamp",
  control: "c",
  missing: noLine,
  wants: ({ lab, state }) => ({
    asked: { params: lab.powered(ASKED, 1), views: ["assumptions"] },
    now: { params: lab.powered(state.c, 1), views: ["images", "transform"] },
  }),
  question: ({ lab }) => ({ kind: "number", low: 0, high: lab.k, step: lab.k <= FEW ? 0.1 : 1, unit: "unit.none" }),
  asked: () => ({ c: ASKED }),

  facts({ lab, state, got }) {
    const { order, row, first } = chosenImage(lab, state);
    const z = lab.normedRow(row).normed[order[0]];
    return {
      asked_c: ASKED, cutoff: -ASKED, k: lab.k, n: lab.n, asked: lab.aboveCutoff(ASKED), changed: got.asked.views.assumptions.changed_clean, level: LEVEL,
      c: state.c, now_cutoff: -state.c, above: lab.aboveCutoff(state.c), now: mistakesAbove(got.now), first, z, clamped: CLAMP_RECORDS.gelu.apply(z + state.c),
    };
  },

  truth: ({ asked, n }) => estimate(asked, asked, asked, n, "mean"),
  judge: ({ asked, k }, said) => judgeNumber({ value: asked, low: asked, high: asked }, said, { exact: 0.05, near: 0.05 * k }),
  claim: ({ changed }) => ({ verdict: changed.high < TOLERATED ? "shown" : changed.low > TOLERATED ? "contrary" : "open", estimate: share(changed.count, changed.n) }),
  live: ({ answered }) => (answered ? "clamp.live" : null),
  caption: "clamp.caption",
  numbers: ({ z, c, clamped }) => ({ normed: [z, 3], c: [c, 2], clamped: [clamped, 3] }),

  figure: ({ state, got, texts, colours }) => cutoff(got.now.views.transform, state.c, texts, colours),
};

// Step 8: mixing, the standard model overrules the robust one where that one wavers.

import { share } from "../../engine/statistics.js";
import { onlyFirst } from "../facts.js";
import { partBars } from "../figures/bars.js";
import { judgeNumber, signVerdict } from "../judgement.js";
import { noLine } from "./line.js";

export const mix = {
  key: "mix",
  stage: "mix",
  control: "alpha",
  needsBest: true,
  missing: noLine,
  wants: ({ lab, state }) => ({
    start: { params: lab.chosen(), views: ["images"] },
    now: { params: lab.chosen(state.alpha === null ? {} : { alpha: state.alpha }), views: ["images"] },
  }),
  stands: (got) => got.now.remix.params.alpha,
  question: () => ({ kind: "percent" }),
  asked: () => ({ alpha: null }),

  facts({ lab, got }) {
    const counts = (frame) => {
      const { mix_right, rob_right } = frame.views.images;
      return [onlyFirst(mix_right, rob_right), onlyFirst(rob_right, mix_right)];
    };
    const [fixes, breaks] = counts(got.start);
    const [now_fixes, now_breaks] = counts(got.now);
    const { clean, attacked, params, threshold } = got.now.remix;
    return {
      n: lab.n, wrong: lab.wrong, right: lab.n - lab.wrong, start_alpha: got.start.remix.params.alpha, start_q: got.start.remix.threshold, fixes, breaks,
      fixed: share(fixes, lab.wrong), now_fixes, now_breaks, alpha: params.alpha, threshold, clean, attacked,
    };
  },

  truth: ({ fixed }) => fixed,
  judge: ({ fixed }, said) => judgeNumber(fixed, said, { exact: 0.005, near: 0.05 }),
  claim: ({ fixes, breaks }) => ({ verdict: signVerdict(fixes, breaks) }),
  live: ({ answered }) => (answered ? "mix.live" : null),
  caption: "mix.caption",
  numbers: ({ alpha, threshold }) => ({ alpha: [alpha, 4], threshold: [threshold, 3] }),

  figure({ texts, colours, answered }, { wrong, right, now_fixes, now_breaks }) {
    const part = (name, count, colour) => ({ name: texts.plain(`mix.part.${name}`), count, colour });
    const [fixes, breaks] = answered ? [now_fixes, now_breaks] : [0, 0];
    const [good, bad] = [colours.right, colours.wrong];
    return partBars([
      { name: texts.plain("mix.bar.wrong"), n: wrong, parts: [part("fixed", fixes, colours.mix), part("left", wrong - fixes, bad)] },
      { name: texts.plain("mix.bar.right"), n: right, parts: [part("kept", right - breaks, good), part("broken", breaks, colours.std)] },
    ], texts);
  },
};

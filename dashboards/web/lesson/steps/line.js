// Step 4: under attack, and a line that is to part good answers from bad ones.

import { mistakes, shareAbove, survivors } from "../facts.js";
import { histograms } from "../figures/histograms.js";
import { judgeNumber } from "../judgement.js";
import { LEVEL } from "../lab.js";

/** Why a step about the line cannot be shown. */
export function noLine({ lab }) {
  if (!lab.survives) return "page.no_survivors";
  return lab.wrong ? null : "page.no_mistakes";
}

/** The two groups, with or without the survivors. */
export function twoGroups(frame, texts, colours, hidden = false) {
  const wrong = { name: texts.plain("group.mistakes"), margins: mistakes(frame), colour: colours.wrong };
  return hidden ? [wrong] : [{ name: texts.plain("group.kept"), margins: survivors(frame), colour: colours.right }, wrong];
}

export const line = {
  key: "line",
  stage: "logits",
  control: "cut",
  missing: noLine,
  wants: ({ lab }) => ({ raw: { params: lab.raw, views: ["images"] } }),
  question: () => ({ kind: "percent" }),
  asked: ({ got }) => ({ cut: got.raw ? got.raw.remix.threshold : null }),

  facts({ state, got }) {
    const [kept, wrong] = [survivors(got.raw), mistakes(got.raw)];
    const q = got.raw.remix.threshold;
    const above = shareAbove(wrong, q);
    return {
      q, above, level: LEVEL, beta: LEVEL, cut: state.cut, kept: shareAbove(kept, state.cut), now: shareAbove(wrong, state.cut),
      out: above.n - above.count, wrong: above.n, right_n: kept.length,
    };
  },

  truth: ({ above }) => above,
  judge: ({ above }, said) => judgeNumber(above, said, { exact: 0.005, near: 0.05 }),
  live: ({ answered }) => (answered ? "line.live" : null),
  caption: "line.caption",
  numbers: ({ q, beta }) => ({ q: [q, 4], beta: [beta, 2] }),

  figure: ({ state, got, texts, colours, answered }) =>
    histograms(twoGroups(got.raw, texts, colours, !answered), { line: answered ? state.cut : null }, texts, colours),
};

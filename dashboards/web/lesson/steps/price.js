// Step 9: what a level β buys, and what it costs.

import { plane } from "../figures/plane.js";
import { judgeNumber } from "../judgement.js";
import { LEVEL } from "../lab.js";
import { noLine } from "./line.js";

export const price = {
  key: "price",
  stage: "mix",
  control: "beta",
  needsBest: true,
  missing: noLine,
  wants: ({ lab, state }) => ({
    level: { params: lab.chosen(), views: ["headline", "curve"] },
    now: { params: lab.chosen({ beta: state.beta }), views: ["headline"] },
  }),
  question: ({ lab }) => ({ kind: "number", low: 0, high: Math.max(10, Math.ceil(100 * (1 - lab.base.rob_clean.value))), step: 0.1, unit: "unit.points", scale: 0.01 }),
  asked: () => ({ beta: LEVEL }),

  facts({ lab, state, got }) {
    const [level, now] = [got.level.views.headline, got.now.views.headline];
    const { paired } = level.changes.plain.clean;
    const gain = level.changes.rob.clean.paired.difference;
    const { std_clean: g, rob_clean: h, rob_attacked: h_attacked } = lab.base;
    return {
      g, h, h_attacked, level: LEVEL, gain, gain_points: 100 * gain.value, only_mix: paired.only_first, only_plain: paired.only_second, clear: paired.clear,
      n: h.n, m: h_attacked.n, beta: state.beta, clean: now.mix.clean, attacked: now.mix.attacked, gain_now: now.changes.rob.clean.points, plain: now.plain,
      level_clean: level.mix.clean, level_attacked: level.mix.attacked, give: 1 - LEVEL, q: got.now.remix.threshold, alpha: got.now.remix.params.alpha, optimistic: lab.meta.optimistic,
      verified: lab.verified,
    };
  },

  truth: ({ gain }) => gain,
  judge: ({ gain }, said) => judgeNumber(gain, said, { exact: 0.0005, near: 0.005 }),
  claim: ({ clear, only_mix, only_plain }) => ({ verdict: !clear ? "open" : only_mix > only_plain ? "shown" : "contrary" }),
  live: ({ answered }) => (answered ? "price.live" : null),
  notes: ({ optimistic, verified }) => [...(optimistic ? ["price.optimistic"] : []), ...(verified ? [["price.verified", verified]] : [])],
  caption: "price.caption",
  numbers: ({ q, alpha }) => ({ q: [q, 4], alpha: [alpha, 4] }),

  figure({ got, texts, colours, answered, said }, { h, h_attacked, clean, attacked, plain, verified, level_clean, level_attacked }) {
    const point = (name, x, y, colour, symbol) => ({ name: texts.plain(`price.point.${name}`), x, y, colour, symbol });
    const points = [point("h", h, h_attacked, colours.rob, "square")];
    if (answered) points.push(point("plain", plain.clean, plain.attacked, colours.plain, "triangle-up"), point("mix", clean, attacked, colours.mix, "circle"));
    if (answered && verified) points.push(point("verified", level_clean, verified, colours.mix, "star"));
    const curve = got.level.views.curve;
    const curves = answered ? [{ name: texts.plain("price.point.curve"), clean: curve.clean, attacked: curve.attacked, colour: colours.mix }] : [];
    return plane(points, curves, said === null ? null : [h.value + said, answered ? level_attacked.value : h_attacked.value], texts);
  },
};

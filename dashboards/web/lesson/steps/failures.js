// Step 1: what accuracy costs, and what robustness costs.

import { judgeNumber, signVerdict } from "../judgement.js";
import { onlyFirst } from "../facts.js";
import { accuracyBars } from "../figures/bars.js";
import { INK } from "../figures/style.js";

export const failures = {
  key: "failures",
  stage: "pixels",
  control: "attack",
  missing: ({ meta }) => (meta.n_adv ? null : "page.no_survivors"),
  wants: ({ lab }) => ({ raw: { params: lab.raw, views: ["images"] } }),
  question: () => ({ kind: "percent" }),
  asked: () => ({ attack: "on" }),

  facts({ lab, got, texts, answered }) {
    const { std_clean: g, rob_clean: h, rob_attacked: attacked, std_attacked: own, std_at_first: g_there } = lab.base;
    const { std_right, rob_right } = got.raw.views.images;
    const shown_attacked = answered ? texts.plain("failures.shown", attacked) : texts.plain("failures.hidden");
    const counts = { only_g: onlyFirst(std_right, rob_right), only_h: onlyFirst(rob_right, std_right) };
    return { g, h, attacked, own, g_there, shown_attacked, data: lab.meta.dataset, ...counts };
  },

  truth: ({ attacked }) => attacked,
  judge: ({ attacked }, said) => judgeNumber(attacked, said, { exact: 0.005, near: 0.05 }),
  claim: ({ only_g, only_h }) => ({ verdict: signVerdict(only_g, only_h) }),
  notes: (facts) => [facts.own ? ["failures.note_own", facts] : ["failures.note_worst", facts]],
  live: ({ state }) => `failures.live.${state.attack}`,
  options: (name) => ["off", "on"].map((value) => [`failures.attack.${value}`, value]),

  figure({ state, texts, colours, answered, said }, { g, h, attacked, own }) {
    const under = state.attack === "on" || !answered;
    const place = (model, part) => `${texts.plain(`failures.bar.${model}`)}<br>${texts.plain(`failures.bar.${part}`)}`;
    const bars = [
      { place: place("g", "clean"), estimate: g, colour: colours.std, ink: INK, pale: under && answered },
      { place: place("h", "clean"), estimate: h, colour: colours.rob, ink: "#ffffff", pale: under && answered },
    ];
    if (under && own && answered) bars.push({ place: place("g", "attacked"), estimate: own, colour: colours.std, ink: INK });
    if (under) bars.push({ place: place("h", "attacked"), estimate: answered ? attacked : null, colour: colours.rob, ink: "#ffffff" });
    const guess = said === null || !under ? null : { place: place("h", "attacked"), share: said };
    return accuracyBars(bars, guess, texts, colours);
  },
};

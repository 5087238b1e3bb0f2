// Step 3: benign confidence, the property that MixedNUTS rests on.

import { marginsWhere, medians } from "../facts.js";
import { histograms } from "../figures/histograms.js";
import { judgeNumber, overVerdict } from "../judgement.js";

export const benign = {
  key: "benign",
  stage: "logits",
  control: "of",
  missing: ({ lab }) => (lab.wrong ? null : "page.no_mistakes"),
  wants: ({ lab }) => ({ raw: { params: lab.raw, views: ["images"] } }),
  question: () => ({ kind: "share" }),
  options: () => ["h", "g"].map((value) => [`benign.of.${value}`, value]),

  facts({ state, got, texts, answered }) {
    const { right, wrong } = medians(got.raw, "h");
    const g_wrong = medians(got.raw, "g").wrong;
    const of = answered ? state.of : "h";
    const now = medians(got.raw, of);
    const shown_wrong = answered ? texts.plain("plot.median", now.wrong) : texts.plain("benign.hidden");
    return { right, wrong, g_wrong, of, now_right: now.right, now_wrong: now.wrong, who: texts.plain(`benign.of.${of}`), shown_wrong };
  },

  truth: ({ wrong }) => wrong,
  judge: ({ wrong }, said) => judgeNumber(wrong, said, { exact: 0.005, near: 0.05 }),
  claim: ({ wrong, g_wrong }) => (g_wrong.n ? { verdict: overVerdict(g_wrong, wrong) } : null),
  live: ({ answered }) => (answered ? "benign.live" : null),

  figure({ got, texts, colours, answered, said }, { of, who, now_right, now_wrong }) {
    const { images } = got.raw.views;
    const [margins, flags] = of === "g" ? [images.std_margin, images.std_right] : [images.rob_margin, images.rob_right];
    const group = (right, middle) => ({
      name: texts.plain(right ? "benign.right" : "benign.wrong", { who }),
      margins: marginsWhere(margins, flags, right),
      colour: right ? colours.right : colours.wrong,
      median: middle.value,
    });
    const groups = [group(true, now_right), ...(answered ? [group(false, now_wrong)] : [])];
    return histograms(groups, { guess: of === "h" ? said : null }, texts, colours);
  },
};

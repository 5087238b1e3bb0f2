// Step 2: the confidence margin of one image, and what it says of being right.

import { softmax } from "../../engine/mixing.js";
import { share } from "../../engine/statistics.js";
import { leadBars } from "../figures/bars.js";
import { isHit, judgeChoice, overVerdict } from "../judgement.js";

const CLASSES = 6; // shown

/** The image that the reader has chosen for guessing, and h's answer on it. */
export function chosenImage(lab, state) {
  const place = Math.min(state.example, lab.examples.length);
  const row = lab.examples[place - 1];
  const p = softmax(lab.logits(row));
  const order = Array.from(p.keys()).sort((i, j) => p[j] - p[i]);
  return { place, row, p, order, first: lab.names[order[0]], second: lab.names[order[1]], margin: p[order[0]] - p[order[1]] };
}

/** Whether h is right on one of these images: its answer's name. */
function factOf(lab, row, first) {
  return lab.names[lab.labels[row]] === first ? "right" : "wrong";
}

export const margin = {
  key: "margin",
  stage: "logits",
  control: "example",
  slot: ({ lab, state }) => `margin-${chosenImage(lab, state).row}`,
  missing: () => null,
  wants: ({ lab }) => ({ raw: { params: lab.raw, views: ["images"] } }),
  question: () => ({ kind: "choice", options: ["right", "wrong"].map((value) => [`margin.option.${value}`, value]) }),
  highest: (lab) => lab.examples.length,

  facts({ lab, state, got, texts }) {
    const image = chosenImage(lab, state);
    const { rob_margin, rob_right } = got.raw.views.images;
    const [above, below] = [true, false].map((wanted) => {
      const rows = rob_margin.map((one, i) => (one >= image.margin - 1e-12 === wanted ? i : -1)).filter((i) => i >= 0);
      return share(rows.filter((i) => rob_right[i]).length, rows.length);
    });
    const judged = lab.examples.filter((row) => (state.said[`margin-${row}`] ?? null) !== null);
    const right = (row) => (rob_right[row] ? "right" : "wrong");
    return {
      ...image,
      p_first: image.p[image.order[0]],
      p_second: image.p[image.order[1]],
      label: lab.names[lab.labels[image.row]],
      fact: factOf(lab, image.row, image.first),
      above,
      belowShare: below,
      below: below.n ? texts.plain("margin.below", below) : texts.plain("margin.below_none"),
      shown: lab.examples.length,
      shown_wrong: lab.examples.filter((row) => !rob_right[row]).length,
      classes: Math.min(CLASSES, lab.k),
      judged: judged.length,
      hits: judged.filter((row) => isHit(judgeChoice(right(row), state.said[`margin-${row}`]))).length,
    };
  },

  place: ({ place }) => place,
  fact: ({ fact }) => fact,
  truth: ({ above }) => above,
  judge: ({ fact }, said) => judgeChoice(fact, said),
  claim: ({ above, belowShare }) => ({ verdict: belowShare.n ? overVerdict(above, belowShare) : "open" }),
  notes: ({ judged }) => [judged ? "margin.tally" : "margin.tally_none"],
  live: () => "margin.live",
  caption: "margin.caption",
  numbers: ({ p_first, p_second, margin: lead }) => ({ first: [p_first, 4], second: [p_second, 4], margin: [lead, 3] }),

  figure({ lab, texts, colours, answered }, { order, p, row, fact }) {
    const shown = order.slice(0, CLASSES);
    const label = lab.labels[row];
    const paint = (k, place) => (!answered ? colours.rob : k === label ? colours.right : place === 0 && fact === "wrong" ? colours.wrong : colours.rob);
    const names = shown.map((k) => (answered && k === label ? `${lab.names[k]} ✓` : lab.names[k]));
    return leadBars(names, shown.map((k) => p[k]), shown.map(paint), texts, colours);
  },
};

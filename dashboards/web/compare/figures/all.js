// All plots of a comparison, with their notes and what they say to those who do not see them.

import { FIGURES } from "../comparison.js";
import { inPoints } from "../differences.js";
import { gapsFigure } from "./gaps.js";
import { signedText } from "./labels.js";
import { matrixFigure } from "./matrix.js";
import { mediansFigure } from "./medians.js";

/**
 * @param {import("../comparison.js").Comparison} comparison
 * @param {{focus: string|null, pair: {source: string, target: string}|null}} marks
 * @param {{texts: import("../../app/texts.js").Texts, colours: object, paper: {gaps: {name: string, gap: number}[]}}} context
 */
export function figuresOf(comparison, { focus, pair }, { texts, colours, paper }) {
  const { medians, transfers, names } = comparison;
  const own = Object.entries(medians).map(([name, { "LN h": { gap } }]) => `${name} ${Number.isFinite(gap) ? signedText(gap, 3) : texts.plain("facts.no_attack")}`);
  const printed = paper.gaps.map(({ gap }) => gap);
  const ends = { gaps: own.join(", "), low: Math.min(...printed), high: Math.max(...printed) };
  const words = (name, fields) => ({ note: texts.plain(`${name}.note`), alternative: texts.plain(`${name}.alternative`, fields) });
  const matrices = FIGURES.map((figure) => [`transfer_${figure}`, {
    ...matrixFigure(transfers, names, figure, pair, texts, colours), note: texts.plain(`matrix.note.${figure}`), alternative: inWords(comparison, figure, texts),
  }]);
  return {
    medians: { ...mediansFigure(medians, focus, texts, colours), ...words("medians", ends) },
    gaps: { ...gapsFigure(medians, paper.gaps, focus, texts, colours), ...words("gaps", ends) },
    ...Object.fromEntries(matrices),
  };
}

function inWords({ transfers, names }, figure, texts) {
  const away = transfers.filter(({ source, target, to_own }) => source !== target && to_own[figure]);
  const [worst] = away.sort((one, other) => one.to_own[figure].difference.value - other.to_own[figure].difference.value);
  const last = worst ? texts.plain("matrix.worst", { source: worst.source, target: worst.target, points: inPoints(worst.to_own[figure], texts) }) : "";
  return texts.plain("matrix.alternative", { sources: new Set(transfers.map(({ source }) => source)).size, targets: names.length, worst: last });
}

// What the steps count in an answer of the engine: mistakes above the line, survivors kept, medians. The mistakes are h's own on the
// clean images, the same ones through all steps.

import { leastKept } from "../engine/quantiles.js";
import { median, share } from "../engine/statistics.js";

/** Margins where a flag is 1, or 0. */
export function marginsWhere(margins, flags, wanted) {
  return margins.filter((_, i) => Boolean(flags[i]) === wanted);
}

/** Margins of M(h) on the clean images that h gets wrong. */
export function mistakes({ views: { images } }) {
  return marginsWhere(images.margin, images.rob_right, false);
}

/** Least margins of M(h) on the attacked images that it gets right. */
export function survivors({ views: { images } }) {
  return images.attacked ? marginsWhere(images.attacked.margin, images.attacked.mapped_right, true) : new Float64Array();
}

/** The share of margins that lie on a line or above it. */
export function shareAbove(margins, line) {
  const least = leastKept(line);
  let above = 0;
  for (let i = 0; i < margins.length; i++) if (margins[i] >= least) above++;
  return share(above, margins.length);
}

/** The share of clean mistakes above an answer's own line. */
export function mistakesAbove(frame) {
  return shareAbove(mistakes(frame), frame.remix.threshold);
}

/** Of the clean mistakes how many only one answer has above its line, and how many only the other. */
export function onlyAbove(one, other) {
  const [mine, theirs] = [one, other].map((frame) => [mistakes(frame), leastKept(frame.remix.threshold)]);
  let [onlyOne, onlyOther] = [0, 0];
  for (let i = 0; i < mine[0].length; i++) {
    const [here, there] = [mine[0][i] >= mine[1], theirs[0][i] >= theirs[1]];
    if (here && !there) onlyOne++;
    if (there && !here) onlyOther++;
  }
  return [onlyOne, onlyOther];
}

/** The median margin of right and of wrong answers of g or h on clean images. */
export function medians({ views: { images } }, of) {
  const [margins, right] = of === "g" ? [images.std_margin, images.std_right] : [images.rob_margin, images.rob_right];
  return { right: median(marginsWhere(margins, right, true)), wrong: median(marginsWhere(margins, right, false)) };
}

/** Of images that are right in one list and wrong in another: how many. */
export function onlyFirst(first, second) {
  let n = 0;
  for (let i = 0; i < first.length; i++) if (first[i] && !second[i]) n++;
  return n;
}

// What figures draw beyond their views, by the panel's name, as the `prepare_…` functions in `dashboards/figures`.

import { prepareClasses, prepareConfusion } from "./prepare/classes.js";
import { prepareBars, prepareSimplex } from "./prepare/examples.js";
import { prepareMarginScatter } from "./prepare/margin_scatter.js";
import { prepareMargins, prepareMedians, prepareMixMargins } from "./prepare/margins.js";
import { preparePlane } from "./prepare/plane.js";
import { prepareSlices } from "./prepare/sensitivity.js";
import { prepareTransform } from "./prepare/transform.js";

/** @type {Record<string, (fields: object) => object|null>} */
export const PREPARE = {
  plane: preparePlane,
  transform: prepareTransform,
  margins: prepareMargins,
  mix_margins: prepareMixMargins,
  slices: prepareSlices,
  medians: prepareMedians,
  simplex: prepareSimplex,
  bars: prepareBars,
  classes: prepareClasses,
  confusion: prepareConfusion,
  margin_scatter: prepareMarginScatter,
};

/** The fields of a panel with what it draws beyond them. */
export function prepared(name, fields) {
  return { ...fields, drawn: PREPARE[name](fields) };
}

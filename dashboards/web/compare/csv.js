// The comparison's tables as CSV, in the columns of Python's frames: shares, with n and interval.

import { csvOf } from "../charts/data_table.js";
import { FIGURES } from "./comparison.js";
import { CLASSIFIERS } from "./figures/medians.js";

const ENDS = ["", "_low", "_high", "_n"];
const MIX = ["s", "p", "c", "clamp", "ln_k", "beta", "alpha"];
const GROUPS = ["clean_right", "clean_wrong", "attacked_right", "attacked_wrong"];

/** By the name of a table, from a comparison to its records. */
const RECORDS = {
  facts: ({ names, metas, bases }) => names.map((name) => {
    const { dataset, split, classes, models, threat, found_by, n_clean, n_adv } = metas[name];
    const figures = ["std_clean", "rob_clean", "rob_attacked"].map((key) => columns(key, bases[name][key]));
    return Object.assign({
      bundle: name, data: [dataset, split].filter(Boolean).join(" "), classes: classes.length, std_model: models.std, rob_model: models.rob,
      threat: threat ?? "", attack: found_by.name, budget: found_by.budget, kind: found_by.kind, n_clean, n_adv,
    }, ...figures);
  }),
  best: ({ names, best }) => names.filter((name) => name in best).map((name) => {
    const { best: { params, quantile, objective }, n_wrong, n_right, ties, warnings } = best[name];
    const mix = Object.fromEntries(MIX.map((key) => [key, params[key]]));
    return { bundle: name, ...mix, quantile, objective, n_wrong, n_right, ties: ties.length - 1, warnings: warnings.join("; ") };
  }),
  transfers: ({ transfers }) => transfers.map((cell) => {
    const figures = FIGURES.flatMap((key) => [
      columns(key, cell[key]), columns(`${key}_to_own`, cell.to_own[key]?.difference), columns(`${key}_to_plain`, cell.to_plain[key]?.difference),
    ]);
    const ends = { warnings: cell.warnings.join("; "), refused: cell.refused ?? "" };
    return Object.assign({ parameters_of: cell.source, used_on: cell.target, alpha: cell.params?.alpha ?? null }, ...figures, ends);
  }),
  medians: ({ medians }) => Object.entries(medians).flatMap(([bundle, own]) => CLASSIFIERS.filter((key) => key in own).flatMap((classifier) => {
    const { gap, attacked_itself } = own[classifier];
    return GROUPS.filter((group) => own[classifier][group]).map((group) => {
      const [images, predicted] = group.split("_");
      const { value, low, high, n } = own[classifier][group];
      return { bundle, classifier, images, predicted, median: value, low, high, n, gap, attacked_itself };
    });
  })),
};

/**
 * A table as CSV.
 *
 * @param {"facts"|"best"|"transfers"|"medians"} table
 * @param {import("./comparison.js").Comparison} comparison
 */
export function csvTable(table, comparison) {
  const records = RECORDS[table](comparison);
  const names = Object.keys(records[0] ?? {});
  const { asked: { beta, grid, clamp, alpha, points } } = comparison;
  const settings = { of_beta: beta, of_grid: grid, of_clamp: clamp, of_alpha: alpha, of_points: points };
  return csvOf({ columns: names, rows: records.map((record) => names.map((name) => plain(record[name]))) }, settings);
}

function columns(name, estimate) {
  const { value, low, high, n } = estimate ?? {};
  return Object.fromEntries([value, low, high, n].map((one, i) => [`${name}${ENDS[i]}`, one ?? null]));
}

function plain(value) {
  return Number.isNaN(value) ? null : value;
}

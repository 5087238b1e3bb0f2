// The comparison's tables: their columns, and their rows from a comparison. No element in it.

import { alphaText, pointsText } from "../app/numbers.js";
import { thousands } from "../engine/text.js";
import { FIGURES } from "./comparison.js";
import { firstAttack } from "./differences.js";

const NUMERIC = { s: 3, p: 3, c: 3, alpha: 0, objective: 1, ties: 0, n: 0, std_clean: 2, rob_clean: 2, rob_attacked: 2, clean: 2, attacked: 2, by_margin: 2, first: 2, second: 2, difference: 0, p_value: 0 };
const COLUMNS = {
  facts: ["bundle", "models", "threat", "attack", "n", "std_clean", "rob_clean", "rob_attacked"],
  best: ["bundle", "s", "c", "p", "alpha", "objective", "ties", "remarks"],
  transfers: ["source", "target", "alpha", ...FIGURES.flatMap((figure) => [figure, `${figure}_own`, `${figure}_plain`])],
  pair: ["figure", "first", "second", "difference", "p_value", "n"],
};
const REACH = /_(own|plain)$/;

/** The columns of a table, with their headings and helps from the catalogue. */
export function columnsOf(table, texts) {
  return COLUMNS[table].map((key) => {
    const shared = key.match(REACH)?.[1] ?? key;
    return { key, label: texts.plain(`column.${shared}`), help: texts.has(`column.${shared}.help`) ? texts.plain(`column.${shared}.help`) : "", numeric: key in NUMERIC || shared !== key, digits: NUMERIC[key] ?? 0 };
  });
}

/** One row a bundle: what its figures rest on. */
export function factRows({ names, metas, bases }, texts) {
  return names.map((name) => {
    const { models, classes, threat, n_clean, n_adv, dataset, split, found_by } = metas[name];
    const data = [dataset, split].filter(Boolean).join(", ");
    const figures = ["std_clean", "rob_clean", "rob_attacked"].map((key) => share(key, bases[name][key]));
    return {
      key: name, bundle: name, bundle_more: dataset, bundle_tip: data, models: models.rob, models_more: models.std,
      threat: threat ?? texts.plain("facts.unknown"), threat_more: texts.plain("facts.classes", { n: thousands(classes.length) }),
      attack: firstAttack({ found_by: { ...found_by, budget: "" } }, texts) ?? texts.plain("facts.no_attack"), attack_more: found_by.budget, attack_tip: found_by.name,
      ...counts(n_clean, n_adv, texts), ...Object.assign({}, ...figures),
    };
  });
}

/** One row a bundle that has best parameters. */
export function bestRows({ names, best }, texts) {
  return names.filter((name) => name in best).map((name) => {
    const { best: { params, quantile, objective }, n_wrong, ties, warnings } = best[name];
    const { s, c, p } = params;
    return {
      key: name, bundle: name, s, c, p, ...alpha(params.alpha), alpha_more: `q = ${quantile.toPrecision(4)}`, ties: ties.length - 1,
      objective: 100 * objective, objective_more: texts.plain("best.of_wrong", { n: thousands(n_wrong) }), remarks: warnings.join("; "),
    };
  });
}

/** One row a pair of bundles. */
export function transferRows({ transfers }, texts) {
  return transfers.map((cell) => {
    const own = cell.source === cell.target;
    const remarks = cell.refused ?? [...(own ? [texts.plain("transfers.own")] : []), ...cell.warnings].join("; ");
    const row = { key: pairKey(cell), source: cell.source, target: cell.target, target_more: remarks, target_tip: remarks };
    if (cell.params) Object.assign(row, alpha(cell.params.alpha));
    for (const figure of FIGURES) {
      Object.assign(row, share(figure, cell[figure]), own ? {} : difference(`${figure}_own`, cell.to_own[figure]), difference(`${figure}_plain`, cell.to_plain[figure]));
    }
    return row;
  });
}

/** The key of a pair's row. */
export function pairKey({ source, target }) {
  return JSON.stringify([source, target]);
}

/** One row a figure of two mixes; what each was verified at stands beside them. */
export function mixRows({ first, second, paired }, verified, texts) {
  const rows = FIGURES.filter((figure) => first[figure] && second[figure]).map((figure) => ({
    key: figure, figure: texts.plain(`figure.${figure}`), ...share("first", first[figure]), ...share("second", second[figure]),
    difference: pointsText(paired[figure]), difference_more: texts.plain(paired[figure].clear ? "pair.clear" : "pair.open"),
    p_value: paired[figure].p_value.toPrecision(2), n: thousands(paired[figure].n),
  }));
  if (!verified.some(Boolean)) return rows;
  const [one, other] = verified.map((found, at) => (found ? share(["first", "second"][at], found) : { [["first", "second"][at]]: texts.plain("pair.not_verified") }));
  return [...rows, { key: "verified", figure: texts.plain("figure.verified"), ...one, ...other, difference: "", difference_more: verified.every(Boolean) ? texts.plain("pair.verified") : "" }];
}

function alpha(value) {
  return { alpha: alphaText(value), alpha_sort: value };
}

function counts(clean, attacked, texts) {
  return { n: thousands(clean), n_sort: clean, n_more: thousands(attacked), n_tip: texts.plain("facts.images", { clean: thousands(clean), attacked: thousands(attacked) }) };
}

function share(key, estimate) {
  if (!estimate) return {};
  const [low, high] = [estimate.low, estimate.high].map((end) => (100 * end).toFixed(1));
  return { [key]: 100 * estimate.value, [`${key}_more`]: `${low} to ${high}`, [`${key}_tip`]: `n = ${thousands(estimate.n)}` };
}

function difference(key, pair) {
  if (!pair) return {};
  const [value, interval] = pointsText(pair).split(" points ");
  return { [key]: `${value}${pair.clear ? " *" : ""}`, [`${key}_sort`]: pair.difference.value, [`${key}_more`]: interval, [`${key}_tip`]: `McNemar p = ${pair.p_value.toPrecision(2)}` };
}

// Algorithm 1: for every (s, p, c) the quantile q and the objective, and the best cell, as
// `mnuts_core.search.algorithm1` and `.result`.

import { SATURATED, UNRESOLVED, marginQuantile, searchSorted } from "../quantiles.js";
import { edgesOf, inWords, indexOf, sizeOf } from "./grids.js";
import { compare, extreme, isMild, mildness } from "./mildness.js";

const HIGHEST_QUANTILE = 1 - 1e-9; // the objective compares with at most this, as the paper's code does
const ROUNDING = 1e-12;
const TOP = 10;

/**
 * @typedef {object} SearchSettings
 * @property {string} clamp
 * @property {number} ln_k
 * @property {"linear"|"lower"} quantile
 * @property {import("./seen.js").CleanRows} clean
 * @property {"pool"|"mmaa"} points
 * @property {number|null} max_accuracy_loss Cells that cost h more than this share of its accuracy are left out.
 *
 * @typedef {object} Cell
 * @property {import("./grids.js").Index} index
 * @property {import("../params.js").MixParams} params α filled in.
 * @property {number} objective Share of wrong clean examples that keep a margin ≥ quantile; lower is better.
 * @property {number} quantile q.
 *
 * @typedef {object} Level The tables at one β, each of as many cells as the grid has.
 */

export class GridSearch {
  /**
   * @param {import("./grids.js").Grid} grid
   * @param {import("./cells.js").CellTables} tables
   * @param {SearchSettings} settings
   */
  constructor(grid, tables, settings) {
    Object.assign(this, { grid, tables, settings, size: sizeOf(grid) });
    const spread = (table) => Float64Array.from({ length: this.size }, (_, cell) => table[this.placeOfChange(cell)]);
    this.accuracyLoss = spread(tables.changes.loss);
    this.changes = {
      clean_changes: spread(tables.changes.clean_changes),
      attacked_changes: spread(tables.changes.attacked_changes),
    };
  }

  /** Changes do not depend on s. */
  placeOfChange(cell) {
    return cell % (this.grid.p.length * this.grid.c.length);
  }

  /**
   * The tables at a level.
   * @param {number} beta
   * @returns {Level}
   */
  at(beta) {
    const { size, settings, tables } = this;
    const { attacked, wrong, nRight, nWrong } = tables;
    const level = { beta, objective: new Float64Array(size), quantile: new Float64Array(size) };
    for (let cell = 0; cell < size; cell++) {
      const q = marginQuantile(attacked.subarray(cell * nRight, (cell + 1) * nRight), beta, settings.quantile);
      const below = searchSorted(wrong.subarray(cell * nWrong, (cell + 1) * nWrong), Math.min(q, HIGHEST_QUANTILE));
      level.quantile[cell] = q;
      level.objective[cell] = 1 - below / nWrong;
    }
    level.alpha = level.quantile.map((q) => 1 / (1 + q));
    level.saturated = Uint8Array.from(level.quantile, (q) => q > SATURATED || q < UNRESOLVED);
    return level;
  }

  /** Cells that are neither saturated nor cost the robust model too much accuracy. */
  admissible({ saturated }) {
    const limit = this.settings.max_accuracy_loss;
    return saturated.map((bad, cell) => !bad && (limit === null || this.accuracyLoss[cell] <= limit + ROUNDING));
  }

  /** Cells to choose from: the admissible ones; if there are none the unsaturated, if none all. */
  allowed(level) {
    if (this.settings.max_accuracy_loss !== null) {
      for (const mask of [this.admissible(level), level.saturated.map((bad) => !bad)]) if (mask.includes(1)) return mask;
    }
    return level.saturated.map(() => 1);
  }

  /**
   * The best cell, deterministically: among admissible cells within one example of the smallest objective those with
   * q in [1e-3, 0.95] come first, then the smaller objective, then the milder numbers. Without a limit on the loss of
   * accuracy the paper's rule: the smallest objective of all; exact ties go by mildness.
   */
  choose(level) {
    const { objective, quantile } = level;
    const allowed = this.allowed(level);
    const cells = places(allowed);
    const slack = this.settings.max_accuracy_loss === null ? 0 : 1 / this.tables.nWrong;
    const least = minimumOf(objective, cells);
    let near = cells.filter((cell) => objective[cell] <= least + slack + ROUNDING);
    if (this.settings.max_accuracy_loss !== null) {
      const mild = near.filter((cell) => isMild(quantile[cell]));
      if (mild.length) near = mild;
    }
    const smallest = minimumOf(objective, near);
    return this.byMildness(near.filter((cell) => objective[cell] === smallest), level)[0];
  }

  byMildness(cells, { quantile }) {
    const ranks = new Map(cells.map((cell) => [cell, mildness(this.grid, indexOf(this.grid, cell), quantile[cell])]));
    return cells.sort((one, other) => compare(ranks.get(one), ranks.get(other)));
  }

  /** All cells to choose from, best first: the chosen one, its ties, then the others by objective. */
  ranked(level, n = TOP) {
    const best = this.choose(level);
    const cells = places(this.allowed(level)).filter((cell) => cell !== best);
    const isTie = (cell) => level.objective[cell] === level.objective[best];
    const ties = this.byMildness(cells.filter(isTie), level);
    const others = cells.filter((cell) => !isTie(cell)).sort((a, b) => level.objective[a] - level.objective[b] || a - b);
    return { ties: [best, ...ties], top: [best, ...ties, ...others].slice(0, n) };
  }

  /** @returns {Cell} */
  cell(level, cell) {
    const { grid, settings } = this;
    const [i, j, k] = indexOf(grid, cell);
    const { clamp, ln_k } = settings;
    const params = { s: grid.s[i], p: grid.p[j], c: grid.c[k], clamp, ln_k, beta: level.beta, alpha: level.alpha[cell], temperature: 0 };
    return { index: [i, j, k], params, objective: level.objective[cell], quantile: level.quantile[cell] };
  }

  /** What a reader of the result must know, one line each. */
  warnings(level, best) {
    const lines = [];
    const limit = this.settings.max_accuracy_loss;
    const admissible = this.admissible(level);
    const saturated = level.saturated.reduce((n, bad) => n + bad, 0);
    const leftOut = this.size - admissible.reduce((n, good) => n + good, 0) - saturated;
    if (limit !== null && saturated === this.size) lines.push("every cell is saturated: none is to be trusted");
    else if (limit !== null && !admissible.includes(1)) {
      lines.push("no cell meets max_accuracy_loss: the best of the others is shown, which costs accuracy");
    } else if (limit !== null && leftOut) lines.push(excluded(leftOut, this.size, limit));
    if (saturated) lines.push(`${saturated} of ${this.size} cells are saturated (q > 1 - 3e-6 or q < 1e-12)`);
    if (!isMild(level.quantile[best])) lines.push(extreme(level.quantile[best], level.alpha[best]));
    const edges = edgesOf(this.grid, indexOf(this.grid, best));
    if (Object.keys(edges).length) lines.push(`the optimum sits on the grid's edge (${inWords(edges)}): widen the grid`);
    return lines;
  }

  /** The result at a level, for the page. */
  result(beta) {
    const level = this.at(beta);
    const { ties, top } = this.ranked(level);
    const [best] = ties;
    const { beta: _, ...tables } = level;
    return {
      best: this.cell(level, best),
      ties: ties.map((cell) => this.cell(level, cell)),
      top: top.map((cell) => this.cell(level, cell)),
      edges: edgesOf(this.grid, indexOf(this.grid, best)),
      warnings: this.warnings(level, best),
      tables: { ...tables, accuracy_loss: this.accuracyLoss.slice(), ...mapped(this.changes, (table) => table.slice()) },
      n_wrong: this.tables.nWrong,
      n_right: this.tables.nRight,
    };
  }

  /**
   * The objective over the grid (Fig. 9), at the parameters' β; NaN in cells that are left out.
   * @param {import("../params.js").MixParams} params β, and the place to mark.
   */
  sensitivity(params) {
    const { grid } = this;
    const level = this.at(params.beta);
    const admissible = this.admissible(level);
    const best = this.cell(level, this.choose(level)).params;
    return {
      objective: level.objective.map((value, cell) => (admissible[cell] ? value : NaN)),
      s: Float64Array.from(grid.s),
      p: Float64Array.from(grid.p),
      c: Float64Array.from(grid.c),
      at: [params.s, params.p, params.c],
      best: [best.s, best.p, best.c],
    };
  }
}

/** Cells that a limit on the loss of accuracy leaves out, in words. */
export function excluded(leftOut, size, limit) {
  const points = Number((100 * limit).toPrecision(6));
  return `${leftOut} of ${size} cells excluded: there M lowers the robust model's accuracy by more than ${points} points`;
}

function places(mask) {
  const found = [];
  for (let cell = 0; cell < mask.length; cell++) if (mask[cell]) found.push(cell);
  return found;
}

function minimumOf(values, cells) {
  return cells.reduce((least, cell) => Math.min(least, values[cell]), Infinity);
}

function mapped(record, one) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, one(value)]));
}

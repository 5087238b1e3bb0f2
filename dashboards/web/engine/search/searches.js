// Searches over a grid on one bundle: Algorithm 1, the direct search and both frontiers, from one visit to every cell.

import { MAX_ACCURACY_LOSS } from "../engine.js";
import { frontierView } from "../views/frontiers.js";
import { GridSearch } from "./algorithm1.js";
import { cellTables } from "./cells.js";
import { directSearch } from "./direct.js";
import { betaFrontier } from "./frontier.js";
import { match, plainSearch } from "./match.js";
import { Seen } from "./seen.js";

const KEPT = 2; // searches, each with its margins
const NOTHING =
  "Algorithm 1 has nothing to go by: it needs clean images that the robust model gets wrong, and attacked ones that it " +
  "gets right";

/**
 * @typedef {object} SearchRequest What to look for; T is 0 in every search.
 * @property {import("./grids.js").Grid} grid
 * @property {string} clamp
 * @property {number} ln_k
 * @property {number} beta The level of Algorithm 1, and of the tables.
 * @property {number} [clean_at_least] Rather the highest attacked accuracy at this clean accuracy, or
 * @property {number} [attacked_at_least] the highest clean accuracy at this attacked accuracy: the direct search.
 * @property {"linear"|"lower"} [quantile]
 * @property {import("./seen.js").CleanRows} [clean]
 * @property {number|null} [max_accuracy_loss] null: the paper's plain rule.
 *
 * @typedef {object} SearchResult
 * @property {import("./algorithm1.js").Cell|import("./direct.js").Choice} best What was looked for.
 * @property {Record<string, "low"|"high">} edges Where it sits on the grid's edge.
 * @property {string[]} warnings
 * @property {import("./algorithm1.js").Cell[]} ties All cells with the objective of Algorithm 1's best one, that first.
 * @property {import("./algorithm1.js").Cell[]} top Its best cells.
 * @property {Record<string, Float64Array>} tables objective, quantile, alpha, saturated, accuracy_loss, clean_changes,
 *   attacked_changes, of shape (s, p, c); absent with `ties` and `top` where Algorithm 1 has nothing to go by.
 * @property {import("./match.js").Match} match The direct search's choice beside the plain mix; absent with Algorithm 1.
 * @property {number} n_mixes How many mixes the direct search has compared.
 * @property {import("./algorithm1.js").Cell[]} frontier The best cell for every β.
 * @property {import("./direct.js").Choice[]} direct_frontier Mixes of which none is better in both accuracies.
 */

export class Searches {
  /** @param {import("../engine.js").RemixEngine} engine */
  constructor(engine) {
    Object.assign(this, { engine, kept: new Map() });
  }

  /**
   * Search, in steps of a few milliseconds.
   * @param {SearchRequest} request
   * @yields {number} The share done.
   * @returns {Generator<number, SearchResult>}
   * @throws {RangeError} If there is nothing to search on, or no mix of the grid reaches what is asked for.
   */
  *run({ grid, quantile = "linear", clean = "attacked", max_accuracy_loss = MAX_ACCURACY_LOSS, ...asked }) {
    const { engine } = this;
    if (!engine.pool) throw new RangeError(`bundle '${engine.bundle.name}' has no attacked part: there is nothing to search on`);
    const { clamp, ln_k, beta } = asked;
    const settings = { clamp, ln_k, quantile, clean, max_accuracy_loss, points: engine.points, beta };
    const key = JSON.stringify([grid, { ...settings, beta: null }]);
    if (!this.kept.has(key)) this.keep(key, yield* this.visit(grid, settings));
    return answer(engine, this.kept.get(key), asked);
  }

  keep(key, found) {
    while (this.kept.size >= KEPT) this.kept.delete(this.kept.keys().next().value);
    this.kept.set(key, found);
  }

  /** All that a search keeps, whatever β and whatever is asked for. */
  *visit(grid, settings) {
    const { engine } = this;
    const seen = new Seen(engine, settings.clean);
    const tables = yield* part(0, 0.6, cellTables(seen, grid, settings));
    const direct = yield* part(0.6, 0.69, directSearch(seen, grid, tables, settings));
    const plain = yield* part(0.69, 0.7, plainSearch(seen, settings));
    delete tables.switches; // the largest of all, and of no further use
    const search = tables.nWrong && tables.nRight ? new GridSearch(grid, tables, settings) : null;
    const cells = search && (yield* part(0.7, 0.75, betaFrontier(search)));
    const choices = direct.frontier();
    const found = { grid, settings, search, direct, plain, cells, choices, frontier: null };
    if (cells) {
      const oddsOf = ({ params }) => engine.threshold({ ...params, alpha: null }, settings.quantile);
      found.frontier = yield* part(0.75, 0.85, frontierView(engine, cells, oddsOf));
    }
    found.direct_frontier = yield* part(0.85, 1, frontierView(engine, choices, ({ quantile }) => quantile));
    return found;
  }

  /** The newest search with a state's clamp and layer norm, and of its grid, if it names one. */
  of({ params, grid }) {
    const fits = (found) =>
      found.settings.clamp === params.clamp && found.settings.ln_k === params.ln_k && (!grid || found.grid.name === grid);
    return [...this.kept.values()].reverse().find(fits) ?? null;
  }
}

/** Some work as a part of the whole: its progress goes from one share to another. */
function* part(from, to, work) {
  for (let step = work.next(); ; step = work.next()) {
    if (step.done) return step.value;
    yield from + step.value * (to - from);
  }
}

/** @returns {SearchResult} */
function answer(engine, { settings, search, direct, plain, cells, choices }, { beta, clean_at_least, attacked_at_least }) {
  const frontiers = { frontier: cells, direct_frontier: choices, n_mixes: direct.nMixes };
  const choice = chosen(direct, clean_at_least, attacked_at_least);
  if (choice) {
    const { edges } = choice;
    const warnings = [...direct.notes, ...choice.warnings];
    const best = { ...choice, params: { ...choice.params, beta } };
    const pair = match(engine, choice, reached(plain, clean_at_least, attacked_at_least), settings.clean);
    return { ...search?.result(beta), ...frontiers, best, match: pair, edges, warnings };
  }
  if (!search) throw new RangeError(NOTHING);
  return { ...search.result(beta), ...frontiers };
}

/** The direct search's choice; null where it is not asked. */
function chosen(direct, clean, attacked) {
  if (clean !== undefined) return direct.cleanAtLeast(clean);
  return attacked === undefined ? null : direct.attackedAtLeast(attacked);
}

/** The same where a search may not reach it: null then. */
function reached(search, clean, attacked) {
  try {
    return chosen(search, clean, attacked);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

// Direct search: the paper's problem (2) itself, on the pool of attacked points, as `mnuts_core.search.direct`.
//
// Of all cells and all α the highest attacked accuracy at a clean accuracy of at least x, or the highest clean accuracy
// at an attacked accuracy of at least y, at T = 0. Sorted switches give both accuracies of a cell at every α.

import { excluded } from "./algorithm1.js";
import { edgesOf, inWords, indexOf, sizeOf } from "./grids.js";
import { compare, extreme, isMild, mildness } from "./mildness.js";
import { Front, stretchesOf } from "./stretches.js";

const ROUNDING = 1e-9; // accuracies that differ by less are equal

/**
 * @typedef {object} Choice One mix of a direct search.
 * @property {import("../params.js").MixParams} params α filled in.
 * @property {import("./grids.js").Index} index
 * @property {number} quantile Its odds (1-α)/α.
 * @property {number} clean Clean accuracy on the images that the search sees.
 * @property {number} attacked Attacked accuracy.
 * @property {Record<string, "low"|"high">} edges
 * @property {string[]} warnings
 */

export class DirectSearch {
  /**
   * @param {import("./grids.js").Grid} grid
   * @param {{nClean: number, nImages: number}} seen How many images it rests on.
   * @param {import("./algorithm1.js").SearchSettings} settings
   * @param {import("./stretches.js").Mix[]} mixes Those that no other leads by more than one image in both figures.
   * @param {{nMixes: number, leftOut: number, notes: string[]}} facts
   */
  constructor(grid, seen, settings, mixes, facts) {
    Object.assign(this, { grid, settings, mixes, nClean: seen.nClean, nAttacked: seen.nImages, ...facts });
  }

  /** The mix of the highest attacked accuracy, of those with at least a given clean accuracy. */
  cleanAtLeast(share) {
    return this.atLeast("clean", "attacked", share);
  }

  /** The mix of the highest clean accuracy, of those with at least a given attacked accuracy. */
  attackedAtLeast(share) {
    return this.atLeast("attacked", "clean", share);
  }

  /** @returns {Choice} */
  atLeast(kept, wanted, share) {
    if (!(share >= 0 && share <= 1)) throw new RangeError(`${kept} accuracy must be a share in [0, 1], got ${share}`);
    const n = kept === "clean" ? this.nClean : this.nAttacked;
    const least = Math.ceil(share * n - ROUNDING * n);
    const found = this.mixes.filter((mix) => mix[kept] >= least);
    if (found.length) return this.choice(this.best(found, wanted, kept));
    const top = this.choice(this.best(this.mixes, kept, wanted));
    throw new RangeError(
      `no mix of this grid has ${kept} accuracy of at least ${Number((100 * share).toPrecision(6))} %: the most is ` +
        `${(100 * top[kept]).toFixed(2)} %, at ${(100 * top[wanted]).toFixed(2)} % ${wanted} accuracy; ask for less or ` +
        "search another grid",
    );
  }

  /** Of mixes within one image of the best those with mild odds, then the better figures, then the milder numbers. */
  best(among, wanted, other) {
    const most = (mixes, figure) => mixes.reduce((found, mix) => Math.max(found, mix[figure]), -1);
    const highest = most(among, wanted);
    let near = among.filter((mix) => mix[wanted] >= highest - 1);
    const mild = near.filter((mix) => isMild(mix.odds));
    if (mild.length) near = mild;
    for (const figure of [wanted, other]) {
      const top = most(near, figure);
      near = near.filter((mix) => mix[figure] === top);
    }
    return this.mildest(near);
  }

  /** Of mixes with the same figures the one of the mildest numbers. */
  mildest(among) {
    const rank = (mix) => [isMild(mix.odds) ? 0 : 1, ...mildness(this.grid, indexOf(this.grid, mix.cell), mix.odds)];
    const ranks = among.map(rank);
    return among[ranks.reduce((best, own, i) => (compare(own, ranks[best]) < 0 ? i : best), 0)];
  }

  choice({ cell, odds, clean, attacked }) {
    const { grid, settings } = this;
    const index = indexOf(grid, cell);
    const [i, j, k] = index;
    const alpha = 1 / (1 + odds);
    const edges = edgesOf(grid, index);
    const lines = [];
    if (Object.keys(edges).length) lines.push(`the best mix sits on the grid's edge (${inWords(edges)}): search a wider grid`);
    if (!isMild(odds)) lines.push(extreme(odds, alpha));
    const { clamp, ln_k, beta } = settings;
    return {
      params: { s: grid.s[i], p: grid.p[j], c: grid.c[k], clamp, ln_k, beta, alpha, temperature: 0 },
      index,
      quantile: odds,
      clean: clean / this.nClean,
      attacked: attacked / this.nAttacked,
      edges,
      warnings: lines,
    };
  }

  /** The mixes of which none is better in both accuracies, by ascending clean accuracy; of equals the mildest. */
  frontier() {
    const bySize = this.mixes.slice().sort((a, b) => b.clean - a.clean || b.attacked - a.attacked);
    const found = [];
    let best = -1;
    for (let at = 0; at < bySize.length; ) {
      const { clean, attacked } = bySize[at];
      let end = at;
      while (end < bySize.length && bySize[end].clean === clean && bySize[end].attacked === attacked) end++;
      if (attacked > best) found.push(this.choice(this.mildest(bySize.slice(at, end))));
      best = Math.max(best, attacked);
      at = end;
    }
    return found.reverse();
  }
}

/**
 * Clean and attacked accuracy of every cell at every α.
 * @param {import("./seen.js").Seen} seen
 * @param {import("./grids.js").Grid} grid
 * @param {import("./cells.js").CellTables} tables
 * @param {import("./algorithm1.js").SearchSettings & {beta: number}} settings
 * @yields {number} The share done.
 * @returns {Generator<number, DirectSearch>}
 */
export function* directSearch(seen, grid, tables, settings) {
  const limit = settings.max_accuracy_loss;
  const size = sizeOf(grid);
  const { loss } = tables.changes;
  let allowed = loss.map((lost) => (limit === null || lost <= limit + 1e-12 ? 1 : 0));
  let leftOut = grid.s.length * allowed.reduce((n, good) => n + 1 - good, 0);
  let notes = [];
  if (!allowed.includes(1)) {
    [allowed, leftOut] = [allowed.fill(1), 0];
    notes = ["no cell meets max_accuracy_loss: all were compared, which may cost accuracy"];
  } else if (leftOut) notes = [excluded(leftOut, size, limit)];
  const front = new Front(seen.nClean, seen.nImages);
  const stretches = stretchesOf(seen);
  for (let cell = 0; cell < size; cell++) {
    if (!allowed[cell % loss.length]) continue;
    stretches(tables.switches.subarray(cell * seen.rows.length, (cell + 1) * seen.rows.length), cell, front);
    yield (cell + 1) / size;
  }
  return new DirectSearch(grid, seen, settings, front.mixes(), { nMixes: front.nMixes, leftOut, notes });
}

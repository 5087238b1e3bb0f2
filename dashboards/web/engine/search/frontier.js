// The β-frontier: the best cell of a finished search at every β at once, as `mnuts_core.search.frontier`.

const LEVELS = 200;

/** Levels β from 0 to 1, denser towards 1, where the interesting ones are. */
export function betaGrid(n = LEVELS) {
  return Float64Array.from({ length: n }, (_, i) => 1 - (i === n - 1 ? 0 : 1 - i / (n - 1)) ** 2);
}

/**
 * The best cell for every β. A choice at a higher β that has a smaller objective stands for the lower one, too: a mix
 * that keeps the higher level keeps the lower.
 * @param {import("./algorithm1.js").GridSearch} search
 * @param {Float64Array} betas Ascending.
 * @yields {number} The share done.
 * @returns {Generator<number, import("./algorithm1.js").Cell[]>}
 */
export function* betaFrontier(search, betas = betaGrid()) {
  const cells = [];
  for (let place = betas.length - 1; place >= 0; place--) {
    const level = search.at(betas[place]);
    const cell = search.cell(level, search.choose(level));
    const before = cells[cells.length - 1];
    cells.push(before && before.objective < cell.objective ? before : cell);
    yield 1 - place / betas.length;
  }
  return cells.reverse();
}

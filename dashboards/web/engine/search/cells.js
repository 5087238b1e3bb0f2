// Every cell of a grid on the rows that a search sees: margins of M(h), and the odds at which the mix goes over from
// M(h)'s class to g's, as `mnuts_core.search.kernel` and `.switches`.
//
// Rows are worked on in blocks that fit into the processor's cache; for one c the clamp and its logarithm are computed
// once, for one p the powers, so that a cell costs an exponential for each class.

import { CLAMP_RECORDS } from "../clamps.js";
import { argMax, softmax } from "../mixing.js";
import { TIE } from "../quantiles.js";
import { transformLogits } from "../transform.js";
import { cellNumber, sizeOf } from "./grids.js";

const BLOCK = 1 << 15; // logits in a block
const FAR = 42; // exp(-42) is 6e-19
const RESOLUTION = 2 ** -53; // margins below this are 0
const MOST_NUMBERS = 2 ** 25; // so many a search may keep

/**
 * @typedef {object} CellTables What a search keeps of every cell; tables are row by row, cells first.
 * @property {Float64Array} attacked Least margin of each image that LN∘h gets right at all of its points.
 * @property {Float64Array} wrong Margins on the clean rows that LN∘h gets wrong.
 * @property {number} nRight How many such images.
 * @property {number} nWrong How many such rows.
 * @property {Float64Array} switches Odds from which the mix with T = 0 is right on a row where g is, and below which
 *   it is right where g is wrong; on all rows seen.
 * @property {{loss: Float64Array, clean_changes: Float64Array, attacked_changes: Float64Array}} changes Shape (p, c):
 *   accuracy that h loses by M, and shares of examples whose prediction changes (Assumption 4.2).
 */

/**
 * Compute them in steps of a few milliseconds.
 * @param {import("./seen.js").Seen} seen
 * @param {import("./grids.js").Grid} grid
 * @param {{clamp: string, ln_k: number, points: "pool"|"mmaa"}} settings
 * @yields {number} The share done.
 * @returns {Generator<number, CellTables>}
 */
export function* cellTables(seen, grid, { clamp, ln_k, points }) {
  const counted = countedRows(seen, points);
  const [cells, rows] = [sizeOf(grid), seen.rows.length];
  checkSize(cells, rows + counted.nRight + counted.nWrong);
  const tables = {
    ...counted,
    attacked: new Float64Array(cells * counted.nRight).fill(Infinity),
    wrong: new Float64Array(cells * counted.nWrong),
    switches: new Float64Array(cells * rows),
  };
  const changes = new ChangeCounts(seen, grid);
  const atOnce = Math.max(1, Math.floor(BLOCK / seen.classes));
  const work = new Block(seen, Math.min(atOnce, rows), { clamp, ln_k });
  for (let start = 0; start < rows; start += atOnce) {
    work.load(start, Math.min(rows, start + atOnce));
    for (let k = 0; k < grid.c.length; k++) {
      work.clampAt(grid.c[k]);
      for (let j = 0; j < grid.p.length; j++) {
        work.powerAt(grid.p[j]);
        changes.add(work, j, k);
        for (let i = 0; i < grid.s.length; i++) work.fillCell(tables, cellNumber(grid, i, j, k), grid.s[i]);
        yield (start + ((k + (j + 1) / grid.p.length) / grid.c.length) * (work.end - start)) / rows;
      }
    }
  }
  for (let cell = 0; cell < cells; cell++) {
    tables.attacked.subarray(cell * tables.nRight, (cell + 1) * tables.nRight).sort();
    tables.wrong.subarray(cell * tables.nWrong, (cell + 1) * tables.nWrong).sort();
    yield 1;
  }
  return { ...tables, changes: changes.shares() };
}

function checkSize(cells, rows) {
  if (cells * rows <= MOST_NUMBERS) return;
  throw new RangeError(
    `${cells} cells on these examples make ${cells * rows} numbers, more than ${MOST_NUMBERS}: coarsen the grid`,
  );
}

/** Which rows Algorithm 1 counts, and as which image or wrong row; -1 elsewhere. */
function countedRows(seen, points) {
  const { nClean, nImages, plainRight, rows } = seen;
  const imageOf = new Int32Array(rows.length).fill(-1);
  const wrongOf = new Int32Array(rows.length).fill(-1);
  let [nRight, nWrong] = [0, 0];
  for (let row = 0; row < nClean; row++) if (!plainRight[row]) wrongOf[row] = nWrong++;
  for (let image = 0; image < nImages; image++) {
    const [start, end] = seen.pointsOf(image);
    const own = [];
    for (let i = start; i < end; i++) own.push(seen.pointAt(i));
    const looked = points === "mmaa" ? [nClean + image] : own;
    if (!looked.every((row) => plainRight[row])) continue;
    for (const row of looked) imageOf[row] = nRight;
    nRight++;
  }
  return { imageOf, wrongOf, nRight, nWrong };
}

/** Some rows, stage by stage. */
class Block {
  constructor(seen, most, { clamp, ln_k }) {
    const { stages } = seen.engine.rows;
    const column = () => new Float64Array(most);
    Object.assign(this, { seen, stages, normed: stages.lendNormed(ln_k), clamp, ln_k, classes: seen.classes });
    Object.assign(this, CLAMP_RECORDS[clamp]);
    this.v = new Float64Array(most * seen.classes);
    this.log = new Float64Array(most * seen.classes);
    this.t = new Float64Array(most * seen.classes);
    Object.assign(this, { first: column(), second: column(), std: column() });
    this.from = new Uint8Array(most); // where the tail of a row begins; `2 - from` places at its end are leaders
  }

  load(start, end) {
    Object.assign(this, { start, end });
  }

  /** v = clamp(z + c) and log |v|. */
  clampAt(c) {
    const { classes, start, end, normed, apply, v, log, seen } = this;
    this.c = c;
    for (let r = start; r < end; r++) {
      const [from, to] = [seen.rows[r] * classes, (r - start) * classes];
      for (let i = 0; i < classes; i++) {
        const x = apply(normed[from + i] + c);
        v[to + i] = x;
        log[to + i] = Math.log(x < 0 ? -x : x);
      }
    }
  }

  /** t = |v|^p · sgn(v), and of each row the leading ones. */
  powerAt(p) {
    const { classes, start, end, v, log, t, seen } = this;
    this.p = p;
    for (let i = 0; i < (end - start) * classes; i++) t[i] = v[i] < 0 ? -Math.exp(p * log[i]) : Math.exp(p * log[i]);
    for (let b = 0; b < end - start; b++) {
      const at = b * classes;
      this.lead(b, at, at + classes - 1);
      this.std[b] = t[at + seen.stdPlace[start + b]];
    }
  }

  /** The two largest t of a row: at its ends, since a clamp is monotone or falls first and rises later. */
  lead(b, at, last) {
    const { v, t, monotone } = this;
    let [one, two, from] = [at, at + 1, 2];
    if (!monotone) {
      if (v[last] > v[one]) [one, two, from] = v[last - 1] > v[one] ? [last, last - 1, 0] : [last, one, 1];
      else if (v[last] > v[two]) [two, from] = [last, 1];
    }
    this.first[b] = t[one];
    this.second[b] = t[two];
    this.from[b] = from;
  }

  /** The place that M(h) predicts in a row of the block: the last, where the clamp puts it above the first (D.8.2). */
  topPlace(b) {
    const [at, last] = [b * this.classes, (b + 1) * this.classes - 1];
    return this.v[last] > this.v[at] ? this.classes - 1 : 0;
  }

  topClass(b) {
    return this.stages.order[this.seen.rows[this.start + b] * this.classes + this.topPlace(b)];
  }

  /** Margins and switches of one cell. */
  fillCell(tables, cell, s) {
    const { classes, start, end, first, second, std, seen } = this;
    const { imageOf, wrongOf, attacked, wrong, switches, nRight, nWrong } = tables;
    const place = cell * seen.rows.length;
    for (let r = start; r < end; r++) {
      const b = r - start;
      const runnerUp = s * (second[b] - first[b]);
      const total = 1 + Math.exp(runnerUp) + this.tail(b, b * classes, s);
      const margin = resolved(-Math.expm1(runnerUp) / total);
      const distance = resolved(-Math.expm1(s * (std[b] - first[b])) / total);
      if (imageOf[r] >= 0) {
        const at = cell * nRight + imageOf[r];
        if (margin < attacked[at]) attacked[at] = margin;
      }
      if (wrongOf[r] >= 0) wrong[cell * nWrong + wrongOf[r]] = margin;
      const vote = margin <= TIE && distance > TIE ? this.likeliest(r, s) : this.topClass(b);
      const same = (vote === seen.labels[r]) === Boolean(seen.stdRight[r]);
      switches[place + r] = same ? 0 : Math.max(0, distance - TIE);
    }
  }

  /** `Σ exp(s(tᵢ - t₁))` over all but the two leading classes of a row. */
  tail(b, at, s) {
    const { classes, t, v, monotone } = this;
    const first = this.first[b];
    const end = at + classes - 2 + this.from[b];
    const negligible = -FAR - Math.log(classes);
    let sum = 0;
    for (let i = at + this.from[b]; i < end; i++) {
      const exponent = s * (t[i] - first);
      sum += Math.exp(exponent);
      // all that follow are smaller, or at most 0 where the clamp is not monotone
      if (exponent < negligible && (monotone || -s * first < negligible)) break;
    }
    return sum;
  }

  /** Arg max of M(h)'s probabilities, where a tie leaves g's class out. */
  likeliest(r, s) {
    const { seen, p, c, clamp, ln_k } = this;
    return argMax(softmax(transformLogits(seen.engine.rows.robRow(seen.rows[r]), { s, p, c, clamp, ln_k })));
  }
}

function resolved(margin) {
  return margin < RESOLUTION ? 0 : margin;
}

/** What M does to h's own predictions, on the clean rows and at the first points, whatever s. */
class ChangeCounts {
  constructor(seen, grid) {
    const table = () => new Int32Array(grid.p.length * grid.c.length);
    Object.assign(this, { seen, grid, right: [table(), table()], changed: [table(), table()] });
  }

  add(block, j, k) {
    const { seen, grid } = this;
    const { plainClass } = seen.engine.rows.stages;
    const [cell, end] = [j * grid.c.length + k, Math.min(block.end, seen.nClean + seen.nImages)];
    for (let r = block.start; r < end; r++) {
      const b = r - block.start;
      const part = r < seen.nClean ? 0 : 1;
      const top = block.topClass(b);
      const swapped = block.topPlace(b) > 0;
      const ownTie = !swapped && seen.engine.rows.stages.plainTie(seen.rows[r]);
      const tied = !ownTie && block.first[b] === block.second[b];
      if (!tied && top === seen.labels[r]) this.right[part][cell]++;
      if (tied || top !== plainClass[seen.rows[r]]) this.changed[part][cell]++;
    }
  }

  shares() {
    const { seen, right, changed } = this;
    const sizes = [seen.nClean, seen.nImages];
    const before = [0, 0];
    for (let r = 0; r < seen.nClean + seen.nImages; r++) before[r < seen.nClean ? 0 : 1] += seen.plainRight[r] ? 1 : 0;
    const loss = (part, cell) => (before[part] - right[part][cell]) / sizes[part];
    const share = (part) => Float64Array.from(changed[part], (n) => n / sizes[part]);
    return {
      loss: Float64Array.from(right[0], (_, cell) => Math.max(loss(0, cell), loss(1, cell))),
      clean_changes: share(0),
      attacked_changes: share(1),
    };
  }
}

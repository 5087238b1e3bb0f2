// Mixes by stretches of odds on which their figures stay the same, and those of them that lead, as
// `mnuts_core.search.stretches`.

import { SATURATED, UNRESOLVED } from "../quantiles.js";

const SHORTEST = 1e-6; // stretches shorter than this share of their upper end are passed over: float32 would miss them
const TIDY = 4096; // so many mixes more, and those that others lead by now are dropped

/**
 * @typedef {object} Mix One stretch of odds of one cell.
 * @property {number} clean How many of the clean images that the search sees are right.
 * @property {number} attacked How many of the attacked images are.
 * @property {number} odds (1-α)/α in the middle of the stretch.
 * @property {number} cell
 */

/**
 * A function from the switches of one cell to its mixes, which it adds to a front.
 * @param {import("./seen.js").Seen} seen
 * @returns {(switches: Float64Array, cell: number, front: Front) => void}
 */
export function stretchesOf(seen) {
  const images = seen.nImages;
  const [from, until] = [new Ends(seen.nClean, 1), new Ends(seen.nClean, -1)]; // of clean images
  const [low, high] = [new Ends(images, 1), new Ends(images, -1)]; // of attacked ones
  return (switches, cell, front) => {
    for (const ends of [from, until, low, high]) ends.used = 0;
    const clean = cleanEnds(seen, switches, from, until);
    const attacked = imageEnds(seen, switches, low, high);
    walk([from, until], [low, high], { clean, attacked }, cell, front);
  };
}

/** Odds at which images begin to be right (step 1), or cease to be (-1). */
class Ends {
  constructor(most, step) {
    Object.assign(this, { odds: new Float64Array(most), step, used: 0, at: 0 });
  }

  push(odds) {
    this.odds[this.used++] = odds;
  }

  ascending() {
    this.odds.subarray(0, this.used).sort();
    this.at = 0;
  }

  get next() {
    return this.at < this.used ? this.odds[this.at] : Infinity;
  }
}

/** Where clean images begin and cease to be right; returns how many are right at odds 0. */
function cleanEnds({ nClean, stdRight }, switches, from, until) {
  let right = 0;
  for (let row = 0; row < nClean; row++) {
    const odds = switches[row];
    if (stdRight[row]) {
      if (odds === 0) right++;
      else from.push(odds);
    } else if (odds > 0) {
      right++;
      until.push(odds);
    }
  }
  return right;
}

/** The same for attacked images: right from the largest switch of rows that g gets right to the least of the others. */
function imageEnds(seen, switches, low, high) {
  const { nImages, cleanOf, stdRight } = seen;
  let right = 0;
  for (let image = 0; image < nImages; image++) {
    const [start, end] = seen.pointsOf(image);
    let [from, to] = [0, 2];
    for (let i = start - 1; i < end; i++) {
      const row = i < start ? cleanOf[image] : seen.pointAt(i);
      const odds = switches[row];
      if (stdRight[row]) from = odds > from ? odds : from;
      else to = odds < to ? odds : to;
    }
    if (from >= to || from >= 1) continue;
    if (from === 0) right++;
    else low.push(from);
    if (to < 1) high.push(to);
  }
  return right;
}

/** Along ascending odds, from one end to the next. */
function walk(cleanEnds, imageEnds, counts, cell, front) {
  const all = [...cleanEnds, ...imageEnds];
  for (const ends of all) ends.ascending();
  let left = 0;
  for (;;) {
    const next = Math.min(all[0].next, all[1].next, all[2].next, all[3].next);
    const right = Math.min(next, 1);
    const middle = (left + right) / 2;
    if (right - left > SHORTEST * right && middle >= UNRESOLVED && middle <= SATURATED) {
      front.add(counts.clean, counts.attacked, middle, cell);
    }
    if (next >= 1) return;
    for (const ends of cleanEnds) for (; ends.next === next; ends.at++) counts.clean += ends.step;
    for (const ends of imageEnds) for (; ends.next === next; ends.at++) counts.attacked += ends.step;
    left = next;
  }
}

/** Mixes as they come, without those that another leads by more than one image in both figures. */
export class Front {
  constructor(nClean, nAttacked) {
    this.mostAttacked = new Int32Array(nClean + 1).fill(-1); // at so much clean accuracy or more
    this.mostClean = new Int32Array(nAttacked + 1).fill(-1);
    Object.assign(this, { kept: [], tidyAt: TIDY, nMixes: 0 });
  }

  add(clean, attacked, odds, cell) {
    this.nMixes++;
    raise(this.mostAttacked, clean, attacked);
    raise(this.mostClean, attacked, clean);
    if (!this.isNear({ clean, attacked })) return;
    this.kept.push({ clean, attacked, odds, cell });
    if (this.kept.length < this.tidyAt) return;
    this.kept = this.kept.filter((mix) => this.isNear(mix));
    this.tidyAt = this.kept.length + TIDY;
  }

  isNear({ clean, attacked }) {
    return attacked >= this.mostAttacked[clean] - 1 || clean >= this.mostClean[attacked] - 1;
  }

  /**
   * All that are left.
   * @returns {Mix[]}
   */
  mixes() {
    if (!this.kept.length) throw new RangeError("no α of any cell is safely inside [1/2, 1]: take another grid");
    return this.kept.filter((mix) => this.isNear(mix));
  }
}

/** Note a figure that is reached at some count, and so at every lower one. */
function raise(most, at, value) {
  for (let i = at; i >= 0 && most[i] < value; i--) most[i] = value;
}

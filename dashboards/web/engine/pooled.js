// From points to images: an attacked image counts as right only where all of its points are, the clean one too,
// as in `mnuts_core.remix.pooled`.

import { TRIFLE } from "./quantiles.js";

const WRONG = 4; // more than two signed margins differ by

/**
 * @typedef {object} AttackedResults What the mix does on each attacked image; shape (m,) each, see `Part`. `margin`,
 *   `signed`, `rob_class` and `tied` are M(h)'s where its signed margin is least, `right` whether it is right at all
 *   attacked points; `mix_class` is the mix's where it is wrong, `row` where that is, `mix_right` whether it never is.
 */

export class Pool {
  /**
   * @param {Int32Array} index Clean row of each point, the first point of each image first.
   * @param {number} images m, how many attacked images.
   * @param {number} nClean How many clean rows stand before the points.
   */
  constructor(index, images, nClean) {
    Object.assign(this, { images, nClean, index });
    const imageOf = new Map(Array.from(index.subarray(0, images), (row, image) => [row, image]));
    this.of = Int32Array.from(index, (row) => imageOf.get(row));
    this.starts = new Int32Array(images + 1);
    for (const image of this.of) this.starts[image + 1]++;
    for (let i = 0; i < images; i++) this.starts[i + 1] += this.starts[i];
    this.rows = new Int32Array(index.length); // of each image in turn, its points in their order
    const next = this.starts.slice();
    this.of.forEach((image, point) => (this.rows[next[image]++] = nClean + point));
  }

  /** One value for each image from those of all of its rows, the clean one first. */
  byImage(ofTwo, values) {
    const found = new values.constructor(this.images);
    for (let image = 0; image < this.images; image++) {
      let value = values[this.index[image]];
      for (let i = this.starts[image]; i < this.starts[image + 1]; i++) value = ofTwo(value, values[this.rows[i]]);
      found[image] = value;
    }
    return found;
  }

  /** Whether each image is right at all of its rows. */
  allRight(right) {
    return this.byImage((a, b) => a && b, right);
  }

  /** Whether something holds at any attacked point of each image; `marks` on all rows. */
  atAnyPoint(marks) {
    const found = new Uint8Array(this.images);
    for (let point = 0; point < this.of.length; point++) if (marks[this.nClean + point]) found[this.of[point]] = 1;
    return found;
  }

  /**
   * The least margin over its attacked points of each image that LN∘h gets right at all of these.
   * @param {Float64Array} margin Of M(h), on all rows.
   * @param {Uint8Array} right Whether LN∘h is right there.
   */
  leastMargins(margin, right) {
    const least = [];
    for (let image = 0; image < this.images; image++) {
      let value = Infinity;
      let all = true;
      for (let i = this.starts[image]; i < this.starts[image + 1]; i++) {
        const row = this.rows[i];
        all &&= Boolean(right[row]);
        if (margin[row] < value) value = margin[row];
      }
      if (all) least.push(value);
    }
    return Float64Array.from(least);
  }

  /**
   * For each image the row where a classifier's signed margin is least among the attacked points; of equal ones the last.
   * Where the two largest logits are equal it is 0, right or wrong: then a wrong one is worse.
   * @param {Float64Array} signed On all rows.
   * @param {Uint8Array} right Whether the classifier is right there.
   */
  worstRows(signed, right) {
    const worst = new Int32Array(this.images);
    for (let image = 0; image < this.images; image++) {
      let value = Infinity;
      for (let i = this.starts[image]; i < this.starts[image + 1]; i++) {
        const row = this.rows[i];
        const own = right[row] ? signed[row] : signed[row] - TRIFLE;
        if (own <= value) [value, worst[image]] = [own, row];
      }
    }
    return worst;
  }

  /**
   * For each image the row that is shown: where the mix is wrong the wrong one of least signed margin.
   * @param {Float64Array} signed On all rows.
   * @param {Uint8Array} mixRight Whether the mix is right there.
   */
  shownRows(signed, mixRight) {
    const shown = new Int32Array(this.images);
    for (let image = 0; image < this.images; image++) {
      let row = this.index[image];
      let value = mixRight[row] ? signed[row] : signed[row] - WRONG;
      let best = row;
      for (let i = this.starts[image]; i < this.starts[image + 1]; i++) {
        row = this.rows[i];
        const own = mixRight[row] ? signed[row] : signed[row] - WRONG;
        if (own <= value) [value, best] = [own, row];
      }
      shown[image] = best;
    }
    return shown;
  }

  /**
   * The results by image.
   * @param {import("./rows.js").Part} part Those on all rows.
   * @param {Int32Array} worst See `worstRows`.
   * @returns {AttackedResults}
   */
  results(part, worst) {
    const shown = this.shownRows(part.signed, part.mix_right);
    return {
      margin: picked(part.margin, worst),
      signed: picked(part.signed, worst),
      rob_class: picked(part.rob_class, worst),
      tied: picked(part.tied, worst),
      right: picked(part.right, worst),
      mix_class: picked(part.mix_class, shown),
      mix_right: picked(part.mix_right, shown),
      row: shown,
    };
  }
}

/** The values at some rows. */
function picked(values, rows) {
  const found = new values.constructor(rows.length);
  for (let i = 0; i < rows.length; i++) found[i] = values[rows[i]];
  return found;
}

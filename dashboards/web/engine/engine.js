// The heart: answers, for one bundle and any parameters, what the mix does, as `mnuts_core.remix.engine`.

import { Memo } from "./memo.js";
import { AUXILIARY, IDENTITY, transformKey } from "./params.js";
import { Pool } from "./pooled.js";
import { SATURATED, UNRESOLVED, marginQuantile } from "./quantiles.js";
import { Rows, held } from "./rows.js";
import { count, shareOf } from "./statistics.js";
import { twoDecimals } from "./text.js";

export const MAX_ACCURACY_LOSS = 0.001; // of a transform, beyond which there is a warning

/**
 * @typedef {object} Bundle What the page knows of a bundle.
 * @property {string} name
 * @property {string[]} classes Names of the K classes.
 * @property {Int32Array} labels True classes of the N clean images.
 * @property {Float32Array|Float64Array} std Logits of g on them, row by row.
 * @property {Float32Array|Float64Array} rob Logits of h.
 * @property {AttackedPart|null} attacked
 * @property {import("./views/certified.js").Certificate|null} certificate What is certified of h.
 * @property {boolean} optimistic Whether no attack on a mix is among the points.
 * @property {boolean} std_attacked Whether one on g is.
 * @property {string[]} warnings Reasons not to rely on any figure of the bundle.
 *
 * @typedef {object} AttackedPart
 * @property {Int32Array} index Clean row of each of the P points, first points first.
 * @property {number} images m, how many images were attacked.
 * @property {Int32Array} source Which of the sources found each point.
 * @property {string[]} sources What to call these.
 * @property {Float32Array|Float64Array} std Logits of g at the points.
 * @property {Float32Array|Float64Array} rob Logits of h.
 *
 * @typedef {object} Remix One answer, see `mnuts_core.remix.engine.Remix`; `part` holds the results on all rows:
 *   the clean ones, the first point of each attacked image, all further points.
 */

export class RemixEngine {
  /**
   * @param {Bundle} bundle
   * @param {{points?: "pool"|"mmaa", seriesFrom?: number}} options `points`: what α follows from, all attacked points
   *   of an image or the first alone.
   */
  constructor(bundle, { points = "pool", seriesFrom } = {}) {
    const { labels, attacked } = bundle;
    Object.assign(this, { bundle, points, nClean: labels.length, classes: bundle.classes.length });
    const index = attacked ? attacked.index : new Int32Array();
    const all = (name) => (attacked ? joined(bundle[name], attacked[name]) : bundle[name]);
    const ofPoints = index.map((row) => labels[row]);
    this.rows = new Rows(all("std"), all("rob"), joined(labels, ofPoints), this.classes, seriesFrom);
    this.nAttacked = attacked ? attacked.images : 0;
    this.pool = attacked && new Pool(index, attacked.images, this.nClean);
    this.base = this.computeBase();
    this.levelsMemo = new Memo(4);
    this.worstMemo = new Memo(4);
    this.curveMemo = new Memo(4);
    this.remixMemo = new Memo(4);
    this.fixedMemo = new Memo(8); // what no slider moves
    this.snapshotMemo = new Memo(8);
    this.shapeMemo = new Memo(4); // what moves with the transform alone
  }

  computeBase() {
    const { stdRight, plainRight } = this.rows;
    const { nClean, nAttacked } = this;
    return {
      std_clean: shareOf(stdRight.subarray(0, nClean), "clean"),
      rob_clean: shareOf(plainRight.subarray(0, nClean), "clean"),
      std_attacked: this.bundle.std_attacked ? this.shareAtAllPoints(stdRight) : null,
      rob_attacked: this.shareAtAllPoints(plainRight),
      std_at_first: this.pool && shareOf(stdRight.subarray(nClean, nClean + nAttacked)),
    };
  }

  /** Of the attacked images the share that is right at all points, the clean one too. */
  shareAtAllPoints(right) {
    return this.pool && shareOf(this.pool.allRight(right), "attacked");
  }

  /** Whether h is right at all points of each attacked image, the clean one too; null without any. */
  get robRightOnImages() {
    return this.pool && this.pool.allRight(this.rows.plainRight);
  }

  /** Sorted margins of M(h) on the attacked images that LN∘h still gets right: what q is a quantile of. */
  levelMargins(params) {
    return this.levelsMemo.get(transformKey(params), () => this.leastMargins(params).sort());
  }

  leastMargins(params) {
    const { margin } = this.rows.transformed(params);
    return this.points === "pool" ? this.pool.leastMargins(margin, this.rows.plainRight) : this.firstMargins(margin);
  }

  /** The margins at the first attacked points, of the images that LN∘h gets right there. */
  firstMargins(margin) {
    const right = this.rows.plainRight;
    return margin.subarray(this.nClean, this.nClean + this.nAttacked).filter((_, i) => right[this.nClean + i]);
  }

  /**
   * Weights of the auxiliary classifier (Eq. 8): α_d by Algorithm 1 with no transform, on the first points, as in the
   * paper, see `mnuts_core.export.config`. Null where h gets none of them right.
   * @returns {{alpha_d: number, r_d: number, beta: number}|null}
   */
  get auxiliary() {
    const margins = this.firstMargins(this.rows.transformed(IDENTITY).margin).sort();
    return margins.length ? { alpha_d: 1 / (1 + marginQuantile(margins, AUXILIARY.beta)), ...AUXILIARY } : null;
  }

  /** α of a mix: its own, or what follows from its β. */
  alpha(params) {
    return params.alpha ?? 1 / (1 + this.threshold(params));
  }

  /**
   * `(1-α)/α`: from α if it is set, else the (1-β)-quantile q of Algorithm 1.
   * @throws {RangeError} If α is to come from β and there are no attacked images that h gets right.
   */
  threshold(params, quantile = "linear") {
    if (params.alpha !== null && params.alpha !== undefined) return (1 - params.alpha) / params.alpha;
    const levels = this.pool ? this.levelMargins(params) : [];
    if (!levels.length) {
      throw new RangeError(
        `β needs attacked images that the robust model gets right, and bundle '${this.bundle.name}' has none of ` +
          `${this.nAttacked}: set α by hand`,
      );
    }
    return marginQuantile(levels, params.beta, quantile);
  }

  /**
   * Everything about the mix with these parameters.
   * @param {import("./params.js").MixParams} params
   * @param {"linear"|"lower"} quantile How α follows from β.
   * @returns {Remix}
   */
  remix(params, quantile = "linear") {
    const key = [transformKey(params), params.beta, params.alpha, params.temperature, quantile].join(" ");
    return this.remixMemo.get(key, () => this.computeRemix(params, quantile));
  }

  computeRemix(params, quantile) {
    const threshold = this.threshold(params, quantile);
    const part = this.rows.part(params, threshold);
    const onImages = this.pool && this.pool.results(part, this.worstRows(params));
    const clean = { mix_right: part.mix_right.subarray(0, this.nClean), right: part.right.subarray(0, this.nClean) };
    return {
      params: { ...params, alpha: params.alpha ?? 1 / (1 + threshold) },
      threshold,
      clean: shareOf(clean.mix_right, "clean"),
      attacked: onImages && shareOf(onImages.mix_right, "attacked"),
      by_margin: onImages && shareOf(held(onImages, threshold), "right by margin"),
      rob_clean: shareOf(clean.right, "clean"),
      rob_attacked: this.shareAtAllPoints(part.right),
      optimistic: this.bundle.optimistic,
      warnings: this.warnings(params, threshold, clean.right, onImages && onImages.right),
      part,
      on_images: onImages,
    };
  }

  /** See `Pool.worstRows`. */
  worstRows(params) {
    return this.worstMemo.get(transformKey(params), () => {
      const { signed, right } = this.rows.transformed(params);
      return this.pool.worstRows(signed, right);
    });
  }

  warnings(params, threshold, cleanRight, attackedRight) {
    const warnings = [...this.bundle.warnings];
    if (threshold > SATURATED || threshold < UNRESOLVED) {
      const end = threshold > SATURATED ? 1 : 0;
      warnings.push(
        `Numerically saturated: margins this close to ${end} cannot be distinguished. ` +
          "Results at this setting are unreliable.",
      );
    }
    for (const [name, right, before] of [
      ["clean", cleanRight, this.base.rob_clean],
      ["attacked", attackedRight, this.base.rob_attacked],
    ]) {
      const lost = right && before ? before.value - count(right) / right.length : 0;
      if (lost > MAX_ACCURACY_LOSS + 1e-12) {
        warnings.push(
          `the transform itself costs the robust model ${twoDecimals(100 * lost)} points of ${name} accuracy ` +
            "(violates Assumption 4.2); β refers to what remains",
        );
      }
    }
    if (params.ln_k >= 2 && Math.min(params.ln_k, this.classes) === 2) {
      warnings.push("layer norm over two logits leaves nothing but which is larger: set ln_k to 0");
    }
    return warnings;
  }
}

function joined(first, second) {
  const all = new first.constructor(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

// One bundle as the lesson looks at it: the images for guessing, logits one by one, the mix that Algorithm 1 chooses.

import { argMax, softmax } from "../engine/mixing.js";
import { IDENTITY, LN_ONLY } from "../engine/params.js";
import { layerNorm, statisticsOfTop } from "../engine/transform.js";

export const LEVEL = 0.95; // β of the lesson: the line keeps so many of the attacked right answers
const EXAMPLES = 12; // right and wrong images each, for guessing
const GRIDS = { 10: "cifar10", 100: "cifar100", 1000: "imagenet" }; // by the number of classes
const SEED = 20240402;

export class Lab {
  /**
   * @param {import("../engine/engine.js").Bundle} record Of which a copy is kept: the arrays go to the engine.
   * @param {object} meta See `dashboards/page/data.py`.
   * @param {{shape: number[], pixels: Uint8Array}|null} images
   */
  constructor(record, meta, images) {
    const { labels, classes } = record;
    Object.assign(this, { meta, images, names: classes, k: classes.length, n: labels.length, labels: labels.slice(), base: null, wrong: 0, best: null, verified: null });
    this.rob = record.rob.slice();
    this.examples = this.drawn();
    this.normed = null;
  }

  /** Take what the engine has found: the base models' figures; and the transform of a configuration, where there is one. */
  take(base) {
    this.base = base;
    this.wrong = this.n - base.rob_clean.count;
    if (this.survives && this.configured) this.choose(this.configured.params, this.configured.verified);
  }

  /** Take the transform that Algorithm 1 chose, and what an attack on the mix has left, where one was run. */
  choose({ s, p, c, clamp, ln_k }, verified = null) {
    Object.assign(this, { best: { s, p, c, clamp, ln_k }, verified });
  }

  /**
   * Search the transform that Algorithm 1 chooses, where no configuration has it.
   *
   * @param {import("../engine/client.js").EngineClient} client On this bundle.
   * @returns {Promise<boolean>} Whether there is a new one.
   */
  async findBest(client) {
    if (this.best || !this.survives || !this.wrong) return false;
    const { best } = await client.search({ grid: this.grid, clamp: "gelu", ln_k: 250, beta: LEVEL });
    this.choose(best.params);
    return true;
  }

  /** Whether attacked images survive, so that β means something. */
  get survives() {
    return this.meta.by_level;
  }

  /** A transform as a mix at the lesson's level, or at another one. */
  at(transform, { beta = LEVEL, alpha = null } = {}) {
    return { ...transform, beta, alpha: alpha ?? (this.survives ? null : 1), temperature: 0 };
  }

  get raw() {
    return this.at(IDENTITY);
  }

  get layerNormed() {
    return this.at(LN_ONLY);
  }

  /** Layer norm, bias, clamp and power, without a scale. */
  powered(c, p) {
    return this.at({ s: 1, p, c, clamp: "gelu", ln_k: LN_ONLY.ln_k });
  }

  /** The chosen mix at another β or α. */
  chosen(more = {}) {
    return this.at(this.best, more);
  }

  /** The configuration that was verified at the lesson's level; null without one. */
  get configured() {
    const fits = ({ params, verified, plain }) =>
      verified && !plain && (params.alpha ?? null) === null && params.beta === LEVEL && params.temperature === 0 && params.clamp === "gelu";
    return this.meta.configs.find(fits) ?? null;
  }

  /** The grid of the paper for so many classes. */
  get grid() {
    const name = GRIDS[this.k] ?? GRIDS[10];
    return { name, ...this.meta.grids[name] };
  }

  // --- single images
  /** h's logits on a clean row. */
  logits(row) {
    return this.rob.subarray(row * this.k, (row + 1) * this.k);
  }

  /** σ(h) on a clean row. */
  probabilities(row) {
    return softmax(this.logits(row));
  }

  /** Layer norm of a clean row: mean and deviation over the top logits, and all logits normed. */
  normedRow(row) {
    const logits = this.logits(row);
    const [mean, scale] = statisticsOfTop(Float64Array.from(logits).sort().reverse(), LN_ONLY.ln_k);
    return { logits, mean, spread: 1 / scale, normed: layerNorm(logits, LN_ONLY.ln_k) };
  }

  /** How many classes lie above the clamp's cutoff, LN(h) + c > 0, on the average clean image. */
  aboveCutoff(c) {
    this.normed ??= this.allNormed();
    let count = 0;
    for (let i = 0; i < this.normed.length; i++) if (this.normed[i] + c > 0) count++;
    return count / this.n;
  }

  allNormed() {
    const all = new Float64Array(this.rob.length);
    for (let row = 0; row < this.n; row++) all.set(layerNorm(this.logits(row), LN_ONLY.ln_k), row * this.k);
    return all;
  }

  /** Clean rows for guessing: right and wrong ones of h in equal parts, mixed, the same on each visit. */
  drawn() {
    const random = generator(SEED);
    const rows = [[], []]; // wrong, right
    for (let row = 0; row < this.n; row++) rows[argMax(this.logits(row)) === this.labels[row] ? 1 : 0].push(row);
    const count = Math.min(EXAMPLES, rows[1].length, Math.max(rows[0].length, 1));
    return shuffled(rows.flatMap((all) => shuffled(all, random).slice(0, count)), random);
  }
}

function shuffled(rows, random) {
  const all = [...rows];
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [all[i], all[j]] = [all[j], all[i]];
  }
  return all;
}

/** Numbers from 0 to 1 by Mulberry32, the same for a seed. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// One bundle of the comparison, with an engine of its own: what it says of itself, its best parameters, what mixes do on it.

import { Frames } from "../app/frames.js";
import { EngineClient } from "../engine/client.js";
import { withKinds } from "../engine/terms.js";

const LN_K = 250; // as Algorithm 1 has it by default

export class Bench {
  /**
   * @param {string} name
   * @param {import("../host/file.js").Host} host
   * @param {() => Worker} makeWorker
   */
  constructor(name, host, makeWorker) {
    Object.assign(this, { name, host, meta: null, opened: null, loaded: null, base: null });
    const on = { frame: (frame) => this.frames.receive(frame), error: (message) => this.frames.fail(message) };
    this.client = new EngineClient(makeWorker, on, { cores: 1 }); // one worker a bundle
    this.frames = new Frames(this.client);
  }

  /** The kinds of its sources, see `engine/terms.js`. */
  get kinds() {
    return this.meta.n_adv ? this.meta.sources.map(({ kind }) => kind) : [];
  }

  /**
   * Learn what it says of itself.
   * @throws {Error} If it cannot be opened.
   */
  async open() {
    if (this.meta) return;
    this.opened = await this.host.open(this.name);
    this.meta = this.opened.meta;
  }

  /**
   * Have the engine compute with the points of some kinds of sources.
   * @param {Set<import("../engine/terms.js").Kind>} kept
   */
  async load(kept) {
    const key = this.kinds.map((kind) => kind === "first" || kept.has(kind)).join();
    if (this.loaded === key) return;
    this.loaded = null;
    const { record } = this.opened ?? (await this.host.open(this.name)); // an engine takes the arrays away
    this.opened = null;
    this.frames.forget();
    this.base = await this.client.load(withKinds(record, this.kinds, kept));
    this.loaded = key;
  }

  /**
   * What Algorithm 1 finds.
   * @param {{grid: string, clamp: string, beta: number}} asked
   * @param {(share: number) => void} progress
   * @returns {Promise<import("../engine/search/searches.js").SearchResult>}
   */
  search({ grid, clamp, beta }, progress) {
    const axes = { name: grid, ...this.meta.grids[grid] };
    return this.client.search({ grid: axes, clamp, ln_k: LN_K, beta }, progress);
  }

  /** A mix with some views of it, and others beside it. */
  async ask(params, views, snapshots = []) {
    const { found } = await this.frames.get({ found: { params, views, snapshots } });
    return found;
  }

  close() {
    this.client.close();
  }
}

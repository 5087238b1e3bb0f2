// The bundle that is open: what it says of itself, its images, the base models' figures; its arrays are the engine's.

export const ALPHA_SLACK = 1e-12; // within which two α are one: they came from the same β on other machines, perhaps

export class OpenBundle {
  /**
   * @param {import("../host/file.js").Host} host
   * @param {import("../engine/client.js").EngineClient} client
   */
  constructor(host, client) {
    Object.assign(this, { host, client, name: null, wanted: null, meta: null, images: null, base: null });
  }

  /** Whether what is wanted is open, and not on its way. */
  get ready() {
    return this.name !== null && this.name === this.wanted;
  }

  /** The last row that can be shown of a part; −1 where the bundle has no such part. */
  lastRow(part) {
    return (part === "attacked" ? this.meta.n_adv : this.meta.n_clean) - 1;
  }

  /** The changes that bring a state's example to one that there is. */
  exampleOf({ case: part, row }) {
    if (part === "paper") return {};
    const last = this.lastRow(part);
    return last < 0 ? { case: "paper", row: 0 } : row > last ? { row: last } : {};
  }

  /**
   * Open another one in its place.
   * @returns {Promise<boolean>} Whether it is open; false where another one is wanted by now.
   * @throws {Error} If it cannot be opened: none is, then.
   */
  async open(name) {
    this.wanted = name;
    try {
      const { record, meta, images } = await this.host.open(name);
      if (this.wanted !== name) return false;
      this.name = null; // the engine gives up what it had
      const derived = meta.by_level ? meta.configs.filter(({ by_level: byLevel }) => byLevel) : [];
      const mixes = derived.map(({ params }) => ({ ...params, alpha: null }));
      const base = await this.client.load(record, { mixes });
      if (this.wanted !== name) return false;
      completeMeta(meta, derived, base);
      Object.assign(this, { name, meta, images, base });
      return true;
    } catch (error) {
      if (this.wanted !== name) return false;
      this.wanted = this.name;
      throw error;
    }
  }
}

/**
 * Add to what a bundle says of itself what the engine has found: the auxiliary classifier's weights; and a configuration's α
 * follows from its β where that gives the same α on this bundle, else it is by hand.
 */
function completeMeta(meta, derived, { auxiliary, alphas }) {
  meta.auxiliary = auxiliary;
  derived.forEach((config, i) => {
    if (Math.abs(alphas[i] - config.alpha) < ALPHA_SLACK) config.params = { ...config.params, alpha: null };
  });
}

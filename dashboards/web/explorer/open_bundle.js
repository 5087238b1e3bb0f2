// The bundle that is open: what it says of itself, its images, the base models' figures; its arrays are the engine's.

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

  /** The last row that can be shown of a part. */
  lastRow(part) {
    const { n_clean: clean, n_adv: attacked } = this.meta;
    return (part === "attacked" ? attacked || clean : clean) - 1;
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
      const base = await this.client.load(record);
      if (this.wanted !== name) return false;
      Object.assign(this, { name, meta, images, base });
      return true;
    } catch (error) {
      if (this.wanted !== name) return false;
      this.wanted = this.name;
      throw error;
    }
  }
}

// The bundle that is open: what it says of itself, its images, the base models' figures; its arrays are the engine's.

export class OpenBundle {
  /**
   * @param {import("../host/file.js").Host} host
   * @param {import("../engine/client.js").EngineClient} client
   */
  constructor(host, client) {
    Object.assign(this, { host, client, name: null, meta: null, images: null, base: null });
  }

  /** Open another one in its place. */
  async open(name) {
    const { record, meta, images } = await this.host.open(name);
    const base = await this.client.load(record);
    Object.assign(this, { name, meta, images, base });
  }
}

// What the engine makes of several mixes at once: each is asked for by itself, one after the other, and what was answered is kept.

const KEPT = 24; // answers, some of which hold every image

/**
 * @typedef {object} Wanted One mix, and the views of it that are needed.
 * @property {import("../engine/params.js").MixParams} params
 * @property {string[]} views
 * @property {import("../engine/params.js").MixParams[]} [snapshots] Mixes to compare with it, see `engine/views/snapshots.js`.
 */

export class Frames {
  /** @param {import("../engine/client.js").EngineClient} client Whose answers go to `receive`, and its errors to `fail`. */
  constructor(client) {
    Object.assign(this, { client, kept: new Map(), asked: null, newest: 0 });
  }

  /** Another bundle is open: nothing that is kept holds. */
  forget() {
    this.kept.clear();
    this.newest++;
    this.asked?.reject(new Error("another bundle was opened"));
    this.asked = null;
  }

  /**
   * The answers to several wants; null where newer wants have come meanwhile.
   *
   * @param {Object<string, Wanted>} wants
   * @returns {Promise<Object<string, {remix: object, views: object}>|null>}
   */
  async get(wants) {
    const turn = ++this.newest;
    const found = {};
    for (const [name, wanted] of Object.entries(wants)) {
      const key = JSON.stringify(wanted);
      if (!this.kept.has(key)) this.keep(key, await this.ask(wanted));
      if (turn !== this.newest) return null;
      found[name] = this.kept.get(key);
    }
    return found;
  }

  /** The answers that are there already; null if one is missing. */
  now(wants) {
    const found = Object.entries(wants).map(([name, wanted]) => [name, this.kept.get(JSON.stringify(wanted))]);
    return found.every(([, frame]) => frame) ? Object.fromEntries(found) : null;
  }

  keep(key, frame) {
    while (this.kept.size >= KEPT) this.kept.delete(this.kept.keys().next().value);
    this.kept.set(key, frame);
  }

  /** One question at a time: what waits for the answer before goes first. */
  async ask(wanted) {
    while (this.asked) await this.asked.promise.catch(() => {});
    const asked = {};
    asked.promise = new Promise((resolve, reject) => Object.assign(asked, { resolve, reject }));
    this.asked = asked;
    this.client.show({ params: wanted.params, example: null, snapshots: wanted.snapshots ?? [], verified: null }, wanted.views);
    asked.number = this.client.number;
    return asked.promise;
  }

  receive(frame) {
    if (frame.number !== this.asked?.number) return;
    const { resolve } = this.asked;
    this.asked = null;
    resolve(frame);
  }

  fail(message) {
    const asked = this.asked;
    this.asked = null;
    asked?.reject(new Error(message));
  }
}

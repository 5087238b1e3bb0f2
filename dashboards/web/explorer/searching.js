// *Find best*: which search runs, and where what it found leads.

import { mixOf, sameMix } from "../app/settings.js";
import { Search } from "./search.js";

export class Searching {
  /**
   * @param {import("./explorer.js").Context} context
   * @param {import("../engine/client.js").EngineClient} client
   * @param {import("./open_bundle.js").OpenBundle} bundle
   * @param {{found: () => void, settle: (changes: object) => void}} on
   */
  constructor(context, client, bundle, on) {
    Object.assign(this, { context, client, bundle, on, awaiting: null, known: null });
    this.search = new Search({ find: () => this.findBest(), widen: () => this.widen(), cancel: () => this.cancel() });
    this.element = this.search.element;
  }

  show(state) {
    this.search.show(state, { possible: Boolean(this.bundle.meta?.n_adv) });
  }

  forget() {
    this.known = null;
  }

  follow(state, before) {}

  awaited(state) {
    return this.awaiting !== null && sameMix(this.awaiting, mixOf(state));
  }

  openingOf(state) {
    return null;
  }

  await(mix) {
    this.awaiting = mix;
  }

  findBest() {}
  widen() {}
  cancel() {}
}

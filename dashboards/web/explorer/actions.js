// What the buttons of the control column do.

import { copyText } from "../app/address.js";
import { ALPHA_SLACK } from "../app/open_bundle.js";
import { MAX_SNAPSHOTS, changesTo, mixOf, sameMix } from "../app/settings.js";
import { keyOf } from "../app/verified.js";
import { bring } from "./known.js";

export class Actions {
  /** @param {object} page The page, with all its parts. */
  constructor(page) {
    this.page = page;
  }

  undo() {
    this.page.history.undo();
  }

  redo() {
    this.page.history.redo();
  }

  async copy() {
    const { history, address, toolbar } = this.page;
    history?.agree(); // which comes with the first figures
    const done = await copyText(address.href);
    toolbar.say(done ? "Link copied." : "The browser did not allow copying: copy the link from its address bar.");
  }

  /** Back to what the bundle opens on. */
  defaults() {
    const { store, settings, arrival } = this.page;
    const { bundle, hidden } = store.get();
    const state = { ...settings.defaults, bundle, hidden };
    store.set({ ...state, ...arrival.openingChanges(state, true) });
    arrival.handed = store.get().by_hand;
  }

  /** To the best mix for the level, whatever *Find best* keeps otherwise. */
  findBest() {
    const { store, searching } = this.page;
    store.set({ find_by: "beta" });
    searching.findBest();
  }

  /** Keep the current mix for comparison; the oldest makes room where there is none. */
  keep() {
    const { store, toolbar } = this.page;
    const mix = mixOf(store.get());
    const kept = [...store.get().snapshots.filter((one) => !sameMix(one, mix)), mix];
    store.set({ snapshots: kept.slice(-MAX_SNAPSHOTS) });
    const letter = String.fromCharCode(64 + Math.min(kept.length, MAX_SNAPSHOTS));
    const full = ` At most ${MAX_SNAPSHOTS} are kept: the oldest was removed, the others moved up.`;
    const remark = `Snapshot ${letter} kept: see the plane, and the table below the plots.`;
    toolbar.say(remark + (kept.length > MAX_SNAPSHOTS ? full : ""));
  }

  /** Take over a configuration; α follows from its β where that gives the same α on this bundle. */
  async takeConfig({ params, byLevel, bundle: card, verified }, name) {
    const { store, bundle, drawing, toolbar } = this.page;
    const { meta } = bundle;
    const here = card && (card.digest === meta.digest || card.clean === meta.clean_digest); // the pool may have grown
    if (here && verified) bring(meta, params, verified);
    const derived = byLevel && meta.by_level;
    store.set(changesTo(derived ? { ...params, alpha: null } : params));
    drawing.request(store.get());
    const answer = derived ? await drawing.answer() : null;
    const moved = answer && Math.abs(answer.remix.params.alpha - params.alpha) >= ALPHA_SLACK;
    if (moved) store.set(changesTo(params), { undoable: false });
    const elsewhere = ` It was made on the bundle ${card?.name}; the figures here are those of ${meta.title}.`;
    toolbar.say(`${name} loaded.${card && !here ? elsewhere : ""}`);
  }

  /**
   * Show what a verification gave: the bundle with its points. All settings stay, and where the verified mix is shown, it
   * stays the very same: α by hand, if β gives another one now.
   */
  async join({ name, verified, settings }) {
    const { arrival, bundle, shown, store } = this.page;
    if (bundle.wanted !== name) return; // it has its points when it is opened again
    const params = shown.moment?.remix.params;
    const same = params && keyOf(params) === keyOf(verified);
    const open = await arrival.open(name);
    if (open && same) store.set(changesTo(settings), { undoable: false });
  }

  /** Offer the bundles that are at hand now, and open one of them. */
  openNew({ name, bundles }) {
    this.page.column.offerBundles(bundles);
    this.page.store.set({ bundle: name });
  }

  /** Say something that goes with the next change. */
  say(text) {
    this.page.toolbar.say(text);
  }
}

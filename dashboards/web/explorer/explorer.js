// The explorer: what the page is made of, and how a change finds its way through it.
//
// change -> state -> controls at once; -> engine -> one frame -> figures, plots, tables

import { copyText, pageAddress } from "../app/address.js";
import { History } from "../app/history.js";
import { readLink, stateOf, writeLink } from "../app/links.js";
import { MAX_SNAPSHOTS, Settings, changesTo, mixOf, sameMix } from "../app/settings.js";
import { createState } from "../app/state.js";
import { Announcer } from "../controls/announce.js";
import { Banner } from "../controls/banner.js";
import { sentence } from "../controls/entries.js";
import { thousands } from "../controls/numbers.js";
import { EngineClient } from "../engine/client.js";
import { changesOfClick } from "./clicks.js";
import { Column, hideable } from "./column.js";
import { Drawing, movesFigures } from "./drawing.js";
import { Files } from "./files.js";
import { Layout } from "./layout.js";
import { OpenBundle } from "./open_bundle.js";
import { opening, openingOf } from "./opening.js";
import { Searching } from "./searching.js";
import { Shown } from "./shown.js";
import { Toolbar } from "./toolbar.js";

const ALPHA_SLACK = 1e-12; // within which two α are one: they came from the same β on other machines, perhaps

/**
 * Build the page and open what its address asks for.
 *
 * @param {HTMLElement} root
 * @param {import("../host/file.js").Host} host
 * @param {() => Worker} makeWorker Starts a worker on the engine.
 */
export async function startExplorer(root, host, makeWorker) {
  await new Explorer(root, host, makeWorker).start();
}

/**
 * @typedef {object} Context What the page's parts know of the page.
 * @property {(changes: object) => void} set Changes the state, as one step.
 * @property {() => object} state
 * @property {Settings} settings
 * @property {() => object} meta Of the bundle that is open.
 * @property {() => object|null} images Its clean images.
 * @property {import("../host/file.js").Host} host
 * @property {(text: string) => void} announce Says something aloud.
 * @property {(cause: string, problems: string[]) => void} refuse Shows what a cause makes wrong; none: nothing any more.
 * @property {(name: string) => object} limits Of a whole number, where they depend on the bundle.
 * @property {() => Promise<void>} beforePrint Draws what is not on the screen, too.
 * @property {() => void} widen Searches a wider grid.
 */
class Explorer {
  constructor(root, host, makeWorker) {
    Object.assign(this, { host, settings: new Settings(host.settings) });
    this.address = pageAddress();
    this.store = createState(this.settings);
    this.banner = new Banner();
    this.announcer = new Announcer();
    this.client = new EngineClient(makeWorker, {
      frame: (frame) => this.drawing.receive(frame),
      error: (message) => this.fail(message),
    });
    this.bundle = new OpenBundle(host, this.client);
    this.context = this.makeContext();
    this.makeParts(root);
    this.store.subscribe((state, before) => this.changed(state, before));
  }

  /** @returns {Context} */
  makeContext() {
    return {
      set: (changes) => this.store.set(changes),
      state: () => this.store.get(),
      settings: this.settings,
      meta: () => this.bundle.meta,
      images: () => this.bundle.images,
      host: this.host,
      announce: (text) => this.announcer.say(text),
      refuse: (cause, problems) => this.banner.show(cause, problems),
      limits: (name) => (name === "row" ? { high: this.lastRow(this.store.get().case) } : {}),
      beforePrint: () => this.drawAll(),
      widen: () => this.searching.widen(),
    };
  }

  makeParts(root) {
    const { context } = this;
    this.toolbar = new Toolbar({
      undo: () => this.history.undo(),
      redo: () => this.history.redo(),
      defaults: () => this.toDefaults(),
      copy: () => this.copyLink(),
    });
    this.files = new Files(context, (config, name) => this.takeConfig(config, name));
    this.searching = new Searching(context, this.client, this.bundle, {
      found: (found) => this.showFound(found),
      settle: (changes) => this.store.set(changes, { undoable: false }), // of the step that asked for it
      grids: (names) => this.column.offerGrids(names),
    });
    this.layout = new Layout(root, this.host.texts, [this.banner.element, this.announcer.element]);
    this.shown = new Shown(context, this.layout, (event) => this.onChart(event));
    this.drawing = new Drawing(this.client, () => this.shown.wanted(), (state, frame) => this.draw(state, frame));
    this.shown.onLookedAt = () => this.redraw();
    const { verify, exports } = this.layout;
    const parts = { history: this.toolbar.element, search: this.searching.element, verify, export: exports, import: this.files.element };
    const bundles = this.host.bundles.map(({ name }) => [name, name]);
    const actions = { findBest: () => this.findForBeta(), keep: () => this.keep() };
    const offered = { bundles, presets: this.host.presets.named, actions };
    this.column = new Column(context, parts, offered);
    this.layout.place(this.column);
    this.files.acceptDrops(root);
  }

  async start() {
    await this.take(this.address.query);
    this.history = new History(this.store, this.address, {
      link: (state) => this.linkOf(state),
      arrive: (query) => this.take(query),
      changed: () => this.toolbar.showSteps(this.history),
    });
    this.toolbar.showSteps(this.history);
  }

  /** Bring the page to what a link asks for; what is wrong with it stands in the banner, the rest applies. */
  async take(query) {
    const link = this.read(query);
    const problems = [...link.problems];
    const wanted = stateOf(this.settings, link, this.bundle.name ?? this.host.bundles[0].name);
    try {
      await this.open(wanted.bundle);
    } catch (error) {
      problems.push(error.message);
      if (!this.bundle.meta) await this.openAny(wanted.bundle);
    }
    const state = { ...wanted, bundle: this.bundle.name };
    const last = this.lastRow(state.case);
    if (state.case !== "paper" && state.row > last) {
      problems.push(`image must be between 0 and ${thousands(last)} (the link has ${thousands(state.row)})`);
      state.row = 0;
    }
    this.store.set({ ...state, ...this.openingChanges(state, link.best) }, { undoable: false });
    this.banner.show("link", problems.map(sentence));
  }

  read(query) {
    const { grid } = this.settings.byName;
    return readLink(this.settings, query, {
      bundles: this.host.bundles.map(({ name }) => name),
      grids: grid.choices.map(([, value]) => value),
      controls: hideable(this.settings),
    });
  }

  openingChanges(state, best) {
    if (!best) return this.bundle.meta.n_adv ? {} : { by_hand: true };
    const { changes, known } = opening(this.bundle.meta, state, this.host.presets.grids);
    if (!known) this.searching.await(mixOf({ ...state, ...changes }));
    return changes;
  }

  async open(name) {
    if (name === this.bundle.name) return;
    this.drawing.pause(true);
    this.layout.busy(`opening ${name} …`);
    try {
      await this.bundle.open(name);
    } finally {
      this.layout.busy(null);
      this.drawing.pause(!this.bundle.meta);
    }
    this.column.presets.offer(this.bundle.meta.configs);
    this.searching.forget();
    this.shown.open(this.bundle);
  }

  async openAny(refused) {
    for (const { name } of this.host.bundles) {
      if (name === refused) continue;
      try {
        await this.open(name);
        return;
      } catch (error) {
        this.banner.show(`bundle ${name}`, [sentence(error.message)]);
      }
    }
    throw new Error("none of the bundles could be opened");
  }

  /** Go to another bundle; the state is back at the open one if it cannot be opened. */
  async switch(name) {
    try {
      await this.open(name);
    } catch (error) {
      this.banner.show("bundle", [sentence(error.message)]);
      if (this.store.get().bundle === name) this.store.set({ bundle: this.bundle.name }, { undoable: false });
      return;
    }
    const state = this.store.get();
    if (state.bundle !== name) return; // the visitor has moved on
    const changes = { grid: state.grid.replace(/\++$/, ""), row: Math.min(state.row, this.lastRow(state.case)) };
    if (!this.bundle.meta.n_adv) Object.assign(changes, { by_hand: true });
    this.store.set(changes, { undoable: false });
    this.show(this.store.get());
    this.redraw();
    this.history.agree();
  }

  lastRow(where) {
    const { n_clean: clean, n_adv: attacked } = this.bundle.meta;
    return (where === "attacked" ? attacked || clean : clean) - 1;
  }

  // --- a change
  changed(state, before) {
    for (const name of Object.keys(state)) if (state[name] !== before[name]) this.banner.clear(name);
    this.banner.clear("link", "file", "bundle");
    this.toolbar.say("");
    this.show(state);
    if (state.bundle !== this.bundle.name) this.switch(state.bundle);
    else if (movesFigures(state, before)) {
      this.shown.moving();
      this.drawing.request(state);
    }
    this.searching.follow(state, before);
  }

  show(state) {
    this.column.show(state);
    this.searching.show(state);
  }

  /** There are frontiers to draw now, and what was asked for. */
  showFound(found) {
    this.shown.search = found;
    this.redraw();
  }

  redraw() {
    this.drawing.request(this.store.get());
  }

  draw(state, frame) {
    this.banner.clear("engine");
    this.column.showAlpha(frame.remix.params.alpha);
    this.shown.draw(state, this.bundle, frame);
  }

  async drawAll() {
    this.shown.drawAll();
    await this.drawing.answer();
    await new Promise(requestAnimationFrame);
  }

  onChart(event) {
    if (event.kind === "error") this.banner.show("drawing", [sentence(String(event.detail?.message ?? event.detail))]);
    const changes = event.kind === "click" && this.shown.moment && changesOfClick(event, this.shown.moment);
    if (changes) this.store.set(changes);
  }

  fail(message) {
    this.drawing.giveUp();
    this.banner.show("engine", [sentence(message)]);
  }

  // --- what the buttons do
  linkOf(state) {
    const found = this.searching.awaited(state) ? mixOf(state) : this.searching.openingOf(state);
    const chosen = state.bundle === this.bundle.name ? openingOf(this.bundle.meta, this.settings, state) : null;
    return writeLink(this.settings, state, chosen ?? found);
  }

  async copyLink() {
    this.history.agree();
    const done = await copyText(this.address.href);
    const failed = "The browser did not allow copying: copy the link from its address bar.";
    this.toolbar.say(done ? "Link copied." : failed);
  }

  toDefaults() {
    const { bundle, hidden } = this.store.get();
    const state = { ...this.settings.defaults, bundle, hidden };
    this.store.set({ ...state, ...this.openingChanges(state, true) });
  }

  findForBeta() {
    this.store.set({ find_by: "beta" });
    this.searching.findBest();
  }

  keep() {
    const { snapshots, ...state } = this.store.get();
    const mix = mixOf(state);
    const kept = [...snapshots.filter((one) => !sameMix(one, mix)), mix];
    this.store.set({ snapshots: kept.slice(-MAX_SNAPSHOTS) });
    const letter = String.fromCharCode(64 + Math.min(kept.length, MAX_SNAPSHOTS));
    const full = ` At most ${MAX_SNAPSHOTS} are kept: the oldest was removed, the others moved up.`;
    const remark = `Snapshot ${letter} kept: see the plane, and the table below the plots.`;
    this.toolbar.say(remark + (kept.length > MAX_SNAPSHOTS ? full : ""));
  }

  /** Take over a configuration; α follows from its β where that gives the same α on this bundle. */
  async takeConfig({ params, byLevel, bundle, verified }, name) {
    const { meta } = this.bundle;
    const here = bundle?.digest === meta.digest;
    if (here && verified) this.shown.takeVerified(params, verified);
    const derived = byLevel && meta.n_adv;
    this.store.set(changesTo(derived ? { ...params, alpha: null } : params));
    this.redraw();
    const elsewhere = ` It was made on the bundle ${bundle?.name}; the figures here are those of ${meta.title}.`;
    const remark = `${name} loaded.${bundle && !here ? elsewhere : ""}`;
    const answer = derived ? await this.drawing.answer() : null;
    const moved = answer && Math.abs(answer.remix.params.alpha - params.alpha) >= ALPHA_SLACK;
    if (moved) this.store.set(changesTo(params), { undoable: false });
    this.toolbar.say(remark);
  }
}

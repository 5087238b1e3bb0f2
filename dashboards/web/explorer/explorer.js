// The explorer: what the page is made of, and how a change finds its way through it.
//
// change -> state -> controls at once; -> engine -> one frame -> figures, plots, tables

import { pageAddress } from "../app/address.js";
import { History } from "../app/history.js";
import { printOnPaper } from "../app/print.js";
import { OFF, ON, Settings } from "../app/settings.js";
import { createState } from "../app/state.js";
import { Announcer } from "../controls/announce.js";
import { Banner } from "../controls/banner.js";
import { sentence } from "../controls/entries.js";
import { imagesOf } from "../charts/images_of.js";
import { EngineClient } from "../engine/client.js";
import { Actions } from "./actions.js";
import { Arrival } from "./arrival.js";
import { changesOfClick } from "./clicks.js";
import { Column } from "./column.js";
import { Drawing, movesFigures } from "./drawing.js";
import { Files } from "./files.js";
import { Layout } from "./layout.js";
import { movesList, withList } from "./listing.js";
import { OpenBundle } from "../app/open_bundle.js";
import { Searching } from "./searching.js";
import { Selection } from "./selection.js";
import { Shown } from "./shown.js";
import { Toolbar } from "./toolbar.js";
import { WORDS } from "./words.js";

/**
 * Build the page and open what its address asks for.
 *
 * @param {HTMLElement} root
 * @param {import("../host/file.js").Host} host
 * @param {() => Worker} makeWorker Starts a worker on the engine.
 * @returns {Promise<{close: () => void, refuse: (cause: string, problems: string[]) => void, lost: () => string}>} `close` ends it
 *   all: in JupyterLab another page may take its place.
 */
export async function startExplorer(root, host, makeWorker) {
  const explorer = new Explorer(root, host, makeWorker);
  await explorer.start();
  return { close: () => explorer.close(), refuse: (cause, problems) => explorer.banner.show(cause, problems), lost: () => WORDS.lost };
}

/**
 * @typedef {object} Context What the page's parts know of the page.
 * @property {(changes: object) => void} set Changes the state, as one step.
 * @property {() => object} state
 * @property {Settings} settings
 * @property {() => object} meta Of the bundle that is open.
 * @property {import("../host/file.js").Host} host
 * @property {(text: string) => void} announce Says something aloud.
 * @property {(cause: string, problems: string[]) => void} refuse Shows what a cause makes wrong; none: nothing any more.
 * @property {(name: string) => object} limits Of a whole number, where they depend on the bundle.
 * @property {() => Promise<void>} current Waits until all is drawn, seen or not, with the settings of now.
 * @property {Selection} selection The images that are selected.
 * @property {() => void} widen Searches a wider grid.
 * @property {import("./actions.js").Actions} actions What buttons do.
 */
class Explorer {
  constructor(root, host, makeWorker) {
    Object.assign(this, { host, settings: new Settings(host.settings), address: host.address ?? pageAddress() });
    this.store = createState(this.settings, { bundle: "" });
    this.banner = new Banner();
    this.announcer = new Announcer();
    this.selection = new Selection((selected) => this.select(selected));
    this.client = new EngineClient(makeWorker, {
      frame: (frame) => this.drawing.receive(frame),
      error: (message) => this.fail(message),
    });
    this.bundle = new OpenBundle(host, this.client);
    this.actions = new Actions(this);
    this.arrival = new Arrival(this, { opening: (name) => this.onOpening(name), opened: () => this.onOpened() });
    this.makeParts(root, this.makeContext());
    this.store.subscribe((state, before, options) => this.changed(state, before, options));
  }

  /** @returns {Context} */
  makeContext() {
    return {
      set: (changes) => this.set(changes),
      state: () => this.store.get(),
      settings: this.settings,
      meta: () => this.bundle.meta,
      host: this.host,
      announce: (text) => this.announcer.say(text),
      refuse: (cause, problems) => this.banner.show(cause, problems),
      limits: (name) => (name === "row" ? { high: this.bundle.lastRow(this.store.get().case) } : {}),
      current: () => this.drawAll(),
      widen: () => this.searching.widen(),
      selection: this.selection,
      actions: this.actions,
    };
  }

  makeParts(root, context) {
    this.endPrint = printOnPaper(root);
    this.layout = new Layout(root, this.host.texts, [this.banner.element, this.selection.element, this.announcer.element]);
    this.toolbar = new Toolbar(this.actions);
    this.files = new Files(context, (config, name) => this.actions.takeConfig(config, name));
    this.files.acceptDrops(root);
    this.searching = new Searching(context, this.client, this.bundle, {
      found: (found) => this.showFound(found),
      settle: (changes) => this.store.set(changes, { undoable: false }), // of the step that asked for it
      grids: (names) => this.column.offerGrids(names),
    });
    this.shown = new Shown(context, this.layout, { event: (event) => this.onChart(event), look: () => this.redraw() });
    this.drawing = new Drawing(this.client, () => this.shown.wanted(), {
      draw: (state, frame) => this.draw(state, frame),
      late: (late) => this.layout.late(late),
    });
    const { verify, exports } = this.layout;
    const parts = { history: this.toolbar.element, search: this.searching.element, verify, export: exports, import: this.files.element };
    this.column = new Column(context, parts, this.actions);
    this.layout.place(this.column);
  }

  close() {
    this.endPrint();
    this.selection.close();
    this.searching.close();
    this.drawing.pause(true);
    this.shown.close();
    this.client.close();
  }

  async start() {
    await this.arrival.take(this.address.query);
    this.history = new History(this.store, this.address, {
      link: (state) => this.arrival.linkOf(state),
      arrive: (query) => this.arrival.take(query),
      changed: () => this.toolbar.showSteps(this.history),
    });
    this.toolbar.showSteps(this.history);
    this.host.connect?.({
      store: this.store,
      arrive: (query) => this.arrival.take(query),
      refuse: (text) => this.banner.show("kernel", [sentence(text)]),
    });
  }

  // --- a bundle
  onOpening(name) {
    this.drawing.pause(name !== null);
    this.layout.busy(name === null ? null : `opening ${name} …`);
  }

  onOpened() {
    this.column.presets.offer(this.bundle.meta.configs);
    this.searching.forget();
    this.shown.open();
    if (this.store.get().bundle !== this.bundle.name) return; // the state follows
    this.show(this.store.get());
    this.redraw();
    this.history?.agree();
  }

  // --- a change
  /** Change the state as one step of the visitor. */
  set(changes) {
    this.store.set(withList(changes, this.store.get()));
  }

  /** Select images: a step of its own, however soon after another. */
  select(selected) {
    this.history?.part();
    this.set({ selected });
  }

  changed(state, before, { undoable }) {
    for (const name of Object.keys(state)) if (state[name] !== before[name]) this.banner.clear(name);
    if (undoable) {
      this.banner.clear("link", "file", "search");
      this.toolbar.say("");
      this.arrival.noteStep(state, before);
    }
    this.show(state);
    if (state.bundle !== this.bundle.wanted) this.arrival.follow(state, before).catch(({ message }) => this.fail(message));
    else if (this.bundle.ready) this.follow(state, before);
  }

  follow(state, before) {
    const example = this.bundle.exampleOf(state);
    if (Object.keys(example).length) queueMicrotask(() => this.store.set(example, { undoable: false })); // once all know the step
    else if (movesFigures(state, before)) {
      this.shown.moving();
      this.drawing.request(state);
    } else if (movesList(state, before)) this.shown.select();
    this.searching.follow(state, before);
  }

  show(state) {
    this.column.show(state);
    this.searching.show(state);
    this.selection.show(state.selected, this.bundle.meta?.n_clean ?? 0);
  }

  redraw() {
    this.drawing.request(this.store.get());
  }

  draw(state, frame) {
    this.banner.clear("engine", "drawing");
    this.column.showAlpha(frame.remix.params.alpha);
    this.shown.draw(state, this.bundle, frame);
  }

  async drawAll() {
    this.shown.drawAll();
    await this.drawing.answer();
    await new Promise(requestAnimationFrame);
  }

  /** There are frontiers to draw now, and what was asked for; a link may leave out what has been found. */
  showFound(found) {
    this.shown.search = found;
    this.redraw();
    this.history?.agree();
  }

  onChart({ kind, panel, points, detail }) {
    const { moment } = this.shown;
    if (kind === "error") this.banner.show("drawing", [sentence(String(detail?.message ?? detail))]);
    else if (kind === "option") this.store.set({ [detail.name]: detail.value ? ON : OFF });
    else if (!moment || (kind !== "click" && kind !== "select")) return;
    else {
      const changes = kind === "click" ? changesOfClick({ panel, points }, moment) : null;
      if (changes) this.set(changes);
      else this.pick(imagesOf(panel, points, this.shown.charts.fieldsOf(panel), detail.range), detail.add);
    }
  }

  /** Select what was brushed; a box over nothing selects nothing. */
  pick(picked, add) {
    if (picked) this.selection.take(picked, add);
  }

  fail(message) {
    this.drawing.giveUp();
    this.banner.show("engine", [sentence(message)]);
  }
}

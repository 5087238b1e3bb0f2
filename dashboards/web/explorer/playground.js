// The explorer in small, for notebooks: some of its plots under some of its sliders on one bundle, with the mix's figures.
//
// Where there is no bundle it shows one figure that stands still, and needs no engine.

import { OFF, ON, Settings } from "../app/settings.js";
import { createState } from "../app/state.js";
import { OpenBundle } from "../app/open_bundle.js";
import { Charts } from "../charts/chart.js";
import { imagesOf } from "../charts/images_of.js";
import { prepared } from "../charts/prepare.js";
import { debounce } from "../charts/tools.js";
import { Banner } from "../controls/banner.js";
import { fill, h } from "../controls/dom.js";
import { sentence } from "../controls/entries.js";
import { EngineClient } from "../engine/client.js";
import { Brief } from "./brief.js";
import { changesOfClick } from "./clicks.js";
import { inputOf } from "./column.js";
import { Drawing, movesFigures } from "./drawing.js";
import { fieldsOf, momentOf, optionsOf } from "./moment.js";
import { Searching } from "./searching.js";
import { Selection } from "./selection.js";

const REST = 250; // milliseconds after which what takes long follows
const SLOW = "images"; // the view of single images
const SEARCHED = ["frontier", "direct_frontier", "sensitivity"]; // views that rest on a search

/**
 * Show the plots.
 *
 * @param {HTMLElement} root
 * @param {import("../host/file.js").Host & {controls: string[], figures: boolean}} host Its catalogue has the plots to show,
 *   `controls` names settings; `figures`: whether the mix's figures stand above the plots.
 * @param {() => Worker} makeWorker Starts a worker on the engine.
 * @returns {Promise<{close: () => void, refuse: (cause: string, problems: string[]) => void, lost: () => string}>}
 */
export async function startPlayground(root, host, makeWorker) {
  const playground = new (host.bundles.length ? Playground : Still)(root, host, makeWorker);
  await playground.start();
  return { close: () => playground.close(), refuse: () => {}, lost: () => "" }; // a kernel that is busy keeps nothing here from working
}

/** One figure that stands still. */
class Still {
  constructor(root, { catalogue }) {
    const plots = h("div");
    this.charts = new Charts(plots, catalogue, { prepare: (_, fields) => fields });
    fill(root, h("div", { class: "playground app" }, plots));
  }

  async start() {
    this.charts.draw({ remix: {}, meta: null });
  }

  close() {
    this.charts.close();
  }
}

class Playground {
  constructor(root, host, makeWorker) {
    Object.assign(this, { host, settings: new Settings(host.settings), resting: true, moment: null });
    this.store = createState(this.settings, { bundle: host.bundles[0].name });
    this.banner = new Banner();
    this.client = new EngineClient(makeWorker, {
      frame: (frame) => this.drawing.receive(frame),
      error: (message) => this.fail("engine", message),
    });
    this.bundle = new OpenBundle(host, this.client);
    this.selection = new Selection(() => this.charts.select(this.selection.rows));
    const context = this.makeContext();
    this.inputs = Object.fromEntries(host.controls.map((name) => [name, inputOf(context, name)]));
    this.searching = new Searching(context, this.client, this.bundle, { found: () => this.redraw(), settle: () => {}, grids: () => {} });
    this.brief = host.figures ? new Brief() : null;
    this.makePlots(root);
    this.drawing = new Drawing(this.client, () => this.wanted(), {
      draw: (state, frame) => this.draw(state, frame),
      late: (late) => this.page.classList.toggle("late", late),
    });
    this.rest = debounce(REST, () => {
      this.resting = true;
      this.redraw();
    });
    this.store.subscribe((state, before) => this.changed(state, before));
  }

  /** What controls and the search know of the page, see `Context` in `explorer.js`. */
  makeContext() {
    return {
      settings: this.settings,
      state: () => this.store.get(),
      set: (changes) => this.store.set(changes),
      refuse: (cause, problems) => this.banner.show(cause, problems),
    };
  }

  makePlots(root) {
    const plots = h("div");
    const onEvent = (event) => this.onChart(event);
    this.charts = new Charts(plots, this.host.catalogue, { prepare: prepared, onEvent, current: () => this.current() });
    const inputs = h("div", { class: "inputs" }, Object.values(this.inputs).map(({ element }) => element));
    this.page = h("div", { class: "playground app" }, inputs, this.banner.element, this.brief?.element, this.selection.element, plots);
    fill(root, this.page);
  }

  async start() {
    const { refuse } = this.makeContext();
    this.host.connect({ store: this.store, arrive: () => {}, refuse: (text) => refuse("kernel", [sentence(text)]) });
    this.drawing.pause(true);
    await this.bundle.open(this.store.get().bundle);
    this.drawing.pause(false);
    if (this.searched) this.searching.forget();
    this.show(this.store.get());
    this.redraw();
  }

  close() {
    this.charts.close();
    this.client.close();
  }

  /** Whether a plot rests on a search. */
  get searched() {
    return this.host.catalogue.panels.some(({ views }) => views.some((name) => SEARCHED.includes(name)));
  }

  /** Names of the views that are looked at. */
  wanted() {
    return [...new Set(["headline", ...this.charts.views])].filter((name) => this.resting || name !== SLOW);
  }

  changed(state, before) {
    for (const name of Object.keys(state)) if (state[name] !== before[name]) this.banner.clear(name);
    this.show(state);
    if (!this.bundle.ready || !movesFigures(state, before)) return;
    this.resting = false;
    this.rest();
    this.redraw();
    if (this.searched) this.searching.follow(state, before);
  }

  show(state) {
    for (const [name, input] of Object.entries(this.inputs)) input.show(state[name]);
  }

  redraw() {
    this.drawing.request(this.store.get());
  }

  draw(state, frame) {
    this.banner.clear("engine", "drawing");
    this.charts.options = optionsOf(state, this.host.catalogue);
    this.moment = momentOf(state, this.bundle, frame);
    this.brief?.update(this.moment);
    this.charts.draw(fieldsOf(this.moment, this.host.paper));
  }

  /** Until the plots are those of the settings of now. */
  async current() {
    this.resting = true;
    this.redraw();
    await this.drawing.answer();
  }

  onChart({ kind, panel, points, detail }) {
    if (kind === "visible") this.redraw();
    else if (kind === "error") this.fail("drawing", String(detail?.message ?? detail));
    else if (kind === "option") this.store.set({ [detail.name]: detail.value ? ON : OFF });
    else if (this.moment) this.act(kind, panel, points, detail);
  }

  /** A click leads to a mix, or selects images as a box does. */
  act(kind, panel, points, { range, add }) {
    const changes = kind === "click" ? changesOfClick({ panel, points }, this.moment) : null;
    if (changes) this.store.set(changes);
    else {
      const picked = imagesOf(panel, points, this.charts.fieldsOf(panel), range);
      if (picked) this.selection.take(picked, add);
    }
  }

  fail(cause, message) {
    this.drawing.giveUp();
    this.banner.show(cause, [sentence(message)]);
  }
}

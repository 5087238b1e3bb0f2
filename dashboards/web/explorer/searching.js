// *Find best*: which search runs, and where what it found leads. One runs at a time; another one takes its place.
//
// A search keeps its tables in the worker: the next β, or another accuracy to keep, is answered at once.

import { changesTo, mixOf, sameMix } from "../app/settings.js";
import { sentence } from "../controls/entries.js";
import { IDENTITY } from "../engine/params.js";
import { widened } from "../engine/search/grids.js";
import { Search } from "./search.js";
import { foundByAccuracy, foundByLevel } from "./sentences.js";

const SETTINGS = ["bundle", "grid", "clamp", "ln_k"]; // what a search depends on, β aside
const MOMENT = 400; // milliseconds that a change rests before a search in the background begins

export class Searching {
  /**
   * @param {import("./explorer.js").Context} context
   * @param {import("../engine/client.js").EngineClient} client
   * @param {import("../app/open_bundle.js").OpenBundle} bundle
   * @param {{found: (last: object|null) => void, settle: (changes: object) => void, grids: (names:
   *   string[]) => void}} on `found`: there is a new result to draw, and which the visitor last asked for; `settle`: takes
   *   the mix that the page was to open on; `grids`: there are others to search.
   */
  constructor(context, client, bundle, on) {
    Object.assign(this, { context, client, bundle, on });
    this.search = new Search({ find: () => this.findBest(), cancel: () => this.cancel() });
    this.element = this.search.element;
    Object.assign(this, { awaiting: null, best: null, last: null, wider: {}, run: {}, work: null, timer: null, gaveUp: false });
  }

  /** Nothing has been found yet: another bundle is open. */
  forget() {
    clearTimeout(this.timer);
    Object.assign(this, { awaiting: null, best: null, last: null, wider: {}, run: {}, work: null, timer: null, gaveUp: false });
    this.search.running(null);
    this.search.showFound([]);
    this.on.grids(this.grids);
    if (this.possible) this.later();
  }

  /** Search no more. */
  close() {
    clearTimeout(this.timer);
    this.run = {};
  }

  /** Names of the grids that can be searched. */
  get grids() {
    return Object.keys({ ...this.bundle.meta?.grids, ...this.wider });
  }

  get possible() {
    return Boolean(this.bundle.meta?.n_adv);
  }

  show(state) {
    this.search.show(state, { possible: this.possible });
  }

  /** Follow a change: what a search depends on is searched anew, in the background. */
  follow(state, before) {
    if (SETTINGS.some((name) => state[name] !== before[name])) this.later();
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.inBackground(), MOMENT);
  }

  // --- the mix that a page opens on
  /** Let the best mix take the place of one that is shown until it is found. */
  await(mix) {
    this.awaiting = mix;
  }

  /** Whether a state shows such a mix. */
  awaited(state) {
    return this.awaiting !== null && sameMix(this.awaiting, mixOf(state));
  }

  /** The mix that a link without s, p and c means where a search says so; null if none has been made. */
  openingOf(state) {
    const { settings } = this.context;
    return state.grid === settings.defaults.grid ? this.best : null;
  }

  /** Search without going there: for the frontiers, for the sensitivity, and for the mix that is awaited. */
  async inBackground() {
    const state = this.context.state();
    if (!this.possible || state.bundle !== this.bundle.name) return;
    const result = await this.ask(this.requestOf({ ...state, find_by: "beta" }), (message) => this.giveUp(message));
    if (!result) return;
    if (this.gaveUp) this.search.showFound([]);
    this.gaveUp = false;
    const { s, p, c } = result.best.params;
    if (isUsual(state, this.context.settings)) this.best = { ...mixOf(state), s, p, c };
    if (this.awaited(this.context.state())) this.settle({ s, p, c });
    this.on.found(this.last);
  }

  /** Nothing is found here: what was shown until then was chosen for other bundles. */
  giveUp(message) {
    this.gaveUp = true;
    this.search.showFound([sentence(message)]);
    if (this.awaited(this.context.state())) this.settle(IDENTITY);
  }

  settle(changes) {
    this.awaiting = null;
    this.on.settle(changes);
  }

  // --- what the visitor asks for
  /** Go to the best mix of the grid: for this β, or that keeps an accuracy. */
  async findBest() {
    const state = this.context.state();
    if (!this.possible) return;
    const request = this.requestOf(state);
    const result = await this.ask(request, (message) => this.context.refuse("search", [sentence(message)]));
    if (!result) return;
    this.awaiting = null;
    this.last = { request, result };
    this.search.showFound(this.inWords(this.last));
    const { params } = result.best;
    const now = this.context.state();
    const byLevel = state.find_by === "beta";
    this.context.set(changesTo(byLevel ? { ...params, alpha: null, temperature: now.temperature } : { ...params, beta: now.beta }));
    this.on.found(this.last);
  }

  /** The mix that was found, in two lines. */
  inWords({ request, result }) {
    const { meta } = this.bundle;
    const byLevel = request.clean_at_least === undefined && request.attacked_at_least === undefined;
    const lines = byLevel ? foundByLevel(request, result, meta.n_adv) : foundByAccuracy(request, result, meta.optimistic);
    return lines.slice(0, 2);
  }

  /** Search a grid that reaches further where the optimum sat on the edge. */
  widen() {
    const { request, result } = this.last ?? {};
    if (!result) return;
    const { settings } = this.context;
    const grid = widened(request.grid, result.edges, rangesOf(settings));
    this.wider[grid.name] = grid;
    this.on.grids(this.grids);
    this.context.set({ grid: grid.name });
    this.findBest();
  }

  /** End the search that runs: a mix that is shown until it is done stays. */
  cancel() {
    Object.assign(this, { run: {}, work: null, awaiting: null });
    this.client.cancelSearch();
    this.search.running(null);
    this.on.found(this.last);
  }

  requestOf(state) {
    const { grid: name, clamp, ln_k, beta, find_by: by, least } = state;
    const axes = this.wider[name] ?? this.bundle.meta.grids[name];
    const kept = by === "beta" ? {} : { [`${by}_at_least`]: least };
    return { grid: { ...axes, name }, clamp, ln_k, beta, ...kept };
  }

  /** The answer to a request; null where it was cancelled, or there is none, of which `fail` learns why. */
  async ask(request, fail) {
    const run = (this.run = {});
    clearTimeout(this.timer);
    try {
      const found = await this.found(request, run);
      if (run !== this.run) return null;
      this.context.refuse("search", []);
      return found;
    } catch (error) {
      if (run === this.run) fail(error.message);
      return null;
    } finally {
      if (run === this.run) this.search.running(null);
    }
  }

  /** What the engine finds; where it is at the same tables already, they are waited for, and not begun anew. */
  async found(request, run) {
    const key = JSON.stringify([request.grid, request.clamp, request.ln_k]);
    if (this.work?.key === key) await this.work.done.catch(() => {});
    if (run !== this.run) return null;
    const work = (this.work = { key });
    this.search.running(0);
    work.done = this.client.search(request, (share) => work === this.work && this.search.running(share));
    try {
      return await work.done;
    } finally {
      if (work === this.work) this.work = null;
    }
  }
}

/** Whether a search is the one of a page that nobody has touched. */
function isUsual(state, { defaults }) {
  const names = ["grid", "clamp", "ln_k", "beta", "by_hand", "temperature"];
  return names.every((name) => state[name] === defaults[name]);
}

/** Of s, p and c what is valid. */
function rangesOf({ byName }) {
  const range = ({ low, high, scale }) => ({ low, high: high ?? Infinity, scale });
  return Object.fromEntries(["s", "p", "c"].map((name) => [name, range(byName[name])]));
}

// The comparison: what the page is made of, and how a change finds its way through it.
//
// change -> state -> controls at once; -> one engine a bundle -> searches, mixes -> words, plots, tables

import { copyText, pageAddress } from "../app/address.js";
import { History } from "../app/history.js";
import { NO_ANSWER } from "../app/no_answer.js";
import { printOnPaper } from "../app/print.js";
import { createState, same } from "../app/state.js";
import { Texts } from "../app/texts.js";
import { Announcer } from "../controls/announce.js";
import { Banner } from "../controls/banner.js";
import { sentence } from "../controls/entries.js";
import { Bench } from "./bench.js";
import { Column } from "./column.js";
import { compared } from "./comparison.js";
import { Layout } from "./layout.js";
import { readLink, writeLink } from "./links.js";
import { BEST, PLAIN } from "./mixes.js";
import { Results } from "./results.js";
import { Upload } from "./upload.js";

const AT_FIRST = 3; // so many bundles are compared when nobody says which
const MOVES = ["bundles", "beta", "grid", "clamp", "alpha", "points"]; // what makes another comparison

/**
 * Build the comparison and open what its address asks for.
 *
 * @param {HTMLElement} root
 * @param {import("../host/file.js").Host} host With `sentences`, `controls`, `colours`, `themes`, `fig7`, see `dashboards/compare/page_file.py`.
 * @param {() => Worker} makeWorker Starts a worker on the engine.
 * @returns {Promise<{close: () => void, refuse: (cause: string, problems: string[]) => void, lost: () => string}>}
 */
export async function startCompare(root, host, makeWorker) {
  const compare = new Compare(root, host, makeWorker);
  compare.start();
  return { close: () => compare.close(), refuse: (cause, problems) => compare.banner.show(cause, problems), lost: () => compare.texts.plain("page.lost") };
}

class Compare {
  constructor(root, host, makeWorker) {
    Object.assign(this, { host, makeWorker, settings: host.controls, address: host.address ?? pageAddress(), texts: new Texts(host.sentences) });
    Object.assign(this, { benches: new Map(), broken: new Set(), running: null, wanted: null, cancelled: false });
    const values = Object.fromEntries(this.settings.map((setting) => [setting.name, setting.default]));
    this.defaults = { bundles: this.names.slice(0, AT_FIRST), ...values, on: "", first: BEST, second: PLAIN };
    this.store = createState({ defaults: this.defaults });
    this.banner = new Banner();
    this.announcer = new Announcer();
    this.makeParts(root);
    this.store.subscribe((state, before, options) => this.changed(state, before, options));
  }

  /** Names of the bundles at hand, but for those that could not be opened. */
  get names() {
    return this.host.bundles.map(({ name }) => name).filter((name) => !this.broken.has(name));
  }

  makeParts(root) {
    const { texts, host } = this;
    printOnPaper(root);
    const refuse = (cause, problem) => this.banner.show(cause, problem === null ? [] : [sentence(problem)]);
    const set = (changes) => this.store.set(changes);
    this.layout = new Layout(root, host.texts, texts, [this.banner.element, this.announcer.element]);
    this.upload = new Upload(host, texts, { brought: (answer) => this.brought(answer), refuse: (problem) => refuse("file", problem), say: (text) => this.column.say(text) });
    this.upload.acceptDrops(root);
    const acts = {
      undo: () => this.history.undo(), redo: () => this.history.redo(), copy: () => this.copy(), cancel: () => this.cancel(), again: () => this.request(),
      medians: () => this.results.save("medians"), print: () => this.current().then(() => print()),
    };
    this.column = new Column(this.settings, texts, { set, refuse, acts, upload: this.upload.element });
    const { colours, themes, fig7: paper } = host;
    this.results = new Results(this.layout, { texts, colours, themes, paper, set, refuse, current: () => this.current(), bench: (name) => this.benches.get(name) });
    this.layout.place(this.column.element, ...this.results.parts);
    for (const part of this.results.parts) part.hidden = true;
  }

  // --- coming here
  start() {
    this.column.offer(this.names);
    this.arrive(this.address.query);
    this.history = new History(this.store, this.address, {
      link: (state) => writeLink(this.settings, state, this.defaults),
      arrive: (query) => this.arrive(query),
      changed: () => this.column.showSteps(this.history),
    });
    this.column.showSteps(this.history);
    this.host.connect?.({ store: this.store, arrive: (query) => this.arrive(query), refuse: (text) => this.banner.show("kernel", [sentence(text)]) });
  }

  /** Bring the page to what a link asks for; what is wrong with it is said, the rest applies. */
  arrive(query) {
    const { values, problems } = readLink(this.settings, query, this.names);
    this.store.set({ ...this.defaults, bundles: this.store.get().bundles, ...values }, { undoable: false });
    this.banner.show("link", problems.map(sentence));
    this.column.show(this.store.get());
    this.request();
  }

  // --- a change
  changed(state, before, { undoable }) {
    if (undoable) this.banner.clear("link", "file", "bundles");
    this.column.say("");
    this.column.show(state);
    if (MOVES.some((name) => !same(state[name], before[name]))) this.request();
    else if (this.results.shown) this.results.pairs.show(this.results.shown, state);
  }

  /** Compute what the state asks for; the newest counts. */
  request() {
    this.wanted = this.store.get();
    this.cancelled = false;
    if (this.running) this.stop();
    else this.running = this.run().finally(() => (this.running = null));
  }

  /** Until all is computed that was asked for. */
  async current() {
    while (this.running) await this.running;
    await new Promise(requestAnimationFrame);
  }

  async run() {
    while (this.wanted) {
      const asked = this.wanted;
      this.wanted = null;
      const stopped = () => this.wanted !== null || this.cancelled;
      try {
        const benches = await this.opened(asked.bundles);
        if (stopped() || benches === null) continue;
        this.column.computing(0);
        const found = await compared(benches, asked, { stopped, progress: (share) => this.progress(share) });
        if (stopped()) continue;
        this.banner.clear("engine");
        await this.results.show(found, this.store.get());
      } catch (error) {
        if (!stopped()) this.banner.show("engine", [sentence(error.message)]);
      } finally {
        this.layout.busy(null);
        this.column.computing(null, this.cancelled);
      }
    }
  }

  progress(share) {
    this.column.computing(share);
    if (!this.results.shown) this.layout.busy(this.texts.plain("page.searching", { share: Math.round(100 * share) }));
  }

  /** The benches of some bundles, open; null where one cannot be opened: it leaves the state, and the others are compared. */
  async opened(names) {
    for (const [name, bench] of this.benches) if (!names.includes(name)) this.drop(name, bench);
    for (const name of names) if (!this.benches.has(name)) this.benches.set(name, new Bench(name, this.host, this.makeWorker));
    const unknown = names.filter((name) => !this.benches.get(name).meta);
    if (unknown.length) this.layout.busy(this.texts.plain("page.loading", { names: unknown.join(", ") }));
    const problems = [];
    await Promise.all(names.map((name) => this.benches.get(name).open().catch((error) => problems.push([name, error]))));
    if (!problems.length) return names.map((name) => this.benches.get(name));
    for (const [name, { cause }] of problems) if (cause !== NO_ANSWER) this.broken.add(name);
    this.column.offer(this.names);
    const left = problems.map(([name]) => name);
    this.store.set({ bundles: names.filter((name) => !left.includes(name)) }, { undoable: false });
    this.banner.show("bundles", problems.map(([name, { message: why }]) => sentence(this.texts.plain("page.left_out", { name, why }))));
    return null;
  }

  drop(name, bench) {
    this.benches.delete(name);
    bench.close();
  }

  stop() {
    for (const bench of this.benches.values()) bench.client.cancelSearch();
  }

  // --- what the visitor does
  cancel() {
    this.cancelled = true;
    this.stop();
    this.column.say(this.texts.plain("page.cancelled"));
  }

  async copy() {
    this.history.agree();
    const done = await copyText(this.address.href);
    this.column.say(this.texts.plain(done ? "control.copied" : "control.not_copied"));
  }

  /** Compare a bundle that was brought with those that are chosen. */
  brought({ name, bundles }) {
    this.host.bundles = bundles;
    this.broken.delete(name);
    this.column.offer(this.names);
    this.column.boxes.get(name).click();
  }

  close() {
    this.results.close();
    for (const [name, bench] of this.benches) this.drop(name, bench);
  }
}

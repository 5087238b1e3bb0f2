// What shows the figures: the components in their places and the plots. Each names the views that it rests on; those are
// asked for that are looked at, and the slow ones once the sliders have come to rest.

import { Charts } from "../charts/chart.js";
import { prepared } from "../charts/prepare.js";
import { h } from "../controls/dom.js";
import { glossaryList } from "../controls/glossary.js";
import { Assumptions } from "./assumptions.js";
import { Examples } from "./examples.js";
import { ExportPanel } from "./exports.js";
import { Headline } from "./headline.js";
import { fieldsOf, momentOf, optionsOf } from "./moment.js";
import { percent } from "../app/numbers.js";
import { Provenance } from "./provenance.js";
import { Remarks } from "./remarks.js";
import { SearchResults } from "./search_results.js";
import { Snapshots } from "./snapshots.js";
import { Sources } from "./sources.js";
import { Stars } from "./stars.js";
import { Story } from "./story.js";
import { Strip } from "./strip.js";
import { Verification } from "./verification.js";

/** Every component with the part of the page where it stands. */
const COMPONENTS = [
  [Strip, "head"],
  [Headline, "figures"],
  [Verification, "verify"],
  [ExportPanel, "exports"],
  [Remarks, "figures"],
  [SearchResults, "details"],
  [Snapshots, "details"],
  [Stars, "details"],
  [Examples, "details"],
  [Story, "details"],
  [Assumptions, "details"],
  [Sources, "details"],
  [Provenance, "details"],
];
/** What takes long, or changes whole tables: it follows when the sliders rest. */
const SLOW = new Set([
  "examples_clean",
  "examples_attacked",
  "classes_clean",
  "classes_attacked",
  "confusion_clean",
  "confusion_attacked",
  "assumptions",
  "seen_and_unseen",
  "story",
  "images",
]);
const REST = 250; // milliseconds
const IDLE = 1500; // milliseconds of rest after which all is drawn, seen or not: the browser may be told to print
const NEAR = "200px"; // of the screen's edge: soon to be seen

export class Shown {
  /**
   * @param {import("./explorer.js").Context} context
   * @param {import("./layout.js").Layout} layout
   * @param {object} on
   * @param {(event: import("../charts/chart.js").ChartEvent) => void} on.event Called with what was done on a plot.
   * @param {() => void} on.look Called when more is looked at than has been drawn.
   */
  constructor(context, layout, on) {
    Object.assign(this, { context, on, moment: null, resting: true, timer: null, everything: false, search: null, marked: [] });
    this.inView = new Set();
    this.watch = new IntersectionObserver((entries) => this.looked(entries), { rootMargin: NEAR });
    this.components = COMPONENTS.map(([Component, where]) => {
      const root = h("div", { class: `shows-${Component.name.toLowerCase()}`, id: Component === SearchResults ? "found" : null });
      layout[where].append(root);
      this.watch.observe(root);
      return { component: new Component(root, context), root, views: Component.views };
    });
    const current = () => context.current(); // what is saved is of the settings of now
    this.charts = new Charts(layout.plots, context.host.catalogue, { prepare: prepared, onEvent: (event) => this.onChart(event), current });
    layout.details.append(h("details", { class: "card" }, h("summary", null, "Glossary"), glossaryList()));
  }

  /** Look at the document no longer. */
  close() {
    clearTimeout(this.timer);
    this.watch.disconnect();
    this.charts.close();
  }

  /** Another bundle is open. */
  open() {
    Object.assign(this, { moment: null, search: null, everything: false });
    this.idle();
  }

  /** Names of the views that are looked at. */
  wanted() {
    const names = this.components.filter(({ root }) => this.everything || this.inView.has(root)).flatMap(({ views }) => views);
    const plots = this.everything ? this.context.host.catalogue.panels.flatMap(({ views }) => views) : [...this.charts.views];
    const all = new Set(["headline", "certified", ...names, ...plots]);
    return [...all].filter((name) => this.resting || !SLOW.has(name));
  }

  looked(entries) {
    const before = this.wanted().length;
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) this.inView.add(target);
      else this.inView.delete(target);
    }
    if (this.wanted().length > before) this.on.look();
  }

  /** The state has changed: what is slow waits until it rests, what is out of sight until nothing happens. */
  moving() {
    this.resting = this.everything = false;
    this.after(REST, () => {
      this.resting = true;
      this.on.look();
      this.announce();
      this.idle();
    });
  }

  /** Say the figures aloud, once the sliders rest. */
  announce() {
    const { clean, attacked } = this.moment?.remix ?? {};
    if (!clean) return;
    const underAttack = attacked ? `, under attack at most ${percent(attacked.value)} %` : "";
    this.context.announce(`Clean accuracy ${percent(clean.value)} %${underAttack}`);
  }

  idle() {
    this.after(IDLE, () => this.drawAll());
  }

  after(milliseconds, act) {
    clearTimeout(this.timer);
    this.timer = setTimeout(act, milliseconds);
  }

  /** Draw one moment. */
  draw(state, bundle, frame) {
    this.charts.options = optionsOf(state, this.context.host.catalogue);
    this.mark(state);
    this.moment = { ...momentOf(state, bundle, frame), search: this.search };
    for (const { component } of this.components) this.guarded(() => component.update(this.moment));
    this.guarded(() => this.charts.draw(fieldsOf(this.moment, this.context.host.paper)));
  }

  /** Other images are selected or listed. */
  select() {
    if (!this.moment) return;
    this.mark(this.moment.state);
    for (const { component } of this.components) this.guarded(() => component.update(this.moment));
  }

  /** Mark on the plots the selected images; where there are none, the chosen one. */
  mark({ case: part, row }) {
    const { any, rows } = this.context.selection;
    const marked = any ? rows : part === "clean" ? [row] : [];
    if (marked.length === this.marked.length && marked.every((one, i) => one === this.marked[i])) return;
    this.marked = marked;
    this.charts.select(marked);
  }

  onChart(event) {
    if (event.kind === "visible") this.on.look();
    else this.on.event(event);
  }

  /** What fails says so, and keeps nothing else from being drawn. */
  guarded(draw) {
    try {
      draw();
    } catch (error) {
      console.error(error);
      this.context.refuse("drawing", [`Something could not be shown: ${error.message}. The last good view stands.`]);
    }
  }

  /** Ask for all views, seen or not. */
  drawAll() {
    this.resting = this.everything = true;
    this.on.look();
  }
}

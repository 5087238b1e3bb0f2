// All plots of the page: from the engine's views to what is seen, those on the screen alone, all in one frame.

import { mixStem } from "./filename.js";
import { measureIn } from "./narrow.js";
import { Panel } from "./panel.js";
import { isOfBundle } from "./prepare/plane.js";
import { themeName, watchTheme } from "./theme.js";
import { debounce } from "./tools.js";

const REST = 150; // milliseconds without a frame, after which the plots are settled
const DRAG = 500; // milliseconds between two frames of the same drag, at most
const PATIENCE = 4; // while a slider moves, a plot rests so many times as long as it took to draw
const NEAR = "200px"; // plots this close to the screen count as visible; while a slider moves, those on it are drawn
const MARKS = "images"; // the view that tells where selected images are; a panel that only marks them does without
// views that a panel does without
const OPTIONAL = new Set(["certified", "snapshots", "frontier", "direct_frontier", "sensitivity", "classes_attacked", "confusion_attacked"]);

const stemOfMix = (panel, { meta, remix }) => mixStem(meta, remix.params, panel);

/**
 * @typedef {object} ChartEvent What the visitor did on a plot.
 * @property {string} panel
 * @property {"click"|"select"|"option"|"visible"|"error"} kind `visible`: other plots are on the screen now.
 * @property {import("./images_of.js").PlotPoint[]} points Of a click all that lie there, the topmost first.
 * @property {object} detail Of `click` and `select`: `add`, to what is selected already; of `select`: `range`, the box
 *   that was drawn; of `option`: `name` and `value`.
 */

export class Charts {
  /**
   * @param {HTMLElement} root
   * @param {object} catalogue As `dashboards/figures/catalogue.py` makes it.
   * @param {object} options
   * @param {(name: string, fields: object) => object} options.prepare Gives a panel's fields with what it draws beyond them.
   * @param {(event: ChartEvent) => void} [options.onEvent]
   * @param {() => Promise<void>} [options.current] Waits until `draw` has had the fields of now, all of them.
   * @param {"light"|"dark"|"auto"} [options.theme] auto: as the page or the system.
   * @param {string[]} [options.names] Of the panels; all of them if it is not given.
   * @param {(panel: string, fields: object) => string} [options.stem] A download's name without its ending; by the bundle and the mix
   *   if it is not given.
   */
  constructor(root, catalogue, { prepare, onEvent = () => {}, current = async () => {}, theme = "auto", names, stem = stemOfMix } = {}) {
    Object.assign(this, { root, prepare, onEvent, current, stem, chosenTheme: theme, templates: catalogue.templates, themes: catalogue.themes });
    Object.assign(this, { fields: {}, options: {}, lastDraw: -Infinity, moving: false, scheduled: false, patience: PATIENCE });
    this.theme = this.themes[themeName(theme)];
    this.measure = measureIn(this.theme.template.layout.font.family);
    const shown = catalogue.panels.filter(({ name }) => !names || names.includes(name));
    this.panels = new Map(shown.map((spec) => [spec.name, new Panel(this, spec)]));
    root.classList.add("charts");
    root.append(...[...this.panels.values()].map((panel) => panel.node));
    this.rest = debounce(REST, () => this.settle());
    this.watch();
  }

  /** Names of the panels on the screen. */
  get visible() {
    return new Set([...this.panels.values()].filter(({ near }) => near).map(({ spec }) => spec.name));
  }

  /** Names of the views that the panels on the screen are made of. */
  get views() {
    return new Set([...this.panels.values()].filter(({ near }) => near).flatMap(({ spec }) => spec.views));
  }

  /**
   * Draw, at once: call it once a frame.
   * @param {object} fields Views by name, `remix`, `state`, `meta`, `paper`. A plot whose views are not among them stays.
   * @param {Iterable<string>} [names] Of the panels that may have changed; all of them if it is not given.
   */
  draw(fields, names = this.panels.keys()) {
    const now = performance.now();
    this.moving = now - this.lastDraw < DRAG;
    this.lastDraw = now;
    this.fields = { ...fields, options: this.options, selected: this.fields.selected ?? [] };
    for (const name of names) if (this.panels.has(name)) this.panels.get(name).stale = true;
    for (const panel of this.panels.values()) panel.showOptions(this.options, (option) => this.offers(option));
    this.paint();
    this.rest();
  }

  /** Draw stale panels; a plot's first drawing takes longest: one a frame, so that the first plot is there soon. */
  paint() {
    if (!globalThis.Plotly) return;
    let first = true;
    for (const panel of this.panels.values()) {
      if (!panel.near || !panel.ready) continue;
      if (!panel.drawn && !first) {
        this.schedule();
        continue;
      }
      first = first && panel.drawn;
      panel.draw();
    }
  }

  /** Paint in the next animation frame. */
  schedule() {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      this.paint();
    });
  }

  /** The slider rests: one plot a task, so that the next frame need not wait for all of them. */
  async settle() {
    this.moving = false;
    const at = this.lastDraw;
    for (const panel of this.panels.values()) {
      if (this.lastDraw !== at) return; // it moves again, and `draw` will call for rest
      panel.settle();
      await new Promise((resolve) => setTimeout(resolve));
    }
  }

  /** Whether the fields hold all that a panel needs. */
  covers({ views }) {
    const spare = (name) => OPTIONAL.has(name) || (name === MARKS && views.length > 1);
    return Boolean(this.fields.remix) && views.every((name) => spare(name) || (this.fields[name] ?? null) !== null);
  }

  /** Whether an option has anything to show on this bundle. */
  offers(option) {
    const { meta, paper } = this.fields;
    if (option === "confusion_attacked") return Boolean(meta?.n_adv);
    if (option === "robustbench") return Boolean(paper?.robustbench?.some((row) => isOfBundle(row, meta)));
    return true;
  }

  /** Switch an option on or off, on all panels that have it. */
  setOption(name, value) {
    this.options = { ...this.options, [name]: value };
    this.redraw([...this.panels.values()].filter(({ spec }) => spec.options.some((option) => option.name === name)));
    this.emit({ panel: "", kind: "option", detail: { name, value } });
  }

  /**
   * Mark images on the plots that show single ones.
   * @param {Iterable<number>} indices Clean rows.
   */
  select(indices) {
    this.fields = { ...this.fields, selected: [...indices] };
    this.redraw([...this.panels.values()].filter(({ spec }) => spec.selects));
  }

  redraw(panels) {
    this.fields = { ...this.fields, options: this.options };
    for (const panel of panels) {
      panel.stale = true;
      panel.showOptions(this.options, (option) => this.offers(option));
    }
    this.schedule();
    this.rest();
  }

  /** The fields of now with what a panel draws beyond them. */
  prepared(panel) {
    return this.prepare(panel, this.fields);
  }

  /** What a panel was drawn from. */
  fieldsOf(panel) {
    return this.panels.get(panel).fields ?? this.fields;
  }

  emit({ points = [], detail = {}, ...event }) {
    this.onEvent({ ...event, points, detail });
  }

  // --- what happens around the plots
  watch() {
    const panels = [...this.panels.values()];
    const of = (target) => panels.find(({ plot, node }) => plot === target || node === target);
    const sizes = new ResizeObserver((entries) => entries.forEach(({ target }) => of(target).resize()));
    const near = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) of(target).near = isIntersecting;
      this.schedule();
      this.rest(); // one that went out of view in the middle of a drag is not settled yet
      this.emit({ panel: "", kind: "visible" });
    }, { rootMargin: NEAR });
    const seen = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) of(target).onScreen = isIntersecting;
      this.schedule();
    });
    for (const { plot, node } of panels) {
      sizes.observe(plot);
      near.observe(node);
      seen.observe(plot);
    }
    const print = () => {
      this.applyTheme();
      for (const panel of panels) {
        if (panel.ready) panel.drawNow();
        panel.catchUp();
      }
    };
    addEventListener("beforeprint", print);
    const library = () => this.schedule();
    addEventListener("plotly", library); // it may come after the first figures
    const endTheme = watchTheme(() => this.applyTheme());
    this.close = () => {
      sizes.disconnect();
      near.disconnect();
      seen.disconnect();
      removeEventListener("beforeprint", print);
      removeEventListener("plotly", library);
      endTheme();
      for (const { plot } of panels) globalThis.Plotly?.purge(plot);
    };
  }

  applyTheme() {
    const theme = this.themes[themeName(this.chosenTheme)];
    if (theme === this.theme) return;
    this.theme = theme;
    for (const panel of this.panels.values()) panel.forget();
    this.schedule();
  }
}

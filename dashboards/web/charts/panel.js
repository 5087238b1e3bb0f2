// One plot in its place: heading, note, switches, downloads, data table, and the plot itself.

import { h, setText, uniqueId } from "../controls/dom.js";
import { explained } from "../controls/glossary.js";
import { word } from "../controls/words.js";
import { tableOf } from "./data_table.js";
import { fill } from "./fill.js";
import { LiveCanvas } from "./live_canvas.js";
import { movesOf, roomy } from "./moves.js";
import { fitted } from "./narrow.js";
import { saveCsv, savePicture } from "./saving.js";
import { TableView } from "./table_view.js";
import { covering } from "./tools.js";
import { merge, same } from "./values.js";
import { Walker } from "./walker.js";

const CONFIG = { displayModeBar: false, displaylogo: false, responsive: false, doubleClick: "reset", typesetMath: false };
const FINGER = "(pointer: coarse)"; // a drag over a plot scrolls the page there

export class Panel {
  /**
   * @param {import("./chart.js").Charts} charts
   * @param {object} spec Its entry in the catalogue.
   */
  constructor(charts, spec) {
    Object.assign(this, { charts, spec, near: true, onScreen: true, stale: false, settled: true, shown: undefined, described: undefined, figure: undefined, fields: undefined });
    Object.assign(this, { cost: 0, drawnAt: -Infinity });
    const id = uniqueId("plot");
    this.note = h("p", { class: "plot-note", id: `${id}-note` });
    this.alternative = h("p", { class: "unseen", id: `${id}-text` });
    this.warning = h("p", { class: "warning plot-warning", role: "status" });
    this.said = h("p", { class: "unseen", role: "status" });
    this.plot = h("div", { class: "plot", "aria-hidden": "true" });
    this.live = new LiveCanvas(this.plot);
    this.wait = h("div", { class: "plot-wait" }, word("loading"));
    this.walker = new Walker(() => this.figure, {
      hover: (at) => this.hover(at),
      click: (point, more) => this.emit("click", [point], more),
      select: (point, more) => this.emit("select", [point], more),
      say: (text) => setText(this.said, text),
    });
    const described = `${id}-text ${id}-keys`;
    this.stage = h("div", {
      class: "plot-stage", style: { height: `${spec.height}px` }, tabindex: 0, role: "group", "aria-roledescription": word("plot"),
      "aria-labelledby": `${id}-title`, "aria-describedby": described, onkeydown: (event) => this.key(event), onblur: () => this.walker.leave(),
      onpointerover: () => this.catchUp(), onpointerdown: () => this.catchUp(),
    }, this.plot, this.wait);
    this.numbers = new TableView(word("data_of", spec));
    this.table = h("div", { class: "plot-table", id: `${id}-table`, hidden: true, tabindex: 0, role: "region", "aria-label": word("data_of", spec) }, this.numbers.element);
    this.node = h("section", { class: "plot-panel", "aria-labelledby": `${id}-title`, dataset: { panel: spec.name }, style: { "--span": spec.span } },
      h("div", { class: "plot-head" }, h("h2", { id: `${id}-title` }, explained(spec.title)), h("div", { class: "plot-tools" }, this.switches(), this.tableButton(id), this.menu())),
      this.note, this.warning, this.alternative,
      h("p", { class: "unseen", id: `${id}-keys` }, `${word("keys")}${spec.selects ? word("keys_select") : ""}.`),
      this.stage, this.said, this.table);
  }

  // --- what stands around the plot
  switches() {
    this.boxes = this.spec.options.map(({ name, label }) => {
      const box = h("input", { type: "checkbox", onchange: () => this.charts.setOption(name, box.checked) });
      return { name, box, label: h("label", { class: "plot-option", dataset: { option: name } }, box, label) };
    });
    return this.boxes.map(({ label }) => label);
  }

  tableButton(id) {
    const toggle = () => {
      const open = this.table.hidden;
      this.table.hidden = !open;
      this.tableToggle.setAttribute("aria-expanded", String(open));
      this.fillTable();
    };
    this.tableToggle = h("button", { type: "button", class: "plot-button", "aria-expanded": "false", "aria-controls": `${id}-table`, onclick: toggle }, word("table"));
    return this.tableToggle;
  }

  menu() {
    const close = () => (menu.open = false);
    const entry = (label, title, run) => h("button", { type: "button", class: "plot-button", title, onclick: () => (close(), run()) }, label);
    const leave = ({ relatedTarget }) => menu.contains(relatedTarget) || close();
    const escape = ({ key }) => {
      if (key !== "Escape" || !menu.open) return;
      close();
      menu.querySelector("summary").focus();
    };
    const menu = h("details", { class: "plot-menu", onfocusout: leave, onkeydown: escape },
      h("summary", { class: "plot-button", "aria-label": word("save_of", this.spec) }, word("save")),
      h("div", { class: "plot-menu-list" },
        entry("PNG", word("save_png"), () => this.save((panel) => savePicture(panel, "png"))),
        entry("SVG", word("save_svg"), () => this.save((panel) => savePicture(panel, "svg"))),
        entry("CSV", word("save_csv"), () => this.save(saveCsv))));
    return menu;
  }

  /** Show the options in force, and hide those that have nothing to show here. */
  showOptions(options, offered) {
    for (const { name, box, label } of this.boxes) {
      box.checked = Boolean(options[name]);
      label.hidden = !offered(name);
    }
  }

  // --- drawing
  get drawn() {
    return this.plot._fullLayout !== undefined;
  }

  /** Whether it has news, and all that it takes to draw them. */
  get ready() {
    return this.stale && this.plot.clientWidth > 0 && this.charts.covers(this.spec);
  }

  /** Whether it has to wait for its turn: what is not seen, or takes long to draw, may not hold up a moving slider. */
  get waits() {
    return this.charts.moving && (!this.onScreen || performance.now() - this.drawnAt < this.charts.patience * this.cost);
  }

  /** Draw the newest fields, if they hold what it needs and it is to be seen. */
  draw() {
    if (this.ready && !this.waits) this.drawNow();
  }

  drawNow() {
    const { charts, spec, shown } = this;
    const begin = performance.now();
    try {
      const fields = charts.prepared(spec.name);
      const described = fill(charts.templates[spec.name], fields);
      const figure = this.fitted(described);
      const still = shown && same(shown.data, figure.data) && same(shown.wanted, figure.layout);
      if (!still && !(shown && this.move(shown, figure))) this.react(figure, shown);
      setText(this.note, fill(spec.note, fields));
      setText(this.warning, fill(spec.warning, fields).join(" "));
      Object.assign(this, { described, figure, fields, stale: false, drawnAt: performance.now(), cost: performance.now() - begin });
      if (!charts.moving) this.describe(fields);
    } catch (error) {
      this.fail(error);
    }
  }

  /** A figure as it fits into this panel. */
  fitted(figure) {
    const { clientWidth: width, clientHeight: height } = this.plot;
    return fitted(figure, { width, height }, this.charts.measure);
  }

  fail(error) {
    this.stale = false;
    this.shown = undefined;
    this.live.end();
    console.error(`plot ${this.spec.name}:`, error);
    this.wait.textContent = word("not_drawn");
    this.stage.append(this.wait);
    this.charts.emit({ panel: this.spec.name, kind: "error", detail: { message: String(error?.message ?? error) } });
  }

  /** On the canvas, if that is all it takes; the axes stay as they are drawn until the plot is settled. */
  move(shown, figure) {
    try {
      const moves = movesOf({ data: shown.data, layout: shown.layout }, figure);
      if (!moves || !this.live.draw(figure.data, moves)) return false;
    } catch (error) {
      console.warn(`plot ${this.spec.name}: drawn by Plotly.react instead:`, error); // another version of Plotly, perhaps
      return false;
    }
    this.shown = { data: figure.data, layout: shown.layout, wanted: figure.layout };
    this.settled = false;
    this.charts.rest();
    return true;
  }

  react(figure, shown) {
    const { charts, spec, plot } = this;
    const first = !this.drawn;
    const layout = shown && charts.moving ? roomy(shown.layout ?? {}, figure.layout) : figure.layout;
    // Plotly writes into what it is given (zoom, hidden traces)
    const own = { uirevision: `${spec.name} ${charts.fields.meta?.digest}`, ...structuredClone(layout), autosize: true };
    own.template = merge(charts.theme.template, own.template ?? {});
    if (matchMedia(FINGER).matches) own.dragmode = false;
    globalThis.Plotly.react(plot, figure.data.map((trace) => ({ ...trace })), own, CONFIG).catch((error) => this.fail(error));
    this.live.end();
    this.shown = { data: figure.data, layout, wanted: figure.layout };
    this.settled = layout === figure.layout;
    this.wait.remove();
    if (first) this.listen();
  }

  /** After the last frame of a drag: what only `Plotly.react` does, such as axes that fit, and all words. */
  settle() {
    if (!this.drawn) return;
    if (this.near && this.ready) this.drawNow();
    this.catchUp();
    if (this.near && this.charts.covers(this.spec)) this.describe(this.charts.prepared(this.spec.name));
  }

  /** Have Plotly draw what the canvas shows: before a pointer, a key or a printer asks for it. */
  catchUp() {
    if (this.drawn && !this.settled) this.react(this.figure, undefined);
  }

  /** Have everything drawn anew, as on other paper. */
  forget() {
    Object.assign(this, { shown: undefined, stale: true });
  }

  resize() {
    this.catchUp();
    if (this.stale) this.charts.schedule();
    else if (this.drawn && this.plot.clientWidth && this.plot._fullLayout.width !== this.plot.clientWidth) this.refit();
  }

  /** Into another width: titles may take other lines there. */
  refit() {
    const figure = this.fitted(this.described);
    const still = same(figure, this.figure);
    this.figure = figure;
    if (!still) this.react(figure, undefined);
    globalThis.Plotly.Plots.resize(this.plot);
  }

  // --- words and numbers
  describe(fields) {
    setText(this.alternative, fill(this.spec.alternative, fields));
    this.fillTable();
  }

  fillTable() {
    if (this.table.hidden || !this.figure) return;
    this.numbers.show(tableOf(this.spec, this.figure, this.fields));
  }

  /** Save the plot of the settings of now, whatever is drawn: it may be waiting for its turn. */
  async save(write) {
    await this.charts.current();
    if (this.ready) this.drawNow();
    this.catchUp();
    if (this.drawn && this.figure) await write(this);
  }

  // --- what the visitor does
  emit(kind, points = [], detail = {}) {
    this.charts.emit({ panel: this.spec.name, kind, points, detail });
  }

  listen() {
    const point = ({ curveNumber, fullData, pointNumber, pointIndex, x, y, z, customdata }) => ({
      curve: curveNumber, trace: fullData?.name, meta: fullData?.meta, point: pointNumber ?? pointIndex, x, y, z, customdata: customdata ?? null,
    });
    this.plot.on("plotly_click", (event) => {
      if (event.event?.detail > 1) return; // the second one of a double click, which finds other points there
      this.emit("click", covering(this.plot, event).map(point), { add: Boolean(event.event?.shiftKey) });
    });
    // Plotly also reports a selection without points where a box begins and where one is taken away
    this.plot.on("plotly_selected", (event) => event?.points.length && this.select(event.points.map(point), event.range));
    this.plot.on("plotly_deselect", () => this.select([]));
  }

  /** Points in a box that was drawn; the box goes, for what is selected has traces of its own. */
  select(points, range = null) {
    globalThis.Plotly.update(this.plot, { selectedpoints: [null] }, { selections: [] });
    this.emit("select", points, { range: range && Object.fromEntries(Object.entries(range).map(([axis, ends]) => [axis[0], ends])) });
  }

  key(event) {
    if (event.target !== this.stage || event.ctrlKey || event.metaKey || event.altKey) return;
    this.catchUp();
    if (this.walker.key(event.key, { add: event.shiftKey })) event.preventDefault();
  }

  hover(at) {
    if (!this.drawn) return;
    const { Fx } = globalThis.Plotly;
    if (!at) return Fx.unhover(this.plot);
    const { xaxis, yaxis } = this.plot._fullData[at.curve];
    Fx.hover(this.plot, [{ curveNumber: at.curve, pointNumber: at.point }], `${xaxis}${yaxis}`);
  }
}

// One plot in its place: heading, note, switches, downloads, data table, and the plot itself.

import { h, setText, uniqueId } from "../controls/dom.js";
import { csvOf, dataTable, settingsOf, tableElement } from "./data_table.js";
import { fill } from "./fill.js";
import { prepared } from "./prepare.js";
import { drawSwiftly, roomy } from "./redraw.js";
import { save, topmost } from "./tools.js";
import { merge, same } from "./values.js";
import { Walker } from "./walker.js";

const CONFIG = { displayModeBar: false, displaylogo: false, responsive: false, doubleClick: "reset" };
const HEAD = 56; // pixels that a picture's title and note take

export class Panel {
  /**
   * @param {import("./chart.js").Charts} charts
   * @param {object} spec Its entry in the catalogue.
   */
  constructor(charts, spec) {
    Object.assign(this, { charts, spec, near: true, stale: false, settled: true, shown: undefined, figure: undefined });
    Object.assign(this, { cost: 0, drawnAt: -Infinity });
    const id = uniqueId("plot");
    this.note = h("p", { class: "plot-note", id: `${id}-note` });
    this.alternative = h("p", { class: "unseen", id: `${id}-text` });
    this.said = h("p", { class: "unseen", role: "status" });
    this.plot = h("div", { class: "plot", "aria-hidden": "true" });
    this.wait = h("div", { class: "plot-wait" }, "Loading plot…");
    this.walker = new Walker(() => this.figure, { hover: (at) => this.hover(at), click: (point) => this.emit("click", [point]), say: (text) => setText(this.said, text) });
    const described = `${id}-text ${id}-keys`;
    this.stage = h("div", {
      class: "plot-stage", style: { height: `${spec.height}px` }, tabindex: 0, role: "group", "aria-roledescription": "plot",
      "aria-labelledby": `${id}-title`, "aria-describedby": described, onkeydown: (event) => this.key(event), onblur: () => this.walker.leave(),
    }, this.plot, this.wait);
    this.table = h("div", { class: "plot-table", id: `${id}-table`, hidden: true, tabindex: 0, role: "region", "aria-label": `Data of: ${spec.title}` });
    this.node = h("section", { class: "plot-panel", "aria-labelledby": `${id}-title`, dataset: { panel: spec.name }, style: { "--span": spec.span } },
      h("div", { class: "plot-head" }, h("h2", { id: `${id}-title` }, spec.title), h("div", { class: "plot-tools" }, this.switches(), this.tableButton(id), this.menu())),
      this.note, this.alternative, h("p", { class: "unseen", id: `${id}-keys` }, "Arrow keys go from point to point, Enter chooses one."),
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
    this.tableToggle = h("button", { type: "button", class: "plot-button", "aria-expanded": "false", "aria-controls": `${id}-table`, onclick: toggle }, "Table");
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
      h("summary", { class: "plot-button", "aria-label": `Save: ${this.spec.title}` }, "Save"),
      h("div", { class: "plot-menu-list" },
        entry("PNG", "The plot as a picture of pixels", () => this.image("png")),
        entry("SVG", "The plot as a drawing", () => this.image("svg")),
        entry("CSV", "The numbers, with all it takes to plot them again", () => this.csv())));
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

  /** Whether it has to wait for its turn: what takes long to draw may not hold up a moving slider. */
  get waits() {
    return this.charts.moving && performance.now() - this.drawnAt < this.charts.patience * this.cost;
  }

  /** Draw the newest fields, if they hold what it needs and it is to be seen. */
  draw() {
    const { charts, spec, shown } = this;
    if (!this.ready || this.waits) return;
    const begin = performance.now();
    try {
      const fields = prepared(spec.name, charts.fields);
      const figure = fill(charts.templates[spec.name], fields);
      setText(this.note, fill(spec.note, fields));
      const still = shown && same(shown.data, figure.data) && same(shown.wanted, figure.layout);
      if (!still && !(shown && this.swift(shown, figure))) this.react(figure, shown);
      Object.assign(this, { figure, stale: false, drawnAt: performance.now(), cost: performance.now() - begin });
      if (!charts.moving) this.describe(fields);
    } catch (error) {
      this.fail(error);
    }
  }

  fail(error) {
    this.stale = false;
    this.shown = undefined;
    console.error(`plot ${this.spec.name}:`, error);
    this.wait.textContent = "This plot could not be drawn.";
    this.stage.append(this.wait);
    this.charts.emit({ panel: this.spec.name, kind: "error", detail: { message: String(error?.message ?? error) } });
  }

  /** In place, if that is all it takes; the axes stay as they are drawn until the plot is settled. */
  swift(shown, figure) {
    if (this.charts.alwaysReact) return false; // for tests that compare
    try {
      if (!drawSwiftly(this.plot, { data: shown.data, layout: shown.layout }, figure)) return false;
    } catch (error) {
      console.warn(`plot ${this.spec.name}: drawn by Plotly.react instead:`, error); // another version of Plotly, perhaps
      return false;
    }
    this.shown = { data: figure.data, layout: shown.layout, wanted: figure.layout };
    this.settled = false;
    return true;
  }

  react(figure, shown) {
    const { charts, spec, plot } = this;
    const first = !this.drawn;
    const layout = shown && charts.moving ? roomy(shown.layout ?? {}, figure.layout) : figure.layout;
    // Plotly writes into what it is given (zoom, hidden traces)
    const own = { uirevision: `${spec.name} ${charts.fields.meta?.digest}`, ...structuredClone(layout), autosize: true };
    own.template = merge(charts.theme.template, own.template ?? {});
    globalThis.Plotly.react(plot, figure.data.map((trace) => ({ ...trace })), own, CONFIG).catch((error) => this.fail(error));
    this.shown = { data: figure.data, layout, wanted: figure.layout };
    this.settled = layout === figure.layout;
    this.wait.remove();
    if (first) this.listen();
  }

  /** After the last frame of a drag: what only `Plotly.react` does, such as axes that fit, and all words. */
  settle() {
    if (!this.near || !this.drawn) return;
    if (this.stale) return this.draw();
    if (!this.settled) this.react(this.figure, undefined);
    if (this.charts.covers(this.spec)) this.describe(prepared(this.spec.name, this.charts.fields));
  }

  /** Have everything drawn anew, as on other paper. */
  forget() {
    Object.assign(this, { shown: undefined, stale: true });
  }

  resize() {
    if (this.stale) this.charts.schedule();
    else if (this.drawn && this.plot.clientWidth && this.plot._fullLayout.width !== this.plot.clientWidth) globalThis.Plotly.Plots.resize(this.plot);
  }

  // --- words and numbers
  describe(fields) {
    setText(this.alternative, fill(this.spec.alternative, fields));
    this.fillTable();
  }

  fillTable() {
    if (this.table.hidden || !this.figure) return;
    this.table.replaceChildren(tableElement(dataTable(this.figure, this.spec.columns), this.note.textContent));
  }

  csv() {
    if (!this.figure) return;
    const text = csvOf(dataTable(this.figure, this.spec.columns), settingsOf(this.charts.fields));
    save(new Blob([text], { type: "text/csv" }), `${this.charts.stem(this.spec.name)}.csv`);
  }

  async image(format) {
    if (!this.drawn) return;
    const { spec, plot, charts } = this;
    // A picture travels alone: it takes its title and its note (n, units) along, above what the plot needs itself.
    const place = { x: 0, xanchor: "left", xref: "container", y: 1, yanchor: "top", yref: "container", pad: { t: 14, l: 14 } };
    const title = { text: spec.title, ...place, font: { size: 16 }, subtitle: { text: this.note.textContent, font: { size: 12 } } };
    const margin = { ...plot.layout.margin, t: plot._fullLayout._size.t + HEAD };
    const layout = { title, ...plot.layout, margin, paper_bgcolor: charts.theme.ground };
    const size = { width: plot.clientWidth, height: plot.clientHeight + HEAD, scale: format === "png" ? 2 : 1 };
    save(await globalThis.Plotly.toImage({ data: plot.data, layout, config: CONFIG }, { format, ...size }), `${charts.stem(spec.name)}.${format}`);
  }

  // --- what the visitor does
  emit(kind, points = [], detail = {}) {
    this.charts.emit({ panel: this.spec.name, kind, points, detail });
  }

  listen() {
    const point = (p) => ({ curve: p.curveNumber, trace: p.fullData?.name, point: p.pointNumber ?? p.pointIndex, x: p.x, y: p.y, customdata: p.customdata ?? null });
    this.plot.on("plotly_click", (event) => this.emit("click", topmost(this.plot, event).map(point)));
    // Plotly also reports a selection without points where a box begins and where one is taken away
    this.plot.on("plotly_selected", (event) => event?.points.length && this.select(event.points.map(point)));
    this.plot.on("plotly_deselect", () => this.select([]));
  }

  /** Points in a box that was drawn; the box goes, for the selection is shown by its own trace. */
  select(points) {
    globalThis.Plotly.update(this.plot, { selectedpoints: [null] }, { selections: [] });
    const rows = this.spec.selects ? [...new Set(points.map(({ customdata }) => customdata).filter(Number.isInteger))] : [];
    if (this.spec.selects) this.charts.select(rows);
    this.emit("select", points, { rows });
  }

  key(event) {
    if (event.target !== this.stage || event.ctrlKey || event.metaKey || event.altKey) return;
    if (this.walker.key(event.key)) event.preventDefault();
  }

  hover(at) {
    if (!this.drawn) return;
    const { Fx } = globalThis.Plotly;
    if (!at) return Fx.unhover(this.plot);
    const { xaxis, yaxis } = this.plot._fullData[at.curve];
    Fx.hover(this.plot, [{ curveNumber: at.curve, pointNumber: at.point }], `${xaxis}${yaxis}`);
  }
}

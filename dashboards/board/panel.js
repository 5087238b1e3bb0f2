const CONFIG = { displayModeBar: false, displaylogo: false, responsive: false, doubleClick: "reset" };

// --- one panel on the page ------------------------------------------------------------------------------------
class Panel {
  constructor(board, spec) {
    this.board = board;
    this.spec = spec;
    this.stale = false; // has news that it could not or need not draw yet
    this.near = true;
    this.settled = true; // as `Plotly.react` draws it, nothing is left to do
    this.shown = undefined; // the figure as it is drawn
    const id = `mnuts-${spec.name}-${Math.random().toString(36).slice(2)}`; // the page may show a board twice
    this.note = element("p", { class: "mnuts-note", id: `${id}-note` }, board.notes.get(spec.name) ?? spec.note);
    this.plot = element("div", { class: "mnuts-plot", role: "img", "aria-label": spec.title, "aria-describedby": `${id}-note` });
    this.table = element("div", { class: "mnuts-data", id: `${id}-data`, hidden: "", tabindex: 0, role: "region", "aria-label": `Data of: ${spec.title}` });
    this.refill = debounce(REST, () => this.fillTable());
    this.wait = element("div", { class: "mnuts-wait", role: "status" }, "Loading plot…");
    const button = (label, title, onclick) =>
      element("button", { type: "button", class: "mnuts-save", "aria-label": `${title}: ${spec.title}`, title, onclick }, label);
    this.toggle = element("button", { type: "button", class: "mnuts-save", "aria-label": `Table: ${spec.title}`, title: "The data as a table",
      "aria-expanded": "false", "aria-controls": `${id}-data`, onclick: () => this.turnTable() }, "Table");
    const tools = element("div", { class: "mnuts-tools" }, this.toggle,
      button("PNG", "Save as PNG", () => this.image("png")),
      button("SVG", "Save as SVG", () => this.image("svg")),
      button("CSV", "Save the data as CSV", () => this.csv()));
    const head = element("header", { class: "mnuts-head" }, element(`h${spec.level}`, {}, spec.title), tools, this.note);
    const body = element("div", { class: "mnuts-body", style: `height:${spec.height}px` }, this.plot, this.wait);
    const label = spec.note ? `${spec.title}. ${spec.note}` : spec.title;
    this.node = element("section", { class: "mnuts-panel", "aria-label": label, "data-panel": spec.name }, head, body, this.table);
    this.node.style.setProperty("--span", spec.span);
  }

  get drawn() {
    return this.plot._fullLayout !== undefined;
  }

  async draw() {
    const { board, spec, plot, shown } = this;
    if (!this.stale || !board.Plotly || !plot.clientWidth) return; // hidden: a resize will bring it back
    const figure = board.figures.get(spec.name);
    this.stale = false;
    this.shown = undefined; // unknown, if drawing fails on the way
    this.refill();
    try {
      if (shown && this.swift(shown, figure)) return;
      const layout = shown && board.moving ? roomy(shown.layout ?? {}, figure.layout ?? {}) : figure.layout;
      await this.react({ ...figure, layout });
      this.settled = layout === figure.layout;
      this.wait.remove();
    } catch (error) {
      this.wait.textContent = "This plot could not be drawn.";
      this.wait.parentNode ?? this.plot.after(this.wait);
      board.model.send({ type: "error", panel: spec.name, message: String(error?.message ?? error) });
    }
  }

  // In place, if that is all it takes; the axes stay as they are drawn until the plot is settled.
  swift(shown, figure) {
    if (window.__mnutsBoard?.plain) return false; // for tests that compare
    try {
      if (!drawSwiftly(this.plot, shown, figure)) return false;
    } catch (error) {
      console.warn("mnuts board: drawn by Plotly.react instead:", error); // another version of Plotly, perhaps
      return false;
    }
    this.shown = { ...figure, layout: shown.layout };
    this.settled = false;
    return true;
  }

  async react(figure) {
    const { board, spec, plot } = this;
    const first = !this.drawn;
    const { data, layout = {} } = figure;
    // Plotly writes into what it is given (zoom, hidden traces); the board's own copy stays as sent.
    const own = { uirevision: spec.name, ...structuredClone(layout), autosize: true };
    own.template = merge(board.theme.template, isPlain(own.template) ? own.template : {});
    await board.Plotly.react(plot, data.map((trace) => ({ ...trace })), own, CONFIG);
    this.shown = figure;
    board.clock.reacted = (board.clock.reacted ?? 0) + 1;
    if (first) this.listen();
  }

  // After the last swift frame: what only `Plotly.react` does, such as axes that fit.
  async settle() {
    if (this.settled || this.stale || !this.drawn || !this.near) return;
    this.stale = true;
    this.shown = undefined;
    await this.draw();
  }

  resize() {
    if (this.stale) this.board.schedule();
    else if (this.drawn && this.plot.clientWidth && this.plot._fullLayout.width !== this.plot.clientWidth) {
      this.board.Plotly.Plots.resize(this.plot);
    }
  }

  listen() {
    const send = (kind) => (event) => this.board.event(this.spec.name, kind, event?.points);
    for (const kind of ["hover", "unhover"]) this.plot.on(`plotly_${kind}`, send(kind));
    this.plot.on("plotly_click", (event) => send("click")({ points: topmost(this.plot, event) }));
    this.plot.on("plotly_selected", send("select"));
    this.plot.on("plotly_deselect", send("select"));
    this.plot.on("plotly_relayout", (changes) => {
      const { autosize, width, height, ...detail } = changes ?? {};
      if (Object.keys(detail).length) this.board.event(this.spec.name, "relayout", [], detail);
    });
  }

  async image(format) {
    if (!this.drawn) return;
    const { spec, plot, board } = this;
    // A picture travels alone: it takes its title and its note (n, units) along, above what the plot needs itself.
    const head = 56;
    const place = { x: 0, xanchor: "left", xref: "container", y: 1, yanchor: "top", yref: "container", pad: { t: 14, l: 14 } };
    const heading = { text: spec.title, ...place, font: { size: 16 }, subtitle: { text: this.note.textContent, font: { size: 12 } } };
    const margin = { ...plot.layout.margin, t: plot._fullLayout._size.t + head };
    const layout = { title: heading, ...plot.layout, margin, paper_bgcolor: board.theme.ground };
    const size = { width: plot.clientWidth, height: plot.clientHeight + head, scale: format === "png" ? 2 : 1 };
    const url = await board.Plotly.toImage({ data: plot.data, layout, config: CONFIG }, { format, ...size });
    save(url, `${spec.name}.${format}`);
  }

  csv() {
    save(new Blob([csvOf(this.traces)], { type: "text/csv" }), `${this.spec.name}.csv`);
  }

  get traces() {
    return this.board.figures.get(this.spec.name)?.data ?? [];
  }

  turnTable() {
    this.table.hidden = !this.table.hidden;
    this.toggle.setAttribute("aria-expanded", String(!this.table.hidden));
    this.fillTable();
  }

  fillTable() {
    if (!this.table.hidden) this.table.replaceChildren(tableOf(this.traces));
  }
}

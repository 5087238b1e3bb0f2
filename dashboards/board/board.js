// One widget that draws every Plotly plot of a page: one message, one animation frame, one acknowledgement.
//
// kernel -> page   {type: "frame", id, after, made, figures, notes} + [arrays]   page -> kernel   {type: "ready"}
//                  {type: "library"} + [Plotly]                                                   {type: "library"}
//                  {type: "download", filename, mime} + [text]                                    {type: "ack", id}
//                                                            {type: "event", panel, kind, points, detail}
//                                                            {type: "error", panel, message}

const MAX_POINTS = 5000; // of a selection
const REST = 150; // milliseconds without a frame, after which the plots are settled, and their data tables follow
const DRAG = 500; // milliseconds between two frames of the same drag, at most
const NEAR = "200px"; // plots this close to the screen count as visible

// --- the board: one model, any number of views ----------------------------------------------------------------
class Board {
  constructor(model) {
    Object.assign(this, { model, figures: new Map(), notes: new Map(), views: new Set(), changed: new Set() });
    Object.assign(this, { clock: {}, frame: 0, acked: 0, scheduled: false, theme: { template: {} } });
    model.on("msg:custom", (message, buffers) => this.receive(message, buffers));
    this.retheme = debounce(60, () => this.applyTheme());
    this.syncVisible = debounce(60, () => this.sendVisible());
    this.rest = debounce(REST, () => this.settle());
    this.watchTheme();
    library(model).then(
      (Plotly) => {
        this.Plotly = Plotly;
        model.send({ type: "ready" });
      },
      (error) => {
        console.error("mnuts board:", error);
        for (const panel of this.panels()) panel.wait.textContent = "Plotly could not be loaded. Reload the page to try again.";
      },
    );
  }

  *panels() {
    for (const view of this.views) yield* view.panels;
  }

  receive(message, buffers) {
    if (message?.type === "download") save(new Blob([buffers[0]], { type: message.mime }), message.filename);
    if (message?.type !== "frame") return;
    if (message.after && message.after !== this.frame) {
      // One is missing, with arrays that this one builds on: have them all, once anything can be drawn.
      if (this.Plotly) this.model.send({ type: "ready" });
      return;
    }
    const received = performance.now();
    this.moving = received - this.clock.received < DRAG;
    this.clock = { received, made: message.made };
    const bytes = bytesOf(buffers[0]);
    for (const [name, packed] of Object.entries(message.figures)) {
      const before = this.figures.get(name);
      const figure = revive(packed, bytes, before);
      if (same(figure, before)) continue; // a slider often leaves some plots as they were
      this.figures.set(name, figure);
      this.changed.add(name);
    }
    for (const [name, note] of Object.entries(message.notes)) {
      this.notes.set(name, note);
      for (const panel of this.panels()) if (panel.spec.name === name) panel.note.textContent = note;
    }
    this.frame = message.id;
    this.schedule();
  }

  schedule() {
    if (this.scheduled) return;
    this.scheduled = true;
    nextFrame(() => {
      this.scheduled = false;
      this.paint();
    });
  }

  async paint() {
    if (!this.theme.key) this.applyTheme(); // before the first plot: none is to be drawn twice
    const { frame, clock } = this;
    clock.started = performance.now();
    const news = this.changed;
    this.changed = new Set();
    this.rest();
    for (const panel of this.panels()) if (news.has(panel.spec.name)) panel.stale = true;
    const due = [...this.panels()].filter((panel) => panel.near && panel.stale);
    // A plot's first drawing takes longest: one a paint, so that the first plot is there soon.
    const later = this.Plotly ? due.filter((panel) => !panel.drawn && panel.plot.clientWidth).slice(1) : [];
    const drawing = Promise.all(due.filter((panel) => !later.includes(panel)).map((panel) => panel.draw()));
    await Promise.race([drawing, new Promise((resolve) => setTimeout(resolve, 1000))]);
    clock.drawn = performance.now();
    afterPaint(() => {
      if (later.length) this.schedule();
      if (frame === this.acked) return;
      this.acked = frame;
      const stats = (window.__mnutsBoard ??= { frames: 0 });
      Object.assign(stats, { frames: stats.frames + 1, last: { ...clock, frame, shown: performance.now() } });
      this.model.send({ type: "ack", id: frame });
    });
  }

  // The slider rests: one plot a task, so that the next frame need not wait for all of them.
  async settle() {
    this.moving = false;
    for (const panel of this.panels()) {
      if (this.scheduled || this.frame !== this.acked) return; // it moves again, and `paint` will call for rest
      await panel.settle();
      await new Promise((resolve) => setTimeout(resolve));
    }
  }

  event(panel, kind, points = [], detail = {}) {
    if (!this.model.get("wanted").includes(kind)) return;
    const point = (p) => ({ curve: p.curveNumber, trace: p.fullData?.name, point: plain(p.pointNumber ?? p.pointIndex ?? p.binNumber), x: plain(p.x), y: plain(p.y), customdata: plain(p.customdata) });
    this.model.send({ type: "event", panel, kind, points: points.slice(0, MAX_POINTS).map(point), detail });
  }

  sendVisible() {
    if (!this.views.size) return;
    const near = new Set([...this.panels()].filter((panel) => panel.near).map((panel) => panel.spec.name));
    const names = this.model.get("panels").map((spec) => spec.name).filter((name) => near.has(name));
    if (names.join("\n") === this.model.get("visible").join("\n")) return;
    this.model.set("visible", names);
    this.model.save_changes();
  }

  watchTheme() {
    this.themeWatch = new MutationObserver(this.retheme);
    const attributeFilter = ["class", "data-jp-theme-name", "data-jp-theme-light", "data-theme"];
    for (const node of [document.documentElement, document.body]) this.themeWatch.observe(node, { attributes: true, attributeFilter });
    document.head.addEventListener("load", this.retheme, true); // a theme's style sheet comes after its name
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", this.retheme);
  }

  applyTheme() {
    const [view] = this.views;
    if (!view?.el.isConnected) return;
    const theme = themeOf(view.el);
    if (theme.key === this.theme.key) return;
    this.theme = theme;
    if (this.model.get("dark") !== theme.dark) {
      this.model.set("dark", theme.dark);
      this.model.save_changes();
    }
    for (const panel of this.panels()) panel.shown = undefined; // nothing of what is drawn may stay
    for (const name of this.figures.keys()) this.changed.add(name);
    this.schedule();
  }

  show(el) {
    const panels = this.model.get("panels").map((spec) => new Panel(this, spec));
    const view = { el, panels };
    el.classList.add("mnuts-board");
    el.append(...panels.map((panel) => panel.node));
    const of = (target) => panels.find((panel) => panel.plot === target || panel.node === target);
    const sizes = new ResizeObserver((entries) => resized(entries.map((entry) => of(entry.target))));
    const resized = (hit) => ((view.hit = new Set([...(view.hit ?? []), ...hit])), flush());
    const flush = debounce(40, () => {
      this.applyTheme();
      for (const panel of view.hit) panel.resize();
      view.hit.clear();
    });
    const near = new IntersectionObserver((entries) => {
      for (const entry of entries) of(entry.target).near = entry.isIntersecting;
      if (panels.some((panel) => panel.near && panel.stale)) this.schedule();
      this.syncVisible();
    }, { rootMargin: NEAR });
    const drawAll = () => panels.forEach((panel) => panel.draw());
    for (const panel of panels) sizes.observe(panel.plot), near.observe(panel.node);
    addEventListener("beforeprint", drawAll);
    this.views.add(view);
    for (const name of this.figures.keys()) this.changed.add(name);
    this.schedule();
    return () => {
      sizes.disconnect();
      near.disconnect();
      removeEventListener("beforeprint", drawAll);
      this.views.delete(view);
      for (const panel of panels) this.Plotly?.purge(panel.plot);
    };
  }

  dispose() {
    this.themeWatch.disconnect();
    document.head.removeEventListener("load", this.retheme, true);
    matchMedia("(prefers-color-scheme: dark)").removeEventListener("change", this.retheme);
  }
}

export default () => {
  let board;
  return {
    initialize({ model }) {
      board = new Board(model);
      return () => board.dispose();
    },
    render: ({ el }) => board.show(el),
  };
};

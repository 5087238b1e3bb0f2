// One widget that draws every Plotly plot of a page: one message, one animation frame, one acknowledgement.
//
// kernel -> page   {type: "frame", id, figures, notes} + [all arrays]      page -> kernel   {type: "ready"}
//                  {type: "library"} + [plotly.min.js]                                      {type: "library"}
//                  {type: "download", filename, mime} + [text]                              {type: "ack", id}
//                                                            {type: "event", panel, kind, points, detail}
//                                                            {type: "error", panel, message}

const CONFIG = { displayModeBar: false, displaylogo: false, responsive: false, doubleClick: "reset" };
const MAX_POINTS = 5000; // of a selection
const NEAR = "200px"; // plots this close to the screen count as visible
const TYPES = { f4: Float32Array, f8: Float64Array, i4: Int32Array, u1: Uint8Array };
// Okabe and Ito's colours, told apart with any colour vision; black and yellow give way to what both themes can show.
const COLORWAY = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#8c8c8c"];
const COLORWAY_DARK = ["#4aa3df", "#f08a4b", "#2fc79a", "#e2a3c7", "#8fd0f5", "#f2b632", "#a9a9a9"];

// --- small tools ----------------------------------------------------------------------------------------------
const isList = (x) => Array.isArray(x) || ArrayBuffer.isView(x);
const isPlain = (x) => x !== null && typeof x === "object" && !isList(x);

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value);
  }
  node.append(...children); // strings become text nodes: nothing from the kernel is ever parsed as HTML
  return node;
}

function merge(base, extra) {
  if (!isPlain(base) || !isPlain(extra)) return extra === undefined ? base : extra;
  const out = { ...base };
  for (const key of Object.keys(extra)) out[key] = merge(base[key], extra[key]);
  return out;
}

function debounce(wait, run) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(run, wait);
  };
}

// A background tab gets no animation frames, yet must not stall the kernel.
function nextFrame(run) {
  let done = false;
  const once = () => !done && ((done = true), run());
  requestAnimationFrame(once);
  setTimeout(once, document.hidden ? 0 : 500);
}

function afterPaint(run) {
  const { port1, port2 } = new MessageChannel(); // the first task after this frame was painted
  port1.onmessage = run;
  port2.postMessage(null);
}

function save(href, filename) {
  const url = href instanceof Blob ? URL.createObjectURL(href) : href;
  const link = element("a", { href: url, download: filename.replace(/[^\w.() +-]+/g, "_") });
  document.body.append(link);
  link.click();
  link.remove();
  if (href instanceof Blob) setTimeout(() => URL.revokeObjectURL(url), 10000);
}

// --- arrays ---------------------------------------------------------------------------------------------------
function bytesOf(buffer) {
  const view = ArrayBuffer.isView(buffer) ? buffer : new DataView(buffer);
  const aligned = view.byteOffset % 8 === 0;
  return aligned
    ? { memory: view.buffer, start: view.byteOffset }
    : { memory: view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength), start: 0 };
}

function typedArray([code, offset, shape], bytes) {
  const total = shape.reduce((a, b) => a * b, 1);
  const flat = new TYPES[code](bytes.memory, bytes.start + offset, total);
  const nest = (array, dims) => {
    if (dims.length < 2) return array;
    const step = dims[0] ? array.length / dims[0] : 0;
    return Array.from({ length: dims[0] }, (_, i) => nest(array.subarray(i * step, (i + 1) * step), dims.slice(1)));
  };
  return nest(flat, shape);
}

function revive(node, bytes) {
  if (Array.isArray(node)) return node.map((child) => revive(child, bytes));
  if (!isPlain(node)) return node;
  if (node.$nd) return typedArray(node.$nd, bytes);
  return Object.fromEntries(Object.entries(node).map(([key, child]) => [key, revive(child, bytes)]));
}

function same(a, b) {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
  if (a.constructor !== b.constructor) return false;
  const keys = isList(a) ? null : Object.keys(a);
  if (keys) return keys.length === Object.keys(b).length && keys.every((key) => same(a[key], b[key]));
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!same(a[i], b[i])) return false;
  return true;
}

function plain(value) {
  if (isList(value)) return Array.from(value, plain);
  if (isPlain(value)) return undefined;
  return value ?? null;
}

function csvOf(traces) {
  const columns = ["x", "y", "z", "a", "b", "c", "text"].filter((key) => traces.some((trace) => isList(trace[key])));
  const cell = (value) => (/[",\n\r]/.test(`${value ?? ""}`) ? `"${`${value}`.replaceAll('"', '""')}"` : `${value ?? ""}`);
  const rows = [["trace", ...columns].join(",")];
  traces.forEach((trace, index) => {
    const name = trace.meta || trace.name || `trace ${index + 1}`;
    const table = isList(trace.z?.[0]);
    const row = (i, j) => columns.map((key) => cell(table ? { x: trace.x?.[j] ?? j, y: trace.y?.[i] ?? i, z: trace.z[i][j] }[key] : trace[key]?.[i]));
    const length = table ? trace.z.length : Math.max(0, ...columns.map((key) => (isList(trace[key]) ? trace[key].length : 0)));
    for (let i = 0; i < length; i++) {
      for (let j = 0; j < (table ? trace.z[i].length : 1); j++) rows.push([cell(name), ...row(i, j)].join(","));
    }
  });
  return rows.join("\n") + "\n";
}

// --- the library, once per page -------------------------------------------------------------------------------
function script(url) {
  return new Promise((resolve, reject) => {
    const node = element("script", { src: url });
    node.onload = () => (window.Plotly ? resolve(window.Plotly) : reject(new Error("no Plotly in it")));
    node.onerror = () => reject(new Error(`${url} did not load`));
    document.head.append(node);
  });
}

function fromKernel(model) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the kernel did not send Plotly")), 60000);
    const listen = (message, buffers) => {
      if (message?.type !== "library") return;
      clearTimeout(timer);
      model.off("msg:custom", listen);
      const url = URL.createObjectURL(new Blob([buffers[0]], { type: "text/javascript" }));
      script(url).then(resolve, reject).finally(() => URL.revokeObjectURL(url));
    };
    model.on("msg:custom", listen);
    model.send({ type: "library" });
  });
}

async function library(model) {
  if (window.Plotly?.react) return window.Plotly;
  // A page of our server has begun to load it already; in JupyterLab the kernel hands it over.
  const url = document.querySelector('meta[name="mnuts-plotly"]')?.content;
  const begun = window.__mnutsPlotly ?? (url ? script(url) : Promise.reject());
  window.__mnutsLibrary ??= begun.catch(() => fromKernel(model));
  return window.__mnutsLibrary.catch((error) => {
    delete window.__mnutsLibrary; // the next board tries again
    throw error;
  });
}

// --- colours --------------------------------------------------------------------------------------------------
// Plotly knows fewer ways to write a colour than CSS does: a canvas translates.
const pixel = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });

function rgba(color, alpha = 1) {
  pixel.clearRect(0, 0, 1, 1);
  pixel.fillStyle = color;
  pixel.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = pixel.getImageData(0, 0, 1, 1).data;
  return `rgba(${r},${g},${b},${((a / 255) * alpha).toFixed(3)})`;
}

function themeOf(node) {
  const css = getComputedStyle(node);
  const [r, g, b] = (css.color.match(/[\d.]+/g) ?? [0, 0, 0]).map(Number);
  const dark = 0.299 * r + 0.587 * g + 0.114 * b > 140; // light letters, so a dark page
  const paint = (name, alpha) => rgba(css.getPropertyValue(`--mnuts-${name}`).trim(), alpha);
  const [text, muted, line, ground] = ["text", "muted", "line", "ground"].map((name) => paint(name));
  const grid = paint("grid", 0.6);
  const key = [dark, text, muted, grid, line, ground].join();
  return { key, dark, ground, template: templateOf({ dark, text, muted, grid, line, ground, font: css.fontFamily }) };
}

function templateOf({ dark, text, muted, grid, line, ground, font }) {
  const axis = {
    gridcolor: grid, linecolor: line, zerolinecolor: line, tickcolor: line, automargin: true, showline: true,
    zeroline: false, ticks: "outside", ticklen: 4, tickfont: { size: 11, color: muted }, title: { standoff: 8, font: { size: 12 } },
  };
  const clear = "rgba(0,0,0,0)";
  const legend = { bgcolor: clear, font: { size: 11 }, orientation: "h", x: 0, y: 1.02, yanchor: "bottom" };
  const colorbar = { outlinewidth: 0, thickness: 12, tickfont: { size: 11, color: muted }, title: { font: { size: 12 } } };
  return {
    data: { heatmap: [{ colorbar, colorscale: "Cividis" }], contour: [{ colorbar, colorscale: "Cividis" }] },
    layout: {
      font: { family: font, size: 12, color: text }, paper_bgcolor: clear, plot_bgcolor: clear,
      colorway: dark ? COLORWAY_DARK : COLORWAY, margin: { l: 52, r: 14, t: 16, b: 44 }, legend,
      xaxis: axis, yaxis: axis, hoverlabel: { bgcolor: ground, bordercolor: line, font: { color: text, size: 12 } },
      ternary: { bgcolor: clear, aaxis: axis, baxis: axis, caxis: axis }, hovermode: "closest",
      modebar: { bgcolor: clear }, coloraxis: { colorbar }, colorscale: { sequential: "Cividis", sequentialminus: "Cividis", diverging: "RdBu" },
    },
  };
}

// --- one panel on the page ------------------------------------------------------------------------------------
class Panel {
  constructor(board, spec) {
    this.board = board;
    this.spec = spec;
    this.stale = false; // has news that it could not or need not draw yet
    this.near = true;
    this.note = element("p", { class: "mnuts-note" }, board.notes.get(spec.name) ?? spec.note);
    this.plot = element("div", { class: "mnuts-plot" });
    this.wait = element("div", { class: "mnuts-wait", role: "status" }, "Loading plot…");
    const button = (label, title, onclick) =>
      element("button", { type: "button", class: "mnuts-save", "aria-label": `${title}: ${spec.title}`, title, onclick }, label);
    const tools = element("div", { class: "mnuts-tools" },
      button("PNG", "Save as PNG", () => this.image("png")),
      button("SVG", "Save as SVG", () => this.image("svg")),
      button("CSV", "Save the data as CSV", () => this.csv()));
    const head = element("header", { class: "mnuts-head" }, element("h3", {}, spec.title), tools, this.note);
    const body = element("div", { class: "mnuts-body", style: `height:${spec.height}px` }, this.plot, this.wait);
    const label = spec.note ? `${spec.title}. ${spec.note}` : spec.title;
    this.node = element("section", { class: "mnuts-panel", "aria-label": label, "data-panel": spec.name }, head, body);
    this.node.style.setProperty("--span", spec.span);
  }

  get drawn() {
    return this.plot._fullLayout !== undefined;
  }

  update() {
    this.stale = this.board.figures.has(this.spec.name);
    return this.drawn && !this.near ? undefined : this.draw();
  }

  async draw() {
    const { board, spec, plot } = this;
    if (!this.stale || !board.Plotly || !plot.clientWidth) return; // hidden: a resize will bring it back
    this.stale = false;
    const first = !this.drawn;
    try {
      const { data, layout = {} } = board.figures.get(spec.name);
      // Plotly writes into what it is given (zoom, hidden traces); the board's own copy stays as sent.
      const own = { uirevision: spec.name, ...structuredClone(layout), autosize: true };
      own.template = merge(board.theme.template, isPlain(own.template) ? own.template : {});
      await board.Plotly.react(plot, data.map((trace) => ({ ...trace })), own, CONFIG);
      if (first) this.listen();
      this.wait.remove();
    } catch (error) {
      this.wait.textContent = "This plot could not be drawn.";
      this.wait.parentNode ?? this.plot.after(this.wait);
      board.model.send({ type: "error", panel: spec.name, message: String(error?.message ?? error) });
    }
  }

  resize() {
    if (this.stale) this.board.schedule();
    else if (this.drawn && this.plot.clientWidth && this.plot._fullLayout.width !== this.plot.clientWidth) {
      this.board.Plotly.Plots.resize(this.plot);
    }
  }

  listen() {
    const tell = (kind) => (event) => this.board.event(this.spec.name, kind, event?.points);
    for (const kind of ["click", "hover", "unhover"]) this.plot.on(`plotly_${kind}`, tell(kind));
    this.plot.on("plotly_selected", tell("select"));
    this.plot.on("plotly_deselect", tell("select"));
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
    const traces = this.board.figures.get(this.spec.name)?.data ?? [];
    save(new Blob([csvOf(traces)], { type: "text/csv" }), `${this.spec.name}.csv`);
  }
}

// --- the board: one model, any number of views ----------------------------------------------------------------
class Board {
  constructor(model) {
    Object.assign(this, { model, figures: new Map(), notes: new Map(), views: new Set(), changed: new Set() });
    Object.assign(this, { frame: 0, acked: 0, scheduled: false, theme: { template: {} } });
    model.on("msg:custom", (message, buffers) => this.receive(message, buffers));
    this.retheme = debounce(60, () => this.applyTheme());
    this.syncVisible = debounce(60, () => this.tellVisible());
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
    this.received = performance.now();
    const bytes = bytesOf(buffers[0]);
    for (const [name, packed] of Object.entries(message.figures)) {
      const figure = revive(packed, bytes);
      if (same(figure, this.figures.get(name))) continue; // a slider often leaves some plots as they were
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
    const frame = this.frame;
    const news = this.changed;
    this.changed = new Set();
    const draw = (panel) => (news.has(panel.spec.name) ? panel.update() : panel.near ? panel.draw() : undefined);
    const drawing = Promise.all([...this.panels()].map(draw));
    await Promise.race([drawing, new Promise((resolve) => setTimeout(resolve, 1000))]);
    afterPaint(() => {
      if (frame === this.acked) return;
      this.acked = frame;
      const stats = (window.__mnutsBoard ??= { frames: 0 });
      const now = performance.now();
      Object.assign(stats, { frames: stats.frames + 1, lastPaint: now, lastFrameId: frame, lastDrawMs: now - this.received });
      this.model.send({ type: "ack", id: frame });
    });
  }

  event(panel, kind, points = [], detail = {}) {
    if (!this.model.get("wanted").includes(kind)) return;
    const point = (p) => ({ curve: p.curveNumber, point: plain(p.pointNumber ?? p.pointIndex ?? p.binNumber), x: plain(p.x), y: plain(p.y), customdata: plain(p.customdata) });
    this.model.send({ type: "event", panel, kind, points: points.slice(0, MAX_POINTS).map(point), detail });
  }

  tellVisible() {
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

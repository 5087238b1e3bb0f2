const TYPES = { f4: Float32Array, f8: Float64Array, i4: Int32Array, u1: Uint8Array };

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

// `before` is the figure that the page had until now: what has not changed is taken from there.
function revive(node, bytes, before) {
  if (Array.isArray(node)) return node.map((child, i) => revive(child, bytes, before?.[i]));
  if (!isPlain(node)) return node;
  if (node.$nd) return typedArray(node.$nd, bytes);
  if (node.$as) return before;
  return Object.fromEntries(Object.entries(node).map(([key, child]) => [key, revive(child, bytes, before?.[key])]));
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

// The numbers of a figure, a row a point; the first row has the columns' names.
function rowsOf(traces) {
  const columns = ["x", "y", "z", "a", "b", "c", "text"].filter((key) => traces.some((trace) => isList(trace[key])));
  const rows = [["trace", ...columns]];
  traces.forEach((trace, index) => {
    // `meta` is the name for a table, or carries it with the values to write where the plot has others (log10 s);
    // furniture, such as labels, is no data
    const meta = isPlain(trace.meta) ? trace.meta : { name: trace.meta };
    if (meta.furniture) return;
    const name = meta.name || trace.name || `trace ${index + 1}`;
    const table = isList(trace.z?.[0]);
    const row = (i, j) => columns.map((key) => (table ? { x: meta.x?.[j] ?? trace.x?.[j] ?? j, y: meta.y?.[i] ?? trace.y?.[i] ?? i, z: trace.z[i][j] }[key] : (meta[key] ?? trace[key])?.[i]));
    const length = table ? trace.z.length : Math.max(0, ...columns.map((key) => (isList(trace[key]) ? trace[key].length : 0)));
    for (let i = 0; i < length; i++) {
      for (let j = 0; j < (table ? trace.z[i].length : 1); j++) rows.push([name, ...row(i, j)]);
    }
  });
  return rows;
}

function csvOf(traces) {
  const cell = (value) => (/[",\n\r]/.test(`${value ?? ""}`) ? `"${`${value}`.replaceAll('"', '""')}"` : `${value ?? ""}`);
  return rowsOf(traces).map((row) => row.map(cell).join(",")).join("\n") + "\n";
}

// The same for those who read instead of look: the first rows, numbers with as many digits as a plot shows.
const MOST_ROWS = 500;
function tableOf(traces) {
  const [head, ...rows] = rowsOf(traces);
  const text = (value) => (typeof value === "number" ? `${Number(value.toPrecision(6))}` : `${value ?? ""}`.replaceAll(/<[^>]*>/g, " "));
  const line = (row) => element("tr", {}, ...row.map((value, i) => element(i ? "td" : "th", i ? {} : { scope: "row" }, text(value))));
  const more = rows.length > MOST_ROWS ? [element("caption", {}, `The first ${MOST_ROWS} of ${rows.length} rows; the CSV has all.`)] : [];
  return element("table", {}, ...more,
    element("thead", {}, element("tr", {}, ...head.map((name) => element("th", { scope: "col" }, name)))),
    element("tbody", {}, ...rows.slice(0, MOST_ROWS).map(line)));
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

// What a click means: the marker that is drawn on top there, or a nearer one of its size that it covers. Plotly names
// the nearest of all, be it a dot beneath a star.
function topmost(plot, { points, event }) {
  const [near] = points;
  if (near?.fullData?.type !== "scatter" || !event) return points;
  const { xaxis, yaxis } = near;
  const box = plot.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left - xaxis._offset, event.clientY - box.top - yaxis._offset];
  const drawn = plot._fullData.slice(near.curveNumber + 1).reverse();
  const traces = drawn.filter(({ visible, xaxis: own, mode }) => visible === true && own === near.fullData.xaxis && mode?.includes("markers"));
  const covering = traces.flatMap((trace) =>
    Array.from(trace.x, (px, i) => ({ trace, i, away: Math.hypot(xaxis.d2p(px) - x, yaxis.d2p(trace.y[i]) - y) })).filter(({ away }) => away <= trace.marker.size / 2),
  );
  if (!covering.length) return points;
  const [top] = covering;
  const { trace, i } = covering.reduce((best, one) => (one.trace.marker.size >= top.trace.marker.size && one.away < best.away ? one : best), top);
  return [{ curveNumber: trace.index, fullData: trace, pointNumber: i, x: trace.x[i], y: trace.y[i], customdata: trace.customdata?.[i] }];
}

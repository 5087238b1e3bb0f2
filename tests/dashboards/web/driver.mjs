// Runs the engine for the tests: many calls in one message, arrays as base64, in node or in a page.

const base = globalThis.process ? "../../../dashboards/web/engine" : "/engine";
const names = ["engine", "erfc", "clamps", "transform", "quantiles", "mixing", "margins", "params", "simplex", "statistics", "paired", "text", "views/headline", "views/tradeoff", "views/margins", "views/transform", "views/examples", "views/assumptions", "views/classes", "views/all", "search/grids", "service", "../lesson/thread/numbers", "../charts/fill", "../charts/format", "../charts/prepare"];
const modules = Object.assign({}, ...(await Promise.all(names.map((name) => import(`${base}/${name}.js`)))));

const TYPES = { f4: Float32Array, f8: Float64Array, i4: Int32Array, u1: Uint8Array, u2: Uint16Array };
const CODES = new Map(Object.entries(TYPES).map(([code, type]) => [type, code]));

export function decoded(node) {
  if (Array.isArray(node)) return node.map(decoded);
  if (node === null || typeof node !== "object") return node;
  if ("$array" in node) return new TYPES[node.$array](Uint8Array.from(atob(node.data), (c) => c.charCodeAt(0)).buffer);
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, decoded(value)]));
}

export function encoded(node) {
  if (ArrayBuffer.isView(node)) {
    const bytes = new Uint8Array(node.buffer, node.byteOffset, node.byteLength);
    let text = "";
    for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
    return { $array: CODES.get(node.constructor), data: btoa(text) };
  }
  if (Array.isArray(node)) return node.map(encoded);
  if (typeof node === "number" && !Number.isFinite(node)) return { $number: String(node) };
  if (Object.is(node, -0)) return 0;
  if (node === null || typeof node !== "object") return node ?? null;
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, encoded(value)]));
}

/** An engine's or a module's answers to `calls`, each `[name, ...arguments]`; "$engine" and "$remix" stand for these. */
export function answer({ bundle, options, params, quantile, calls }) {
  try {
    const known = bundle ? new modules.RemixEngine(decoded(bundle), options ?? {}) : null;
    if (options?.before) known.remix(options.before); // so that stages are met that a transform leaves to the next
    const remix = known && params ? known.remix(params, quantile) : null;
    const place = { $engine: known, $remix: remix };
    const plain = {
      remix,
      base: known?.base,
      loaded: (mixes) => new modules.EngineService(decoded(bundle), { ...options, mixes }).base,
      frame: (state) => frameOf(bundle, state, options),
      frames: (states, names) => framesOf(bundle, states, names, options),
      search: (...given) => searchOf(bundle, options, ...given),
      figures: (...given) => figuresOf(bundle, ...given),
    };
    return calls.map(([name, ...given]) => {
      const asked = plain[name] ?? modules[name];
      const values = given.map((one) => (typeof one === "string" && one in place ? place[one] : decoded(one)));
      return encoded(asked instanceof Function ? asked(...values) : asked);
    });
  } catch (error) {
    return { error: String(error.stack ?? error) };
  }
}

/** What a worker answers, all views at once. */
function frameOf(bundle, state, options = {}) {
  return new modules.EngineService(decoded(bundle), options).frame(state, Object.keys(modules.VIEWS));
}

/** What one worker answers to states one after the other, some views at once. */
function framesOf(bundle, states, names, options = {}) {
  const service = new modules.EngineService(decoded(bundle), options);
  return states.map((state) => service.frame(state, names));
}

/** Searches one after the other, and what a frame shows afterwards. */
function searchOf(bundle, options, requests, state) {
  const service = new modules.EngineService(decoded(bundle), options ?? {});
  const found = requests.map((request) => {
    const work = service.search(request);
    const shares = [];
    let step = work.next();
    for (; !step.done; step = work.next()) shares.push(step.value);
    return { result: step.value, shares };
  });
  return { found, views: service.frame(state, Object.keys(modules.VIEWS)).views };
}

/** Figures, notes and alternatives of all panels, from the engine's views and further fields. */
function figuresOf(bundle, { panels, templates }, state, more) {
  const { remix, views } = frameOf(bundle, state);
  const figures = panels.map(({ name, note, alternative, warning }) => {
    const fields = modules.prepared(name, { ...views, remix, state, ...more });
    const words = Object.entries({ note, alternative, warning }).map(([part, template]) => [part, modules.fill(template, fields)]);
    return [name, { figure: modules.fill(templates[name], fields), ...Object.fromEntries(words) }];
  });
  return Object.fromEntries(figures);
}

if (globalThis.process) {
  const { createInterface } = await import("node:readline");
  for await (const line of createInterface({ input: process.stdin })) process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + "\n");
}

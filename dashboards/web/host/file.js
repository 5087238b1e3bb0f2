// The page in a file: bundles, settings and library stand in the file itself; there is no kernel to ask.

import { withArrays } from "./arrays.js";

/**
 * What a page asks of where it runs, and beside it what Python hands to its app, see `App` in `dashboards/page/one_file.py`: to the
 * explorer its settings, catalogue, presets and paper. A service that is missing is named on the page, with what offers it.
 *
 * @typedef {object} Host
 * @property {"file"|"kernel"} kind
 * @property {string} app Its name.
 * @property {{name: string, title: string}[]} bundles By their names in links; the first is opened.
 * @property {(name: string) => Opened|Promise<Opened>} open
 * @property {import("../controls/entries.js").Setting[]} settings
 * @property {object} catalogue Templates of the figures, and panels.
 * @property {{named: {name: string, params: object, level: boolean}[], grids: Object<string, object>}} presets Mixes to
 *   start from, and whether each brings its β; the paper's mix for each grid.
 * @property {{title: string, sentence: string}} texts
 * @property {object[]} paper Models of Fig. 2.
 * @property {Object<string, Function>} services `verify`, `report`, `bring`, as far as they are there, see `kernel.js`.
 * @property {import("../app/address.js").Address} [address] Where links stand, if not in the page's own address.
 * @property {(page: object) => void} [connect] Called when the page shows something, to share its state.
 *
 * @typedef {object} Opened A bundle.
 * @property {import("../engine/engine.js").Bundle} record Its arrays: new ones each time, for an engine to take.
 * @property {object} meta What it says of itself, see `dashboards/page/data.py`.
 * @property {{shape: number[], pixels: Uint8Array}|null} images Its clean images.
 */

/** @returns {Host} */
export function fileHost() {
  const page = jsonIn(document.getElementById("mnuts-data"));
  const { bundles } = page;
  const elements = document.querySelectorAll(".mnuts-bundle");
  return {
    ...page,
    kind: "file",
    open: (name) => {
      const place = bundles.findIndex((bundle) => bundle.name === name);
      if (place < 0) throw new RangeError(`no bundle '${name}' in this file: there are ${bundles.map((one) => one.name).join(", ")}`);
      return withArrays(jsonIn(elements[place]));
    },
    services: {},
  };
}

/**
 * A function that starts the engine's worker, whose script the file holds as text.
 * @returns {() => Worker}
 */
export function workerMaker() {
  const script = jsonIn(document.getElementById("mnuts-worker"));
  const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  return () => new Worker(url);
}

/** Let the browser read Plotly, which the file holds as text, and tell the plots; the page is seen and used before. */
export function loadPlotly() {
  const script = document.createElement("script");
  script.textContent = document.getElementById("mnuts-plotly").textContent;
  document.head.append(script);
  dispatchEvent(new Event("plotly"));
}

/** Until what is there has been painted. */
export function painted() {
  return new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
}

function jsonIn(element) {
  return JSON.parse(element.textContent);
}

// An app as a widget beside a kernel, whatever the app.

import { heartbeat } from "./heartbeat.js";
import { kernelHost } from "./kernel.js";

/**
 * Show an app in an element.
 *
 * @param {{model: object, el: HTMLElement}} where What anywidget hands over.
 * @param {(root: HTMLElement, host: import("./file.js").Host, makeWorker: () => Worker) => Promise<{close: () => void, refuse:
 *   (cause: string, problems: string[]) => void, lost: () => string}>} start
 * @returns {() => void} Ends it.
 */
export function renderPage({ model, el }, start) {
  el.classList.add("mnuts-page");
  el.dataset.lmSuppressShortcuts = "true"; // keys are the page's: JupyterLab would fold its cells at an arrow on a slider,
  el.addEventListener("keydown", (event) => event.stopPropagation()); // and take the focus away
  const root = document.createElement("div");
  el.append(root);
  const [unfollow, unwatch] = [followTheme(), watchScreen(el)];
  const host = kernelHost(model);
  const url = URL.createObjectURL(new Blob([model.get("worker")], { type: "text/javascript" }));
  const ends = [unfollow, unwatch, host.close, () => URL.revokeObjectURL(url)];
  const started = start(root, host, () => new Worker(url));
  started.then(
    (app) => ends.push(app.close, heartbeat(model, host.services, app)),
    (error) => {
      console.error(error);
      root.textContent = `The page could not be started: ${error.message}`;
    },
  );
  loadPlotly(host, started).catch((error) => console.error(error));
  return () => ends.forEach((end) => end());
}

/**
 * Plotly, once a document. Our server has it at an address, and it is read while the engine works on the first bundle: both take
 * long. Elsewhere the kernel hands it over.
 */
async function loadPlotly({ services: { library }, opened }, started) {
  const address = document.querySelector("meta[name=mnuts-plotly]");
  if (address) window.__mnutsPlotly ??= Promise.any([opened, started]).then(() => plotlyFrom(address.content));
  if (!globalThis.Plotly) await (window.__mnutsPlotly?.catch(() => fromKernel(library)) ?? fromKernel(library));
  dispatchEvent(new Event("plotly"));
}

async function fromKernel(library) {
  const url = URL.createObjectURL(new Blob([await library()], { type: "text/javascript" }));
  await plotlyFrom(url);
  URL.revokeObjectURL(url);
}

function plotlyFrom(url) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    Object.assign(script, { src: url, onload: resolve, onerror: () => reject(new Error("Plotly did not load")) });
    document.head.append(script);
  });
}

/** Light or dark as JupyterLab is, and our server's page, which bears the same mark. */
function followTheme() {
  const { body, documentElement: page } = document;
  const follow = () => {
    const light = body.dataset.jpThemeLight;
    if (light !== undefined) page.dataset.theme = light === "true" ? "light" : "dark";
  };
  const watch = new MutationObserver(follow);
  watch.observe(body, { attributeFilter: ["data-jp-theme-light"] });
  follow();
  return () => watch.disconnect();
}

/** Let the page know how much of it is seen at once, where that is not the whole window: JupyterLab scrolls its notebook. */
function watchScreen(el) {
  let screen = null;
  const watch = new ResizeObserver(() => {
    if (!screen) {
      screen = scrollerOf(el);
      if (screen) watch.observe(screen);
    }
    if (screen) el.style.setProperty("--mnuts-screen", `${screen.clientHeight}px`);
  });
  watch.observe(el); // which has a place in the document once it has a size
  return () => watch.disconnect();
}

/** What scrolls an element; null for the window. */
function scrollerOf(el) {
  for (let one = el.parentElement; one && one !== document.body; one = one.parentElement) {
    if (["auto", "scroll"].includes(getComputedStyle(one).overflowY)) return one;
  }
  return null;
}

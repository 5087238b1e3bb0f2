// An app on our server's page, whatever the app: its notebook has run in the kernel, and what its cells show stands in the page.

import { renderPage } from "./widget.js";
import { WidgetModel } from "./widget_model.js";

const VIEW = "application/vnd.jupyter.widget-view+json";
const FAILED = "The notebook failed before it showed anything; the server's log says why.";

/**
 * Start an app on the widget that a cell shows. What keeps it from starting is said in its place.
 *
 * @param {(root: HTMLElement, host: import("./file.js").Host, makeWorker: () => Worker) => Promise<object>} start
 */
export async function openServed(start) {
  const el = document.getElementById("mnuts-page");
  const outputs = [...document.querySelectorAll(".mnuts-output")].map((one) => JSON.parse(one.textContent));
  const view = outputs.find((one) => one.data?.[VIEW])?.data[VIEW];
  if (!view) {
    say(el, outputs.map(textOf).join("\n") || "The notebook shows nothing.");
    return;
  }
  const kernel = JSON.parse(document.getElementById("jupyter-config-data").textContent);
  const model = new WidgetModel(view.model_id, kernel);
  try {
    await model.load();
  } catch (error) {
    say(el, `The page could not be started: ${error.message}`);
    throw error;
  }
  el.replaceChildren();
  renderPage({ model, el }, start);
}

/** What a cell printed, or that it failed. */
function textOf({ output_type: type, text, data }) {
  return type === "error" ? FAILED : String(text ?? data?.["text/plain"] ?? "").trim();
}

function say(el, text) {
  el.querySelector("[role=status]").textContent = text;
}

// The explorer: two figures and a slider.

import { h } from "../controls/dom.js";
import { EngineClient } from "../engine/client.js";

/**
 * @param {HTMLElement} root
 * @param {import("../host/file.js").Host} host
 * @param {() => Worker} makeWorker
 */
export async function startExplorer(root, host, makeWorker) {
  const { record, meta } = await host.open(host.bundles[0].name);
  const figures = h("output", {});
  const show = ({ remix }) => (figures.textContent = JSON.stringify([remix.clean.value, remix.attacked?.value ?? null]));
  const client = new EngineClient(makeWorker, { frame: show, error: (message) => (figures.textContent = message) });
  const params = { s: 1, p: 3, c: -1, clamp: "gelu", ln_k: 250, beta: 0.985, alpha: meta.n_adv ? null : 0.75, temperature: 0 };
  const slider = h("input", { type: "range", min: 0.5, max: 8, step: 0.01, value: 3, "aria-label": "p" });
  slider.addEventListener("input", () => client.show({ params: { ...params, p: Number(slider.value) } }, ["headline"]));
  root.replaceChildren(h("h1", {}, host.texts.title), h("p", {}, meta.title), slider, figures);
  await client.load(record);
  client.show({ params }, ["headline"]);
}

// A step's one control: a slider for a number, buttons for a choice.

import { Toggle } from "../controls/buttons.js";
import { h } from "../controls/dom.js";
import { Slider } from "../controls/slider.js";

/**
 * @param {import("./steps.js").Step} step
 * @param {import("../controls/entries.js").Setting} setting What it moves.
 * @param {object} scene
 * @param {{set: (value: any) => void, refuse: (problem: string|null) => void}} on
 * @returns {{element: HTMLElement, show: (value: any) => void}}
 */
export function controlOf(step, setting, scene, { set, refuse }) {
  const { texts } = scene;
  const label = texts.plain(`${step.key}.control`);
  if (setting.kind === "choice") {
    const choices = step.options(scene).map(([key, value]) => [texts.plain(key), value, ""]);
    const toggle = new Toggle({ label, choices, onChoose: set });
    const element = h("div", { class: "choice-row" }, h("span", { "aria-hidden": "true" }, label), toggle.element);
    return { element, show: (value) => toggle.show(value) };
  }
  if (setting.kind === "number") return new Slider({ ...setting, label, symbol: label, help: "" }, { set, refuse });
  const high = step.highest(scene.lab);
  const spec = { ...setting, label, symbol: label, help: "", low: 1, high, low_open: false, slider_low: 1, slider_high: high, step: 1, scale: "linear" };
  return new Slider(spec, { set: (value) => set(Math.round(value)), refuse });
}

// The comparison's controls; nothing is computed here.

import { button } from "../controls/buttons.js";
import { Choice } from "../controls/choice.js";
import { fill, h, setText } from "../controls/dom.js";
import { Slider } from "../controls/slider.js";
import { MAX_COMPARED } from "./links.js";

export class Column {
  /**
   * @param {import("../controls/entries.js").Setting[]} settings
   * @param {import("../app/texts.js").Texts} texts
   * @param {object} on
   * @param {(changes: object) => void} on.set
   * @param {(cause: string, problem: string|null) => void} on.refuse
   * @param {Object<string, () => void>} on.acts undo, redo, copy, cancel, again, medians, print: what buttons do.
   * @param {HTMLElement} on.upload Takes files, or says why there are none to be taken.
   */
  constructor(settings, texts, { set, refuse, acts, upload }) {
    Object.assign(this, { texts, set, refuse, chosen: [], boxes: new Map() });
    const press = (name, more) => button(texts.plain(`control.${name}`), texts.plain(`control.${name}.help`), acts[name], more);
    this.inputs = Object.fromEntries(settings.map((setting) => [setting.name, this.inputOf(setting)]));
    [this.undo, this.redo, this.cancel, this.again] = [press("undo"), press("redo"), press("cancel", { hidden: true }), press("again", { hidden: true, class: "primary" })];
    this.remark = h("p", { class: "remark", role: "status" });
    this.progress = h("progress", { max: 1, value: 0, "aria-label": texts.plain("control.search"), hidden: true });
    this.list = h("div", { class: "bundle-list" });
    this.helps = Object.fromEntries(["alpha", "points"].map((name) => [name, h("p", { class: "words" })]));
    const group = (title, ...content) => h("section", { class: "group" }, title && h("h2", null, title), content);
    const reach = h("div", { class: "reach" }, this.inputs.beta.element); // at the foot of a narrow screen
    this.element = h("aside", { class: "column", "aria-label": texts.plain("page.controls") },
      group("", h("div", { class: "buttons" }, this.undo, this.redo, press("copy")), this.remark),
      group(texts.plain("control.bundles", { most: MAX_COMPARED }), this.list, upload),
      h("section", { class: "group searching" }, h("h2", null, texts.plain("control.search")), reach, this.inputs.grid.element, this.inputs.clamp.element, this.progress, h("div", { class: "buttons" }, this.cancel, this.again)),
      group(texts.plain("control.transfer"), this.inputs.alpha.element, this.helps.alpha),
      group(texts.plain("control.points"), this.inputs.points.element, this.helps.points),
      group(texts.plain("control.export"), h("div", { class: "buttons" }, press("medians"), press("print"))));
  }

  inputOf(setting) {
    const { name, label, help, kind, choices } = setting;
    const set = (value) => this.set({ [name]: value });
    if (kind === "number") return new Slider(setting, { set, refuse: (problem) => this.refuse(name, problem) }, "β");
    return new Choice({ label, help, choices, onChoose: set });
  }

  /** Offer bundles. */
  offer(names) {
    const boxOf = (name) => h("input", { type: "checkbox", onchange: ({ target }) => this.ticked(name, target) });
    this.boxes = new Map(names.map((name) => [name, this.boxes.get(name) ?? boxOf(name)]));
    fill(this.list, [...this.boxes].map(([name, box]) => h("label", { class: "bundle-choice" }, box, h("span", null, name))));
  }

  ticked(name, box) {
    const full = box.checked && this.chosen.length >= MAX_COMPARED;
    this.refuse("bundles", full ? this.texts.plain("page.too_many", { most: MAX_COMPARED }) : null);
    if (full) box.checked = false;
    else this.set({ bundles: box.checked ? [...this.chosen, name] : this.chosen.filter((one) => one !== name) });
  }

  /** Show a state, at once. */
  show(state) {
    this.chosen = state.bundles;
    for (const [name, box] of this.boxes) box.checked = state.bundles.includes(name);
    for (const [name, input] of Object.entries(this.inputs)) input.show(state[name]);
    for (const [name, help] of Object.entries(this.helps)) setText(help, this.texts.plain(`${name}.${state[name]}.help`));
  }

  /** Offer the steps that there are. */
  showSteps({ canUndo, canRedo }) {
    this.undo.disabled = !canUndo;
    this.redo.disabled = !canRedo;
  }

  /**
   * Show running work.
   * @param {number|null} share The share done; null when it has ended.
   * @param {boolean} cancelled Whether the visitor ended it: then it can be taken up again.
   */
  computing(share, cancelled = false) {
    this.progress.hidden = this.cancel.hidden = share === null;
    this.progress.value = share ?? 0;
    this.again.hidden = !cancelled;
  }

  /** Say something that goes with the next change. */
  say(text) {
    setText(this.remark, text);
  }
}

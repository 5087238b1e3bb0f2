// Buttons, and a group of which one is pressed.

import { h } from "./dom.js";

/** A button with its label, what it does in a sentence, and the doing. */
export function button(label, help, onclick, more = {}) {
  return h("button", { type: "button", title: help, onclick, ...more }, label);
}

/** Two or more buttons of which one is pressed. */
export class Toggle {
  /**
   * @param {object} options
   * @param {string} options.label What is chosen, for screen readers.
   * @param {[string, any, string][]} options.choices Label, value and help of each.
   * @param {(value: any) => void} options.onChoose
   */
  constructor({ label, choices, onChoose }) {
    this.buttons = choices.map(([text, value, help]) => [value, button(text, help, () => onChoose(value))]);
    const group = { class: "control toggle", role: "group", "aria-label": label };
    this.element = h("div", group, this.buttons.map(([, one]) => one));
  }

  show(value) {
    for (const [own, one] of this.buttons) one.setAttribute("aria-pressed", String(own === value));
  }

  /** Let the visitor choose a value, or not. */
  enable(value, enabled) {
    for (const [own, one] of this.buttons) if (own === value) one.disabled = !enabled;
  }
}

// A choice: a native select with its label, which can be given other options.

import { fill, h, uniqueId } from "./dom.js";

export class Choice {
  /**
   * @param {object} options
   * @param {string} options.label
   * @param {string} [options.help]
   * @param {[string, any][]} options.choices What each is called, and its value.
   * @param {(value: any) => void} options.onChoose Called with what the visitor chose.
   */
  constructor({ label, help = "", choices, onChoose }) {
    const id = uniqueId("choice");
    this.select = h("select", { id, title: help, onchange: () => onChoose(this.choices[this.select.selectedIndex][1]) });
    this.element = h("div", { class: "control choice" }, h("label", { for: id }, label), this.select);
    this.offer(choices);
  }

  /** Offer other options; what is chosen stays so if it is among them. */
  offer(choices) {
    if (JSON.stringify(choices) === JSON.stringify(this.choices)) return;
    const value = this.choices?.[this.select.selectedIndex]?.[1];
    this.choices = choices;
    fill(this.select, choices.map(([text]) => h("option", null, text)));
    this.show(value);
  }

  /** Show a value; nothing is chosen where it is not among the options. */
  show(value) {
    this.select.selectedIndex = this.choices.findIndex(([, one]) => one === value);
  }

  /** Let the visitor choose, or not. */
  enable(enabled) {
    this.select.disabled = !enabled;
  }
}

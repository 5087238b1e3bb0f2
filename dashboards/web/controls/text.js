// A box for a line of text.

import { h, uniqueId } from "./dom.js";

export class TextBox {
  /**
   * @param {{label: string, help?: string, placeholder?: string, onSet: (text: string) => void}} options
   */
  constructor({ label, help = "", placeholder = "", onSet }) {
    const id = uniqueId("text");
    const attributes = { id, type: "text", title: help, placeholder, autocomplete: "off", spellcheck: "false" };
    this.box = h("input", { ...attributes, onchange: () => onSet(this.box.value.trim()) });
    this.element = h("div", { class: "control number" }, h("label", { for: id }, label), this.box);
  }

  show(text) {
    if (this.box.value !== text) this.box.value = text;
  }

  enable(enabled) {
    this.box.disabled = !enabled;
  }
}

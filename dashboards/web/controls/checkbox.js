// A box to tick.

import { h, uniqueId } from "./dom.js";

export class Checkbox {
  /**
   * @param {{label: string, help?: string, onSet: (checked: boolean) => void}} options
   */
  constructor({ label, help = "", onSet }) {
    const id = uniqueId("check");
    this.box = h("input", { id, type: "checkbox", title: help, onchange: () => onSet(this.box.checked) });
    this.element = h("div", { class: "control checkbox" }, this.box, h("label", { for: id }, label));
  }

  show(checked) {
    this.box.checked = checked;
  }
}

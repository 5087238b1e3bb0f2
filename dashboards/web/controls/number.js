// A box for a number: what is typed is what is set, or a message says why not.

import { h, uniqueId } from "./dom.js";
import { EntryError, sentence } from "./entries.js";
import { word } from "./words.js";

export class NumberBox {
  /**
   * @param {object} options
   * @param {string} options.label
   * @param {string} [options.help]
   * @param {boolean} [options.named] Whether the label is shown beside the box.
   * @param {(text: string) => any} options.read The value of a text; throws `EntryError`.
   * @param {(value: any) => string} options.write The text for a value, all digits.
   * @param {(value: any) => string} [options.brief] The same with as many digits as there is room for.
   * @param {(value: any) => void} options.onSet Called with a value that was entered.
   * @param {(problem: string|null) => void} options.refuse Called with what is wrong; null once it is so no longer.
   */
  constructor({ label, help = "", named = true, read, write, brief = write, onSet, refuse }) {
    Object.assign(this, { read, write, brief, onSet, refuse, value: null });
    const id = uniqueId("number");
    const attributes = { id, type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false", title: help };
    this.box = h("input", {
      ...attributes,
      class: "number-box",
      "aria-label": named ? null : word("as_number", { label }),
      onfocus: () => this.entered(),
      onblur: () => this.fill(),
      onchange: () => this.enter(),
      onkeydown: (event) => this.onKey(event),
    });
    this.element = named ? h("div", { class: "control number" }, h("label", { for: id }, label), this.box) : this.box;
  }

  /** Show a value: all of its digits while the box has the focus. */
  show(value) {
    if (value === this.value) return; // what was refused stands until there is another value
    this.value = value;
    this.accept();
    this.fill();
  }

  enable(enabled) {
    this.box.disabled = !enabled;
  }

  get wrong() {
    return this.box.getAttribute("aria-invalid") === "true";
  }

  /** All digits, all selected: other text has lost the browser's own selection. */
  entered() {
    this.fill();
    this.box.select();
  }

  fill() {
    if (this.wrong || this.value === null) return;
    const text = this.box === document.activeElement ? this.write(this.value) : this.brief(this.value);
    if (this.box.value !== text) this.box.value = text;
  }

  onKey(event) {
    if (event.key === "Escape") this.revert();
  }

  /** Back to the value in force: what was refused goes, and its message with it. */
  revert() {
    this.accept();
    this.fill();
  }

  enter() {
    if (!this.wrong && this.box.value === this.write(this.value)) return;
    try {
      const value = this.read(this.box.value);
      this.accept();
      this.value = value;
      this.onSet(value);
      this.fill();
    } catch (error) {
      if (!(error instanceof EntryError)) throw error;
      this.box.setAttribute("aria-invalid", "true");
      this.refuse(sentence(error.message));
    }
  }

  accept() {
    if (!this.wrong) return;
    this.box.removeAttribute("aria-invalid");
    this.refuse(null);
  }
}

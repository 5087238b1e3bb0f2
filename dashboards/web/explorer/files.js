// What comes into the page, a configuration; its print; and what needs a kernel, which says so.

import { readConfig } from "../app/config.js";
import { button } from "../controls/buttons.js";
import { h } from "../controls/dom.js";
import { EntryError, sentence } from "../controls/entries.js";

const NEEDS_KERNEL = "needs `mnuts dashboard`";

export class Files {
  /**
   * @param {import("./explorer.js").Context} context
   * @param {(config: object, name: string) => Promise<void>} take Takes a configuration that was read.
   */
  constructor(context, take) {
    Object.assign(this, { context, take });
    const { services } = context.host;
    const missing = [["HTML report", "report"], ["saving the bundle", "save"]].filter(([, name]) => !services[name]);
    this.chooser = h("input", { type: "file", accept: ".json,application/json", hidden: true, onchange: () => this.chosen() });
    const open = () => this.chooser.click();
    const buttons = [
      button("Import JSON …", "Take over a configuration; or drop its file on the page", open),
      button("Print", "The whole page, with every plot and table", () => this.print()),
    ];
    const needs = missing.length ? `${missing.map(([text]) => text).join(", ")}: ${NEEDS_KERNEL}` : null;
    this.element = h("div", { class: "part" }, h("div", { class: "buttons" }, buttons), this.chooser, needs && h("p", { class: "words" }, needs));
  }

  /** Take files that are dropped anywhere on an element. */
  acceptDrops(element) {
    element.addEventListener("dragover", (event) => event.preventDefault());
    element.addEventListener("drop", (event) => {
      event.preventDefault();
      const [file] = event.dataTransfer.files;
      if (file) this.read(file);
    });
  }

  chosen() {
    const [file] = this.chooser.files;
    if (file) this.read(file);
    this.chooser.value = ""; // the same file can be chosen again
  }

  async read(file) {
    const { context } = this;
    try {
      if (!file.name.toLowerCase().endsWith(".json")) throw new EntryError(`${file.name} is no configuration: opening a bundle ${NEEDS_KERNEL}`);
      await this.take(readConfig(context.settings, await file.text(), file.name), file.name);
    } catch (error) {
      if (!(error instanceof EntryError)) throw error;
      context.refuse("file", [sentence(error.message)]);
    }
  }

  async print() {
    await this.context.beforePrint();
    print();
  }
}

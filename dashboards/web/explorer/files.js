// What leaves the page and what comes into it: configurations, the printed page; what needs a kernel says so.

import { configOf, configText, readConfig } from "../app/config.js";
import { button } from "../controls/buttons.js";
import { saveText } from "../app/address.js";
import { h } from "../controls/dom.js";
import { EntryError, sentence } from "../controls/entries.js";

const NEEDS_KERNEL = "needs `mnuts dashboard`";

export class Files {
  /**
   * @param {object} context See `explorer.js`.
   * @param {object} on
   * @param {() => object|null} on.moment What is shown, with its `remix`; null before the first figures.
   * @param {(config: object, name: string) => void} on.take Takes a configuration that was read.
   */
  constructor(context, { moment, take }) {
    Object.assign(this, { context, moment, take });
    const { services } = context.host;
    const missing = ["HTML report", "Save bundle"].filter((_, place) => !services[["report", "save"][place]]);
    this.out = h(
      "div",
      { class: "part" },
      h(
        "div",
        { class: "buttons" },
        button("Export JSON", "Save this configuration (mnuts-config/1) with its figures", () => this.export()),
        button("Print", "The whole page, with every plot and table", () => this.print()),
      ),
      missing.length ? h("p", { class: "needs" }, `${missing.join(" and ")}: ${NEEDS_KERNEL}`) : null,
    );
    this.chooser = h("input", { type: "file", accept: ".json,application/json", hidden: true, onchange: () => this.chosen() });
    const open = button("Import JSON …", "Take over a configuration; or drop its file on the page", () => this.chooser.click());
    this.in = h("div", { class: "part" }, open, this.chooser);
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
    this.chooser.value = ""; // the same file can be chosen again
    if (file) this.read(file);
  }

  async read(file) {
    const { context } = this;
    try {
      if (!file.name.toLowerCase().endsWith(".json")) throw new EntryError(`${file.name}: to open a bundle ${NEEDS_KERNEL}`);
      const config = readConfig(context.settings, await file.text(), file.name);
      context.refuse("file", []);
      await this.take(config, file.name);
    } catch (error) {
      if (!(error instanceof EntryError)) throw error;
      context.refuse("file", [sentence(error.message)]);
    }
  }

  export() {
    const shown = this.moment();
    if (!shown) return;
    const { meta, remix, state, known } = shown;
    const created = new Date().toISOString().replace(/\.\d+Z$/, "+00:00");
    const config = configOf(meta, remix, { beta: state.by_hand ? null : state.beta, verified: known?.card ?? null, created });
    saveText(`mnuts-${fileName(meta.name)}.json`, configText(config), "application/json");
  }

  print() {
    this.context.beforePrint();
    print();
  }
}

function fileName(text) {
  return text.replace(/[^\w.-]+/g, "-");
}

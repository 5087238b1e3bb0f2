// What comes into the page, a configuration; its print; and what needs a kernel, which says so.

import { save } from "../charts/tools.js";
import { readConfig } from "../app/config.js";
import { ENDINGS, LARGEST } from "../app/kernel_files.js";
import { button } from "../controls/buttons.js";
import { h } from "../controls/dom.js";
import { EntryError, sentence } from "../controls/entries.js";
import { FilePicker } from "../controls/file_picker.js";

const NEEDS_KERNEL = "needs “mnuts dashboard”";
const CONFIGURATION = ".json";
const OPENS = "Take over a configuration, open a bundle or a table of logits; or drop the file on the page";

/** What a kernel makes: the service, its button, what it is, and its type. */
const SAVES = [
  ["save", "Save bundle", "The bundle with all points that verifications have added", "application/octet-stream"],
  ["report", "HTML report", "What is shown, as one file", "text/html"],
  ["page", "Page file", "The open bundle and this page as one file, which computes without a server", "text/html"],
];

export class Files {
  /**
   * @param {import("./explorer.js").Context} context
   * @param {(config: object, name: string) => Promise<void>} take Takes a configuration that was read.
   */
  constructor(context, take) {
    Object.assign(this, { context, take });
    const { services } = context.host;
    this.endings = services.bring ? [CONFIGURATION, ...ENDINGS] : [CONFIGURATION];
    this.picker = new FilePicker(this.endings, (file) => this.read(file));
    const open = () => this.picker.open();
    const saves = SAVES.filter(([name]) => services[name]);
    const missing = SAVES.filter(([name]) => !services[name] && name !== "page").map(([, label]) => label);
    const buttons = [
      services.bring ? button("Import …", OPENS, open) : button("Import JSON …", "Take over a configuration; or drop its file on the page", open),
      saves.map(([name, label, help, type]) => button(label, help, ({ currentTarget }) => this.save(name, label, type, currentTarget))),
      button("Print", "The whole page, with every plot and table", () => this.print()),
    ];
    const needs = missing.length ? `${missing.join(", ")}: ${NEEDS_KERNEL}` : null;
    this.element = h("div", { class: "part" }, h("div", { class: "buttons" }, buttons), this.picker.element, needs && h("p", { class: "words" }, needs));
  }

  /** Take files that are dropped anywhere on an element. */
  acceptDrops(element) {
    this.picker.acceptDrops(element);
  }

  async read(file) {
    const { context } = this;
    const ending = file.name.toLowerCase().match(/\.[^.]*$/)?.[0];
    context.refuse("file", []);
    try {
      if (ending === CONFIGURATION) await this.readConfig(file);
      else if (this.endings.includes(ending)) await this.open(file);
      else if (ENDINGS.includes(ending)) throw new EntryError(`${file.name} is no configuration: opening a bundle ${NEEDS_KERNEL}`);
      else throw new EntryError(`${file.name} must end in ${this.endings.join(", ")}`);
    } catch (error) {
      context.refuse("file", [sentence(error.message)]);
    }
  }

  async readConfig(file) {
    const { context } = this;
    const text = await file.text();
    const config = readConfig(context.settings, text, file.name);
    if (config.verified) await context.host.services.keep?.(text);
    await this.take(config, file.name);
  }

  async open(file) {
    const { actions, host } = this.context;
    if (file.size > LARGEST) throw new EntryError(`${file.name} is larger than ${LARGEST / 2 ** 20} MiB`);
    const say = (share) => actions.say(`${file.name}: ${Math.round(100 * share)} %`);
    try {
      const answer = await host.services.bring(file, say);
      actions.openNew(answer);
    } finally {
      actions.say("");
    }
  }

  /** Save what the kernel makes. */
  async save(name, label, type, pressed) {
    const { context } = this;
    pressed.disabled = true;
    try {
      const { name: file, content } = await context.host.services[name]();
      save(new Blob([content], { type }), file);
      context.refuse("save", []);
    } catch (error) {
      context.refuse("save", [sentence(`${label}: ${error.message}`)]);
    } finally {
      pressed.disabled = false;
    }
  }

  async print() {
    await this.context.current();
    print();
  }
}

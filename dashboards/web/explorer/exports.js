// The export of this mix: its configuration, to look at, to copy and to save.

import { copyText } from "../app/address.js";
import { configOf, configText } from "../app/config.js";
import { mixStem } from "../charts/filename.js";
import { save } from "../charts/tools.js";
import { button } from "../controls/buttons.js";
import { fill, h } from "../controls/dom.js";
import { verifiedMixes } from "./known.js";
import { WORDS } from "./words.js";

export class ExportPanel {
  static views = ["certified"];

  constructor(root, context) {
    Object.assign(this, { context, moment: null });
    const words = WORDS.exports;
    this.text = h("pre", { tabindex: 0, role: "group", "aria-label": words.preview });
    const preview = h("details", { ontoggle: ({ target }) => target.open && this.moment && this.preview() }, h("summary", null, words.preview), this.text);
    this.details = preview;
    const save = button(words.download, words.help, () => this.save(), { disabled: true }); // until there are figures
    const copy = button(words.copy, words.preview, () => this.copy(), { disabled: true });
    this.buttons = [save, copy];
    fill(root, h("div", { class: "buttons" }, this.buttons), preview);
  }

  update(moment) {
    this.moment = moment;
    for (const one of this.buttons) one.disabled = false;
    if (this.details.open) this.preview();
  }

  /** The configuration as its file has it. */
  config() {
    const { state, remix, meta, views } = this.moment;
    const verified = verifiedMixes(meta).of(remix.params)?.card ?? null;
    const created = new Date().toISOString().replace(/\.\d+Z$/, "+00:00");
    const beta = state.by_hand ? null : state.beta;
    return configText(configOf(meta, remix, { beta, certified: views.certified, verified, created }));
  }

  preview() {
    this.text.textContent = this.config(); // as it is saved: JSON escapes nothing that is shown here
  }

  async save() {
    await this.context.current();
    const { meta, remix } = this.moment;
    const name = `${mixStem(meta, remix.params)}.json`;
    save(new Blob([this.config()], { type: "application/json" }), name);
    this.context.announce(WORDS.exports.saved(name));
  }

  async copy() {
    await this.context.current();
    const done = await copyText(this.config());
    this.context.announce(done ? WORDS.exports.copied : WORDS.exports.refused);
  }
}

// Where the figures come from: the bundle, its threat model, and how to have the same on the command line.

import { h } from "../controls/dom.js";
import { thousands } from "../engine/text.js";
import { card, plainTable } from "./cards.js";
import { commands } from "./commands.js";
import { WORDS } from "./words.js";

export class Provenance {
  static views = [];

  constructor(root, context) {
    Object.assign(this, { root, context, shown: null });
    this.again = h("pre", { tabindex: 0, role: "group", "aria-label": WORDS.provenance.again });
  }

  update({ state, remix, meta }) {
    if (meta !== this.shown) this.show(meta);
    this.shown = meta;
    const lines = commands(meta.name, remix.params, state.by_hand ? null : state.beta, this.context.settings);
    if (this.again.textContent !== lines.join("\n")) this.again.textContent = lines.join("\n");
  }

  show(meta) {
    const words = WORDS.provenance;
    const facts = {
      title: meta.title,
      sizes: words.sizes(thousands(meta.n_clean), thousands(meta.n_adv), meta.classes.length),
      dataset: [meta.dataset, meta.split].filter(Boolean).join(", "),
      pixels: meta.pixels,
      threat: meta.threat ?? words.noThreat,
      std: meta.models.std,
      rob: meta.models.rob,
      created: meta.created,
      digest: meta.digest,
      command: meta.command,
    };
    const known = Object.entries(facts).filter(([, text]) => text);
    const rows = known.map(([name, text]) => [words.rows[name], text]);
    const again = h("details", null, h("summary", null, words.again), this.again, h("p", { class: "words" }, words.file));
    card(this.root, words.title, plainTable(words.title, null, rows), again);
  }
}

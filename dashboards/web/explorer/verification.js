// Verification: what an attack has left of this very mix; and, where no attack can be run, where it can.

import { fill, h } from "../controls/dom.js";
import { Attack } from "./attack.js";
import { verifiedMixes } from "./known.js";
import { verifiedLines } from "./sentences.js";
import { WORDS } from "./words.js";

export class Verification {
  static views = [];

  constructor(root, context) {
    this.result = h("div", { class: "found" });
    this.shown = null;
    this.attack = context.host.services.verify ? new Attack(context) : null;
    fill(root, this.result, this.attack ? this.attack.element : howElsewhere());
  }

  update({ meta, remix }) {
    this.attack?.offer(meta, remix);
    const known = verifiedMixes(meta).of(remix.params);
    const lines = known ? verifiedLines(known) : [WORDS.verification.notVerified];
    if (lines.join("\n") === this.shown) return;
    this.shown = lines.join("\n");
    const warnings = known?.card?.warnings ?? [];
    fill(this.result, lines.map((line) => h("div", null, line)), warnings.map((line) => h("div", { class: "warning" }, line)));
  }
}

/** What to do on a page that has no models to attack. */
function howElsewhere() {
  const { needs, how, dashboard, orEvaluate, evaluate } = WORDS.verification;
  const text = (line) => h("p", { class: "words" }, line);
  const command = (line) => h("pre", { tabindex: 0, role: "group", "aria-label": line }, line);
  return h("div", { class: "elsewhere" }, text(needs), text(how), command(dashboard), text(orEvaluate), command(evaluate));
}

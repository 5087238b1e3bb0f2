// The strip of results: what the mix does, and what it gains over the robust model and over the plain mix.

import { fill, h, setText, uniqueId } from "../controls/dom.js";
import { Figure } from "./cards.js";
import { gains, tests } from "./sentences.js";
import { WORDS } from "./words.js";

export class Strip {
  static views = ["headline"];

  constructor(root, context) {
    this.context = context;
    const id = uniqueId("strip");
    this.clean = new Figure("dd");
    this.attacked = new Figure("dd");
    this.optimistic = h("small", { class: "caution" });
    this.gains = h("p", { class: "gains" });
    this.tests = h("p", { class: "words" });
    this.more = h("details", null, h("summary", { class: "words" }, WORDS.strip.testsTitle), this.tests);
    const figure = (label, { element }, more) => h("div", { class: "strip-figure" }, h("dt", null, label), element, more);
    const figures = [
      figure(WORDS.strip.clean, this.clean),
      figure(WORDS.strip.attacked, this.attacked, h("dd", null, this.optimistic)),
    ];
    root.classList.add("strip");
    root.setAttribute("role", "region");
    root.setAttribute("aria-labelledby", id);
    const heading = h("h2", { id, class: "unseen" }, WORDS.strip.title);
    fill(root, heading, h("dl", null, figures), h("div", { class: "strip-words" }, this.gains, this.more));
  }

  update({ views: { headline }, remix }) {
    if (!headline) return;
    const { clean, attacked } = headline.mix;
    this.clean.show(clean, { withN: true });
    this.attacked.show(attacked, { withN: true, missing: WORDS.strip.noAttack });
    setText(this.optimistic, attacked && remix.optimistic ? WORDS.optimisticShort : "");
    setText(this.gains, gains(headline.changes));
    setText(this.tests, tests(headline.changes));
    this.more.hidden = !this.tests.textContent;
  }
}

// The attack on this very mix by the kernel: how many images, how hard, where they are; its progress, and its end.

import { button } from "../controls/buttons.js";
import { fill, h, setText } from "../controls/dom.js";
import { readWhole, sentence } from "../controls/entries.js";
import { NumberBox } from "../controls/number.js";
import { TextBox } from "../controls/text.js";
import { percent, settingsText } from "../app/numbers.js";
import { WORDS } from "./words.js";

const USUAL = 100; // images

export class Attack {
  /** @param {import("./explorer.js").Context} context */
  constructor(context) {
    Object.assign(this, { context, running: false, name: null, offered: null, params: null, n: USUAL, steps: USUAL, images: "", command: null });
    const words = WORDS.attack;
    const box = (name) =>
      new NumberBox({
        ...words[name],
        read: (text) => readWhole({ word: words[name].label, low: 1, high: this.offered?.[name] ?? null }, text),
        write: String,
        onSet: (value) => (this[name] = value),
        refuse: (problem) => context.refuse(`attack ${name}`, problem === null ? [] : [problem]),
      });
    this.boxes = { n: box("n"), steps: box("steps") };
    this.source = new TextBox({ ...words.images, onSet: (text) => (this.images = text) });
    this.start = button(words.start, words.startHelp, () => this.attack());
    this.cancel = button(words.cancel, words.cancelHelp, () => context.host.services.cancel(), { hidden: true });
    this.progress = h("progress", { max: 1, "aria-label": words.progress, hidden: true });
    this.status = h("div", { class: "found", role: "status" });
    const boxes = Object.values(this.boxes).map(({ element }) => element);
    this.element = h("div", { class: "attack part" }, boxes, this.source.element, this.start, this.progress, this.cancel, this.status);
  }

  /** Offer what can be done with a bundle and a mix. */
  offer({ name, attack }, { params }) {
    this.params = params;
    if (attack === this.offered) return;
    const other = name !== this.name; // the same one with more points keeps what was said of these
    Object.assign(this, { name, offered: attack });
    this.n = Math.max(1, Math.min(this.n, attack.n));
    if (attack.images !== null && !this.images) this.images = attack.images;
    for (const [name, box] of Object.entries(this.boxes)) box.show(this[name]);
    this.source.show(this.images);
    this.source.element.hidden = attack.images === null;
    this.enable();
    if (attack.reason) setText(this.status, WORDS.attack.notHere(attack.reason));
    else if (other && !this.running) setText(this.status, "");
  }

  enable() {
    const possible = !this.running && !this.offered?.reason;
    for (const box of Object.values(this.boxes)) box.enable(possible);
    this.source.enable(possible);
    this.start.disabled = !possible;
    this.progress.hidden = this.cancel.hidden = !this.running;
  }

  async attack() {
    const { context, n, steps, images } = this;
    const { services } = context.host;
    const settings = settingsText(this.params);
    this.run(true);
    setText(this.status, WORDS.attack.attacking(n, settings));
    const report = ({ share, before, right }) => {
      this.progress.value = share;
      const most = right === null ? null : percent(right / n, 1);
      setText(this.status, before ? WORDS.attack.waiting(before) : WORDS.attack.attacking(n, settings, percent(share, 0), most));
    };
    try {
      const result = await services.verify({ n, steps, images }, report);
      context.refuse("attack", []);
      this.run(false);
      this.done(result);
      await context.actions.join(result);
    } catch ({ message }) {
      this.run(false);
      setText(this.status, message === "cancelled" ? WORDS.attack.cancelled : "");
      if (message !== "cancelled") context.refuse("attack", [sentence(WORDS.attack.failed(message))]);
    }
  }

  run(running) {
    this.running = running;
    this.progress.value = 0;
    this.enable();
  }

  /** Say what else is known of these images, and how to do the same elsewhere; what it gave stands above, and in the table. */
  done({ command, beside }) {
    const known = beside && WORDS.attack.beside(...["attacked", "by_margin", "robust"].map((name) => percent(beside[name], 1)));
    const lines = h("pre", { tabindex: 0, role: "group", "aria-label": WORDS.attack.command }, command);
    fill(this.status, known && h("div", null, known), h("div", null, WORDS.attack.done), lines);
  }
}

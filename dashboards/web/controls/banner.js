// What is wrong, as a list: each message has a cause, and goes when its cause goes.

import { fill, h } from "./dom.js";
import { word } from "./words.js";

export class Banner {
  constructor() {
    this.messages = new Map();
    this.element = h("div", { class: "banner", role: "alert", hidden: true });
  }

  /**
   * Show what a cause makes wrong, in place of what it did before.
   * @param {string} cause Such as the name of a setting, or "link".
   * @param {string[]} messages One sentence each; none: nothing is wrong any more.
   */
  show(cause, messages) {
    if (!messages.length && !this.messages.has(cause)) return;
    if (messages.length) this.messages.set(cause, messages);
    else this.messages.delete(cause);
    this.draw();
  }

  /** What a cause made wrong is so no longer. */
  clear(...causes) {
    for (const cause of causes) this.show(cause, []);
  }

  draw() {
    const all = [...this.messages].flatMap(([cause, messages]) => messages.map((text) => ({ cause, text })));
    this.element.hidden = !all.length;
    const close = ({ cause }) => {
      const attributes = { type: "button", class: "quiet", "aria-label": word("dismiss"), onclick: () => this.clear(cause) };
      return h("button", attributes, "×");
    };
    const line = (one) => h("li", null, h("span", null, one.text), close(one));
    fill(this.element, h("ul", null, all.map(line)));
  }
}

// What is said aloud: a line that screen readers read out when it changes.

import { h } from "./dom.js";

export class Announcer {
  constructor() {
    this.element = h("div", { class: "unseen", role: "status", "aria-live": "polite" });
  }

  /** @param {string} text One sentence. */
  say(text) {
    const again = this.element.textContent === text ? "\u00a0" : ""; // the same words twice are a change, too
    this.element.textContent = text + again;
  }
}

// *Find best*: its button, its progress, and in a line or two what it found.

import { button } from "../controls/buttons.js";
import { fill, h } from "../controls/dom.js";

export class Search {
  /** @param {{find: () => void, cancel: () => void}} actions */
  constructor({ find, cancel }) {
    this.find = button("Find best for this β", "Algorithm 1 over the grid", find, { class: "primary" });
    this.cancel = button("Cancel", "Stop the search", cancel, { hidden: true });
    this.progress = h("progress", { max: 1, "aria-label": "Progress of the search", hidden: true });
    this.found = h("div", { class: "found", role: "status" });
    this.element = h("div", { class: "search" }, this.find, this.progress, this.cancel, this.found);
  }

  /** Show a state: what is kept says what the button does. */
  show({ find_by: by }, { possible }) {
    this.find.textContent = by === "beta" ? "Find best for this β" : "Find best";
    this.find.title = by === "beta" ? "Algorithm 1 over the grid" : "All cells of the grid at every α";
    this.find.disabled = !possible;
  }

  /** Show a running search at a share of its work; null when it has ended. */
  running(share) {
    this.progress.hidden = this.cancel.hidden = share === null;
    if (share !== null) this.progress.value = share;
  }

  /** Show what was found, a line each; none: nothing has been. */
  showFound(lines) {
    const show = () => document.getElementById("found").scrollIntoView({ behavior: "smooth" });
    const more = button("All that the search found", "", show, { class: "quiet" });
    fill(this.found, lines.map((line) => h("div", null, line)), lines.length ? more : null);
  }
}

// *Find best*: a search in the page's own worker, its progress, and what it found.

import { button } from "../controls/buttons.js";
import { fill, h } from "../controls/dom.js";

export class Search {
  /**
   * @param {{find: () => void, widen: () => void, cancel: () => void}} actions
   */
  constructor({ find, widen, cancel }) {
    this.find = button("Find best for this β", "Algorithm 1 over the grid", find, { class: "primary" });
    this.widen = button("Search a wider grid", "The optimum sits on the grid's edge: search further out", widen, { hidden: true });
    this.cancel = button("Cancel", "Stop the search", cancel, { hidden: true });
    this.progress = h("progress", { max: 1, "aria-label": "Progress of the search", hidden: true });
    this.found = h("div", { class: "found", role: "status" });
    this.element = h("div", { class: "search" }, this.find, this.progress, this.cancel, this.found, this.widen);
  }

  /** Show a state: an accuracy is kept only where β is not. */
  show({ find_by: by }, { possible }) {
    this.find.textContent = by === "beta" ? "Find best for this β" : "Find best";
    this.find.title = by === "beta" ? "Algorithm 1 over the grid" : "All cells of the grid at every α";
    this.find.disabled = !possible || !this.progress.hidden;
  }

  /** Show a running search at a share of its work; null when it has ended. */
  running(share) {
    const on = share !== null;
    this.find.disabled = this.widen.disabled = on;
    this.progress.hidden = this.cancel.hidden = !on;
    if (on) this.progress.value = share;
  }

  /** Show what was found, a line each, with what puts it in doubt. */
  showFound(lines, warnings, { widens }) {
    this.widen.hidden = !widens;
    this.found.classList.remove("stale");
    fill(this.found, lines.map((line) => h("div", null, line)), warnings.map((line) => h("div", { class: "warning" }, line)));
  }

  /** Fade what was found once the settings have moved on. */
  age(stale) {
    this.found.classList.toggle("stale", stale);
  }
}

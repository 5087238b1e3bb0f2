// How the lesson is shown, as its link says: `hide=thread,again` leaves parts out, `present` is for a projector, `only` is one step by itself.

import { button } from "../controls/buttons.js";

/** Parts that `hide=` in a link may name. */
export const PARTS = ["data", "language", "copy", "again", "presenter", "steps", "turn", "show", "control", "score", "formula", "more", "thread", "source"];

/** Ways to show it that a link may name. */
export const WAYS = ["present", "only"];

/**
 * @typedef {object} Shown
 * @property {string[]} hide Names of parts.
 * @property {boolean} present Large letters and nothing but the step; keys turn the pages.
 * @property {string|null} language Another one than the page's own.
 * @property {boolean} only The step without a heading of the page and a way to others, for a frame in another page.
 */

/** @type {Shown} */
export const PLAIN = { hide: [], language: null, present: false, only: false };

const TURNS = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 }; // a presenter's remote control sends the page keys
const FIELDS = ["INPUT", "SELECT", "TEXTAREA"]; // which take arrow keys for themselves

export class Presentation {
  /**
   * @param {HTMLElement} app
   * @param {Object<string, HTMLElement>} parts By their names in `hide=`.
   * @param {import("../app/texts.js").Texts} texts
   * @param {{turn: (by: number) => void, changed: () => void}} on `changed`: called when the reader goes to the presenter's view, or leaves it.
   */
  constructor(app, parts, texts, on) {
    Object.assign(this, { app, on, shown: PLAIN });
    this.enter = button(texts.plain("present.enter"), texts.plain("present.help"), () => (this.fillScreen(true), this.present(true)));
    this.leave = button("×", texts.plain("present.leave"), () => this.present(false), { class: "leave", "aria-label": texts.plain("present.leave") });
    this.parts = { ...parts, presenter: this.enter };
    this.hear = (event) => this.pressed(event);
    this.watch = () => this.filled();
    addEventListener("keydown", this.hear, true); // before a widget keeps its keys from JupyterLab
    document.addEventListener?.("fullscreenchange", this.watch);
  }

  /** @param {Shown} shown */
  show(shown) {
    this.shown = shown;
    for (const [name, part] of Object.entries(this.parts)) {
      if (shown.hide.includes(name)) part.dataset.out = ""; // and not `hidden`, which says whether there is anything to show
      else delete part.dataset.out;
    }
    for (const way of WAYS) this.app.classList.toggle(way, shown[way]);
    this.leave.hidden = !shown.present;
    this.tellHeight(shown.only && globalThis.parent !== globalThis);
  }

  /** Tell the page around a frame how high the step is, whenever that changes. */
  tellHeight(framed) {
    this.height?.disconnect();
    this.height = framed ? new ResizeObserver(() => parent.postMessage({ type: "mnuts-height", height: Math.ceil(this.app.getBoundingClientRect().height) }, "*")) : null;
    this.height?.observe(this.app);
  }

  present(present) {
    this.show({ ...this.shown, present });
    if (!present) this.fillScreen(false);
    this.on.changed();
  }

  get full() {
    return Boolean(document.fullscreenElement?.contains(this.app));
  }

  /** Fill the screen, or give it back; where the browser does not let us, as in a frame, the view fills its window. */
  fillScreen(full) {
    if (full === this.full) return;
    const done = full ? this.app.parentNode?.requestFullscreen?.() : document.exitFullscreen?.();
    done?.catch(() => {});
  }

  /** The browser takes Escape for itself while the screen is filled: it leaves the view, too. */
  filled() {
    const left = this.wasFull && !this.full;
    this.wasFull = this.full;
    if (left && this.shown.present && !this.keepsView) this.present(false);
    this.keepsView = false;
  }

  pressed(event) {
    const { key, target } = event;
    if (!this.shown.present || !this.isOurs(target) || event.altKey || event.ctrlKey || event.metaKey) return;
    if (key === "Escape") this.present(false);
    else if (key.toLowerCase() === "f" && !FIELDS.includes(target.tagName)) {
      this.keepsView = this.full;
      this.fillScreen(!this.full);
    }
    else if (key in TURNS && !this.shown.only && !(key.startsWith("Arrow") && FIELDS.includes(target.tagName))) {
      event.preventDefault();
      this.on.turn(TURNS[key]);
    }
  }

  /** Whether a key is for this view: not one in another cell of a notebook, nor one for a plot, where arrows go from point to point. */
  isOurs(target) {
    if (!target.closest || target === document.body) return true;
    return this.app.contains(target) && !target.closest(".plot-stage");
  }

  close() {
    this.height?.disconnect();
    removeEventListener("keydown", this.hear, true);
    document.removeEventListener?.("fullscreenchange", this.watch);
  }
}

// What stands on top of the control column: undo, redo, defaults and the link, and a passing remark below them.

import { button } from "../controls/buttons.js";
import { h, setText } from "../controls/dom.js";

export class Toolbar {
  /** @param {import("./actions.js").Actions} actions What the buttons do. */
  constructor(actions) {
    this.undo = button("Undo", "The view before the last change; the browser's Back does the same", () => actions.undo());
    this.redo = button("Redo", "Take the undoing back", () => actions.redo());
    const others = [
      button("Defaults", "Back to what the bundle opens on; Undo takes it back", () => actions.defaults()),
      button("Copy link", "A link that opens this very view", () => actions.copy()),
    ];
    this.remark = h("p", { class: "remark", role: "status" });
    this.element = h("div", { class: "part" }, h("div", { class: "buttons" }, this.undo, this.redo, others), this.remark);
  }

  /** Offer the steps that there are. */
  showSteps({ canUndo, canRedo }) {
    this.undo.disabled = !canUndo;
    this.redo.disabled = !canRedo;
  }

  /** Say something that goes with the next change. */
  say(text) {
    setText(this.remark, text);
  }
}

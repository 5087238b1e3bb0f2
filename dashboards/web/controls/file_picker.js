// A file from the visitor's disk: chosen in a dialog, or dropped on the page.

import { h } from "./dom.js";

export class FilePicker {
  /**
   * @param {string[]} endings Of the names that the dialog offers, such as `.json`.
   * @param {(file: File) => void} take Takes the file; whatever its name, for any can be dropped.
   */
  constructor(endings, take) {
    this.take = take;
    this.element = h("input", { type: "file", accept: endings.join(","), hidden: true, onchange: () => this.chosen() });
  }

  /** Show the dialog. */
  open() {
    this.element.click();
  }

  /** Take files that are dropped anywhere on an element. */
  acceptDrops(element) {
    element.addEventListener("dragover", (event) => event.preventDefault());
    element.addEventListener("drop", (event) => {
      event.preventDefault();
      this.first(event.dataTransfer.files);
    });
  }

  chosen() {
    this.first(this.element.files);
    this.element.value = ""; // the same file can be chosen again
  }

  first([file]) {
    if (file) this.take(file);
  }
}

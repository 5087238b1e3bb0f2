// A bundle that the visitor brings, which takes a kernel; a file says so.

import { button } from "../controls/buttons.js";
import { h } from "../controls/dom.js";

const ENDINGS = [".safetensors", ".npz", ".csv", ".parquet", ".pt", ".pth"];
const LARGEST = 2 ** 28; // bytes

export class Upload {
  /**
   * @param {import("../host/file.js").Host} host
   * @param {import("../app/texts.js").Texts} texts
   * @param {object} on
   * @param {(answer: {name: string, bundles: object[]}) => void} on.brought
   * @param {(problem: string|null) => void} on.refuse
   * @param {(text: string) => void} on.say
   */
  constructor({ services }, texts, on) {
    Object.assign(this, { services, texts, on });
    this.chooser = h("input", { type: "file", accept: ENDINGS.join(","), hidden: true, onchange: () => this.chosen() });
    const open = button(texts.plain("control.add"), texts.plain("control.add.help"), () => this.chooser.click());
    this.element = services.bring ? h("div", { class: "buttons" }, open, this.chooser) : h("p", { class: "words" }, texts.plain("page.no_upload"));
  }

  /** Take files that are dropped anywhere on an element. */
  acceptDrops(element) {
    if (!this.services.bring) return;
    element.addEventListener("dragover", (event) => event.preventDefault());
    element.addEventListener("drop", (event) => {
      event.preventDefault();
      const [file] = event.dataTransfer.files;
      if (file) this.read(file);
    });
  }

  chosen() {
    const [file] = this.chooser.files;
    if (file) this.read(file);
    this.chooser.value = ""; // the same file can be chosen again
  }

  async read(file) {
    const { texts, on } = this;
    on.refuse(null);
    try {
      if (!ENDINGS.some((ending) => file.name.toLowerCase().endsWith(ending))) throw new Error(texts.plain("page.wrong_file", { name: file.name, endings: ENDINGS.join(", ") }));
      if (file.size > LARGEST) throw new Error(texts.plain("page.too_large", { name: file.name }));
      on.brought(await this.services.bring(file, (share) => on.say(`${file.name}: ${Math.round(100 * share)} %`)));
    } catch (error) {
      on.refuse(texts.plain("page.left_out", { name: file.name, why: error.message }));
    } finally {
      on.say("");
    }
  }
}

// A bundle that the visitor brings, which takes a kernel; a file says so.

import { ENDINGS, LARGEST } from "../app/kernel_files.js";
import { button } from "../controls/buttons.js";
import { h } from "../controls/dom.js";
import { FilePicker } from "../controls/file_picker.js";

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
    this.picker = new FilePicker(ENDINGS, (file) => this.read(file));
    const open = button(texts.plain("control.add"), texts.plain("control.add.help"), () => this.picker.open());
    this.element = services.bring ? h("div", { class: "buttons" }, open, this.picker.element) : h("p", { class: "words" }, texts.plain("page.no_upload"));
  }

  /** Take files that are dropped anywhere on an element. */
  acceptDrops(element) {
    if (this.services.bring) this.picker.acceptDrops(element);
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

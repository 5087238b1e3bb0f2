// The image itself: clean, attacked, and what the attack has added, magnified; one of them large.

import { fill, h, setText, uniqueId } from "../../controls/dom.js";
import { general } from "../../controls/numbers.js";
import { pictureOf } from "../../controls/picture.js";
import { localNumber } from "../../controls/words.js";

const GREY = 127.5;
const LARGE = 128; // pixels of the screen
const SMALL = 32;
const SIGNS = { clean: "", perturbation: "+", attacked: "=" };

export class Pixels {
  /**
   * @param {import("./numbers.js").Example} example
   * @param {import("../../app/texts.js").Texts} texts
   * @param {(picture: string) => void} onShow Called with the picture that the visitor chose.
   */
  constructor(example, texts, onShow) {
    const { points, shape, magnify, classes, label, number, norm, eps } = example;
    Object.assign(this, { texts, norm, shape });
    this.pixels = { clean: points.clean.pixels, perturbation: changeOf(example), attacked: points.attacked.pixels };
    this.fields = { class: classes[label], number, magnify, eps: eps && localNumber(general(norm === "Linf" ? 100 * eps : eps, 3)) };
    const id = uniqueId("thread-pixels");
    this.large = h("div", { class: "thread-picture" });
    this.note = h("p", { class: "thread-note" });
    this.buttons = Object.keys(this.pixels).map((name) => [name, this.button(name, onShow)]);
    const choices = this.buttons.map(([name, button]) => [h("span", { class: "thread-sign", "aria-hidden": "true" }, SIGNS[name]), button]);
    this.element = h(
      "figure",
      { class: "thread-pixels", dataset: { stage: "pixels" }, "aria-labelledby": id },
      h("figcaption", { id }, h("span", { class: "thread-title" }, texts.plain("thread.pixels.title"))),
      this.large,
      h("div", { class: "thread-choices", role: "group", "aria-label": texts.plain("thread.pixels.label") }, choices),
      this.note,
    );
  }

  button(name, onShow) {
    const attributes = { type: "button", title: this.said(`${name}.help`), onclick: () => onShow(name) };
    return h("button", attributes, this.picture(name, "", SMALL), h("span", null, this.said(name)));
  }

  said(key) {
    return this.texts.plain(`thread.pixels.${key}`, this.fields);
  }

  picture(name, label, side) {
    const canvas = pictureOf({ shape: [1, ...this.shape], pixels: this.pixels[name] }, 0, label, side);
    if (!label) canvas.setAttribute("aria-hidden", "true");
    return canvas;
  }

  /** Show a picture large. */
  show(name) {
    const { norm } = this;
    fill(this.large, this.picture(name, this.said(`${name}.picture`), LARGE));
    for (const [own, button] of this.buttons) button.setAttribute("aria-pressed", String(own === name));
    const radius = name !== "clean" && norm ? ` ${this.said(norm)}` : "";
    setText(this.note, this.said(`${name}.note`) + radius);
  }

  light(lit) {
    this.element.classList.toggle("lit", lit === true);
    this.element.classList.toggle("dim", lit === false);
  }
}

/** What the attack has added, magnified, about a middle grey. */
function changeOf({ points: { clean, attacked }, magnify }) {
  return Uint8ClampedArray.from(attacked.pixels, (x, i) => GREY + magnify * (x - clean.pixels[i]));
}

// What becomes of the chosen image: who says what, and M(h)'s margin against the threshold.

import { button } from "../controls/buttons.js";
import { fill, h } from "../controls/dom.js";
import { explained } from "../controls/glossary.js";
import { className, isHere } from "./cards.js";
import { pictureOf } from "../controls/picture.js";
import { rule } from "./sentences.js";
import { WORDS } from "./words.js";

export class Story {
  static views = ["story"];

  constructor(root, context) {
    Object.assign(this, { root, context, shown: undefined });
    root.classList.add("story");
    root.setAttribute("role", "region");
    root.setAttribute("aria-label", WORDS.story.label);
  }

  update({ views: { story }, images = null }) {
    if (!isHere(this.root, story)) return;
    const text = JSON.stringify(story);
    if (text === this.shown) return;
    this.shown = text;
    if (story) this.show(story, images);
    else fill(this.root, h("p", { class: "words" }, WORDS.story.choose));
  }

  show(story, images) {
    const words = WORDS.story;
    const title = words.title(WORDS.parts[story.where], story.number);
    const votes = Object.entries(words.votes).map(([key, name]) => vote(name, story[key], story.label));
    fill(
      this.root,
      pictureOf(images, story.number, words.picture(story.number)),
      h("h3", null, title),
      h("p", null, h("b", null, words.outcomes[story.outcome]), " ", explained(rule(story)), " ", story.point ? h("small", null, words.point(story.point)) : null),
      story.mapped === story.rob ? null : h("p", { class: "warning" }, words.changed(className(story.rob), className(story.mapped))),
      h("table", { class: "plain-table", "aria-label": title }, h("tbody", null, votes)),
      button(words.close, "", () => this.context.set({ case: "paper" }), { class: "quiet" }),
    );
  }
}

function vote(name, answer, label) {
  const right = answer === label;
  const cell = h("td", { class: right ? "right" : "wrong" }, className(answer), right ? " ✓" : " ✗");
  return h("tr", null, h("th", { scope: "row" }, name), cell);
}

// The lesson's skeleton: heading, steps, words beside the plot, then one image's way; on a narrow page one below the other. At the foot
// of the screen, in reach wherever the reader is, stand the step's control and the way back and on.

import { fill, h, setText } from "../controls/dom.js";

export class Layout {
  /**
   * @param {HTMLElement} root
   * @param {{title: string, sentence: string}} heading
   * @param {import("../app/texts.js").Texts} texts
   * @param {{nav: import("./nav.js").Nav, tools: Element, messages: Element[], question: Element,
   *   classroom: Element, plots: Element}} parts
   */
  constructor(root, heading, texts, { nav, tools, messages, question, classroom, plots }) {
    const theme = new URLSearchParams(location.search).get("theme");
    if (["dark", "light"].includes(theme)) document.documentElement.dataset.theme = theme;
    const part = (name, ...children) => h("div", { class: name }, children);
    this.heading = h("h2", { tabindex: -1 });
    this.state = h("p", { class: "opening", role: "status", hidden: true });
    [this.idea, this.result, this.formula, this.more, this.control, this.live, this.score] = ["idea", "result", "formula-place", "more-place", "control-place", "live", "score-place"].map((name) => part(name));
    this.thread = h("div", { class: "thread-place" });
    this.question = question;
    this.end = part("end");
    this.words = h("section", { class: "words-part", "aria-label": texts.plain("page.text") }, this.idea, question, classroom, this.result);
    this.seen = h("section", { class: "plots-part", "aria-label": texts.plain("page.plots") }, plots, this.live, this.score);
    this.beyond = part("beyond", this.formula, this.more);
    this.body = part("step-body", this.words, this.seen, this.beyond);
    this.step = part("step", this.body, this.thread);
    this.foot = part("foot", this.control, nav.turn);
    this.source = h("footer", { class: "source" });
    this.main = h("main", null, this.heading, this.state, this.step, this.end, this.foot);
    const skip = h("button", { type: "button", class: "skip", onclick: () => this.heading.focus() }, texts.plain("page.skip"));
    const head = h("header", { class: "head" }, h("h1", null, heading.title), h("p", { class: "sentence" }, heading.sentence), tools, nav.element);
    this.app = h("div", { class: "lesson app" }, skip, head, part("messages", messages), this.main, this.source);
    fill(root, this.app);
    this.choose(null);
  }

  /** Show that something takes a while; null when it is over. */
  busy(text) {
    this.state.hidden = text === null;
    setText(this.state, text ?? "");
    this.main.setAttribute("aria-busy", String(text !== null));
  }

  /** Show a step's body, or the end, or neither while there is nothing to show. */
  choose(which) {
    this.step.hidden = which !== "step";
    if (which !== "step") this.control.hidden = true;
    this.end.hidden = which !== "end";
  }
}

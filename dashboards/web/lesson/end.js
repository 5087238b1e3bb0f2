// The end: what was learned, the reader's predictions beside the data, the explorer at the same settings, exercises.

import { button } from "../controls/buttons.js";
import { fill, h } from "../controls/dom.js";
import { shortest } from "../controls/numbers.js";
import { isHit } from "./judgement.js";
import { LEVEL } from "./lab.js";
import { answerText, completed } from "./questions.js";
import { truthKey } from "./results.js";

const EXERCISES = 6;

export class End {
  /**
   * @param {HTMLElement} root
   * @param {{explorer: string|null}} context `explorer`: its address, if the page knows one.
   */
  constructor(root, { explorer }) {
    Object.assign(this, { root, explorer });
  }

  /** @param {{step: import("./steps.js").Step, scene: object}[]} all The steps that the bundle can carry. */
  show(all) {
    if (!all.length) return fill(this.root);
    const [{ scene: { texts, lab } }] = all;
    const facts = Object.fromEntries(all.map(({ step, scene }) => [step.key, step.facts(scene)]));
    const learned = all.map(({ step }) => h("li", null, texts.line(`${step.key}.learned`, facts[step.key])));
    fill(this.root,
      texts.paragraphs("end.idea"),
      h("ul", { class: "learned" }, learned),
      h("section", { class: "card", "aria-labelledby": "lesson-predictions" }, h("h3", { id: "lesson-predictions" }, texts.plain("end.predictions")), predictions(all, facts, texts)),
      lab.best ? this.onward(lab, texts) : null,
      lab.best && facts.line && facts.power ? exercises({ ...facts.line, ...facts.power, bundle: lab.meta.name, q: facts.line.q, raw_alpha: 1 / (1 + facts.line.q), level: LEVEL }, texts) : null);
  }

  /** The way to the explorer: a link where its address is known, else what to put after one. */
  onward(lab, texts) {
    const query = explorerQuery(lab);
    const way = this.explorer
      ? h("p", null, h("a", { class: "button", href: `${this.explorer}?${query}` }, texts.plain("end.explorer_open")))
      : h("p", null, texts.plain("end.explorer_link"), h("code", { class: "query" }, `?${query}`));
    return h("section", { class: "card onward", "aria-labelledby": "lesson-onward" }, h("h3", { id: "lesson-onward" }, texts.plain("end.explorer")), texts.paragraphs("end.explorer_text"), way);
  }
}

/** The explorer's link to the mix that Algorithm 1 chose. */
export function explorerQuery({ meta, best: { s, p, c } }) {
  return `bundle=${encodeURIComponent(meta.name)}&s=${shortest(s)}&p=${shortest(p)}&c=${shortest(c)}&beta=${shortest(LEVEL)}`;
}

function predictions(all, facts, texts) {
  const rows = all.filter(({ scene }) => scene.answered && scene.answer !== null).map(({ step, scene }) => {
    const judged = step.judge(facts[step.key], scene.said);
    const truth = texts.line(truthKey(step, facts[step.key]), facts[step.key]);
    return { step, judged, truth, said: answerText(completed(step.question(scene)), scene.answer, texts) };
  });
  if (!rows.length) return h("p", null, texts.plain("end.none"));
  const good = rows.filter(({ judged }) => isHit(judged)).length;
  const heads = ["step", "said", "truth"].map((name) => h("th", { scope: "col" }, texts.plain(`end.column.${name}`)));
  const row = ({ step, judged, truth, said }) =>
    h("tr", null, h("th", { scope: "row" }, texts.plain(`${step.key}.title`)), h("td", null, said, " ", h("small", { class: `mark ${judged}` }, texts.plain(`judge.mark.${judged}`))), h("td", null, truth));
  return [h("p", null, texts.plain("end.tally", { good, all: rows.length })), h("div", { class: "table-box" }, h("table", { class: "predictions" }, h("thead", null, h("tr", null, heads)), h("tbody", null, rows.map(row))))];
}

/** The exercise sheet; on paper its solutions stand on a page of their own. */
function exercises(fields, texts) {
  const numbers = Array.from({ length: EXERCISES }, (_, at) => at + 1);
  const list = (kind) => h("ol", null, numbers.map((number) => h("li", null, texts.line(`end.${kind}.${number}`, fields))));
  return h("section", { class: "card exercises", "aria-labelledby": "lesson-exercises" },
    h("h3", { id: "lesson-exercises" }, texts.plain("end.exercises")),
    h("p", { class: "sheet-head" }, ["name", "date"].map((which) => h("span", null, texts.plain(`end.sheet_${which}`)))),
    h("p", null, texts.plain("end.exercises_note", fields)),
    list("exercise"),
    h("p", { class: "buttons" }, button(texts.plain("end.print"), "", printSheet)),
    h("details", { class: "solutions" }, h("summary", null, texts.plain("end.solutions")), list("solution")));
}

/** Print the sheet alone: a class says so to the style sheet for as long as it takes. */
function printSheet() {
  const { classList } = document.documentElement;
  classList.add("sheet-only");
  addEventListener("afterprint", () => classList.remove("sheet-only"), { once: true });
  print();
}

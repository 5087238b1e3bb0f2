// What is seen of one step, or of the end: its words, its question, its plot, its control, its formula.

import { button } from "../controls/buttons.js";
import { fill, h, setText } from "../controls/dom.js";
import { minus } from "../controls/numbers.js";
import { localNumber } from "../controls/words.js";
import { partOf } from "./classroom.js";
import { controlOf } from "./control.js";
import { End } from "./end.js";
import { ImageThread } from "./image_thread.js";
import { formulaOf } from "./math.js";
import { completed } from "./questions.js";
import { resultOf } from "./results.js";
import { scoreWants, showScore } from "./score.js";
import { decimals } from "../app/texts.js";

const PAPER = "https://openreview.net/forum?id=pyD6cujUmL";

export class StepView {
  /**
   * @param {import("./layout.js").Layout} layout
   * @param {import("./questions.js").QuestionPanel} question
   * @param {import("../charts/chart.js").Charts} charts
   * @param {{set: (changes: object) => void, refuse: (cause: string) => (problem: string|null) => void, formulas: object, settings: object[],
   *   explorer: string|null, thread: object, classView: import("./class_view.js").ClassView, bundles: string[]}} context
   */
  constructor(layout, question, charts, context) {
    Object.assign(this, { layout, question, charts, context, control: null, shown: null });
    this.end = new End(layout.end, context);
    this.thread = new ImageThread(layout.thread, context.thread, question.texts);
  }

  /** What has to be asked of the engine for a step and its score; for the end, of all steps. */
  wants(steps, scenes, ready, step) {
    const named = (prefix, wants) => Object.fromEntries(Object.entries(wants).map(([name, wanted]) => [`${prefix}.${name}`, wanted]));
    if (step > steps.length) return Object.assign({}, ...steps.map((one, at) => (ready(one, scenes[at]) ? named(one.key, one.wants(scenes[at])) : {})));
    const [one, scene] = [steps[step - 1], scenes[step - 1]];
    if (!ready(one, scene)) return {};
    return { ...named("step", one.wants(scene)), ...scoreWants(scene.lab, scene.state, steps.map(({ key }) => key)) };
  }

  /** What can be shown before the engine answers: the title, and where the control stands. */
  begin(step, scene, lab) {
    const texts = this.question.texts;
    setText(this.layout.heading, step ? `${scene.state.step}. ${texts.plain(`${step.key}.title`)}` : texts.plain("end.title"));
    if (step && this.control?.key === step.key) this.control.show(scene.state[step.control]);
    const { dataset, norm, eps } = lab.meta;
    const threat = norm ? texts.plain("page.threat", { norm: texts.plain(`page.norm.${norm}`), eps: epsText(eps) }) : "";
    fill(this.layout.source,
      h("p", null, texts.plain("page.source", { n: lab.n, m: lab.meta.n_adv, data: dataset, threat, bundle: lab.meta.name })),
      h("p", null, texts.plain("page.paper"), " ", h("a", { href: PAPER, target: "_blank", rel: "noopener" }, texts.plain("page.paper_title")), " (", texts.plain("page.paper_where"), ")"));
  }

  /** Show a step. */
  show(step, scene, ready) {
    const { layout, charts } = this;
    const { texts } = scene;
    layout.choose(ready ? "step" : null);
    if (!ready) return layout.busy(texts.plain(step.missing(scene) ?? "page.searching"));
    layout.busy(null);
    const facts = step.facts(scene);
    const question = completed(step.question(scene));
    const judged = scene.answered ? step.judge(facts, scene.said) : "shown";
    this.question.ask(scene.slot, question, texts.plain(`${step.key}.question`, facts), scene);
    this.showClass(step, scene, facts, question);
    this.showWords(step, scene, facts, question, judged);
    this.showControl(step, scene);
    for (const [name, { node }] of charts.panels) node.hidden = name !== step.key;
    this.draw(step, scene, facts);
    showScore(layout.score, scene.got, scene.lab.best ?? {}, texts);
    this.shown = { step: step.key, slot: scene.slot };
  }

  /** What the class is counted for; where the data lie only after the answer. */
  showClass(step, scene, facts, question) {
    const { classView, bundles } = this.context;
    const name = step.place ? `${step.key}-${step.place(facts)}` : step.key;
    const truth = () => partOf(question, step.fact ? step.fact(facts) : step.truth(facts).value / question.scale);
    classView.ask({ bundle: bundles.indexOf(scene.state.bundle), question: name }, question, scene.answered ? truth() : null);
  }

  showWords(step, scene, facts, question, judged) {
    const { layout } = this;
    const { texts, answered } = scene;
    fill(layout.idea, texts.paragraphs(`${step.key}.idea`, facts));
    const key = JSON.stringify([step.key, scene.slot, scene.answer, answered, scene.state.bundle]);
    if (key !== this.resultKey) fill(layout.result, resultOf(step, scene, facts, question, judged)); // it is read out: only where it changes
    this.resultKey = key;
    const numbers = step.numbers && answered ? Object.fromEntries(Object.entries(step.numbers(facts)).map(([name, [value, digits]]) => [name, numberText(value, digits)])) : null;
    fill(layout.formula, numbers ? formulaOf(this.context.formulas[step.key], numbers, texts.plain(step.caption, facts)) : null);
    const more = () => h("details", { class: "more-words" }, h("summary", null, texts.plain(`${step.key}.more.title`)), texts.paragraphs(`${step.key}.more`, facts));
    if (this.shown?.step !== step.key || this.moreOf !== scene.lab) fill(layout.more, more());
    this.moreOf = scene.lab;
    const live = step.live(scene);
    fill(layout.live, live ? texts.line(live, facts) : texts.plain("page.not_yet"));
  }

  showControl(step, scene) {
    const { layout, context, thread } = this;
    const { texts } = scene;
    const key = `${step.key} ${scene.state.bundle}`;
    if (this.control?.id !== key) {
      const setting = context.settings.find(({ name }) => name === step.control);
      const control = controlOf(step, setting, scene, { set: (value) => context.set({ [step.control]: value }), refuse: context.refuse(step.control) });
      const back = () => {
        context.set({ [step.control]: null });
        (control.element.querySelector("input") ?? control.element.querySelector("button")).focus(); // this button goes
      };
      const reset = button("↺", texts.plain("reset.help"), back, { class: "reset", "aria-label": texts.plain("reset.label") });
      this.control = { id: key, key: step.key, reset, show: (value) => control.show(value) };
      fill(layout.control, control.element, reset);
    }
    layout.control.hidden = !scene.answered && step.control !== "example";
    this.control.reset.hidden = !scene.moved || step.control === "example"; // an image is another question, not a setting
    const value = scene.state[step.control] ?? step.stands?.(scene.got) ?? null;
    if (value !== null) this.control.show(value);
    thread.show(step.key, { ...scene.state, [step.control]: value });
  }

  draw(step, scene, facts) {
    const { texts, answered } = scene;
    const hidden = texts.has(`${step.key}.alternative_hidden`) && !answered;
    const words = { note: texts.plain(`${step.key}.note_line`, facts), alternative: texts.plain(`${step.key}.alternative${hidden ? "_hidden" : ""}`, facts) };
    const { remix } = Object.values(scene.got)[0];
    const figure = step.figure(scene, facts);
    this.charts.draw({ remix: scene.got.now?.remix ?? remix, meta: scene.meta, figures: { [step.key]: { ...figure, ...words } } }, [step.key]);
  }

  /** Show the end. */
  showEnd(steps, scenes, ready) {
    const { lab } = scenes[0];
    this.layout.choose("end");
    this.context.classView.close();
    this.layout.busy(lab.survives && lab.wrong && !lab.best ? this.question.texts.plain("page.searching") : null);
    for (const { node } of this.charts.panels.values()) node.hidden = true;
    Object.assign(this, { shown: null, control: null, resultKey: null });
    this.end.show(steps.map((step, at) => ({ step, scene: scenes[at] })).filter(({ step, scene }) => ready(step, scene)));
  }
}

function numberText(value, digits) {
  return Math.abs(value) > 0 && Math.abs(value) < 0.5 * 10 ** -digits ? localNumber(minus(value.toExponential(2))) : decimals(value, digits);
}

function epsText(eps) {
  const levels = eps * 255;
  return Math.abs(levels - Math.round(levels)) < 1e-6 ? `${Math.round(levels)}/255` : localNumber(String(Number(eps.toPrecision(4))));
}

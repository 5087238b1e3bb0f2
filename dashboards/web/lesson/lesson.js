// The lesson: what the page is made of, and how an answer or a slider finds its way through it.
//
// change -> state -> control at once; -> engine -> one frame -> words, plot, score

import { copyText, pageAddress } from "../app/address.js";
import { Frames } from "../app/frames.js";
import { History } from "../app/history.js";
import { OpenBundle } from "../app/open_bundle.js";
import { printOnPaper } from "../app/print.js";
import { createState, same } from "../app/state.js";
import { Charts } from "../charts/chart.js";
import { Announcer } from "../controls/announce.js";
import { Banner } from "../controls/banner.js";
import { button } from "../controls/buttons.js";
import { Choice } from "../controls/choice.js";
import { h } from "../controls/dom.js";
import { EngineClient } from "../engine/client.js";
import { catalogueOf, prepare } from "./catalogue.js";
import { ClassView } from "./class_view.js";
import { classroomOf, partOf } from "./classroom.js";
import { Lab } from "./lab.js";
import { languageChoice, speakIn } from "./languages.js";
import { Layout } from "./layout.js";
import { readLink, writeLink } from "./links.js";
import { Nav } from "./nav.js";
import { Presentation } from "./presentation.js";
import { QuestionPanel, completed } from "./questions.js";
import { answersOf, sceneOf } from "./scene.js";
import { StepView } from "./step_view.js";
import { STEPS } from "./steps.js";

/**
 * Build the lesson and open what its address asks for.
 *
 * @param {HTMLElement} root
 * @param {import("../host/file.js").Host} host With `languages`, `language`, `controls`, `formulas`, `colours`, `themes`, `thread`, see `dashboards/lesson/page_file.py`.
 * @param {() => Worker} makeWorker Starts a worker on the engine.
 * @returns {Promise<{close: () => void, refuse: (cause: string, problems: string[]) => void, lost: () => string}>}
 */
export async function startLesson(root, host, makeWorker) {
  const lesson = new Lesson(root, host, makeWorker);
  await lesson.start();
  return { close: () => lesson.close(), refuse: (cause, problems) => lesson.banner.show(cause, problems), lost: () => lesson.texts.plain("page.lost") };
}

const LAST = STEPS.length + 1; // the end is a place of its own
const KEYS = STEPS.map(({ key }) => key);

class Lesson {
  constructor(root, host, makeWorker) {
    Object.assign(this, { host, settings: host.controls, address: host.address ?? pageAddress(), root, lab: null, history: null });
    this.starts = Object.fromEntries(this.settings.map((setting) => [setting.name, setting.default]));
    this.defaults = { step: 1, said: {}, ...Object.fromEntries(this.settings.map(({ name }) => [name, null])) }; // no control has been moved
    this.store = createState({ defaults: this.defaults }, { bundle: "" });
    this.banner = new Banner();
    this.announcer = new Announcer();
    this.client = new EngineClient(makeWorker, { frame: (frame) => this.frames.receive(frame), error: (message) => this.fail(message) });
    this.frames = new Frames(this.client);
    this.bundle = new OpenBundle({ open: (name) => this.lookInto(name) }, this.client);
    printOnPaper(root);
    this.classroom = classroomOf(host);
    this.speak(this.read(this.address.query).shown.language ?? host.language);
    this.store.subscribe((state, before, options) => this.changed(state, before, options));
  }

  /** Make the page in a language: another one is the same page anew, on the same bundle and answers. */
  speak(language) {
    if (language === this.language) return;
    this.language = language;
    const { texts, heading } = speakIn(language, this.host, this.root);
    this.texts = texts;
    this.closeParts();
    this.makeParts(heading);
  }

  makeParts(heading) {
    const { texts, host, root } = this;
    const act = (does) => (...given) => this.history && does(...given); // not before there is something to act on
    const refuse = (cause) => (problem) => this.banner.show(cause, problem === null ? [] : [problem]);
    const titles = [...KEYS.map((key) => texts.plain(`${key}.title`)), texts.plain("end.title")];
    this.nav = new Nav(titles, texts, act((step) => this.go(step)));
    this.question = new QuestionPanel(texts, { answer: act((value) => this.answer(value)), forget: act(() => this.forget()) });
    this.classView = new ClassView(this.classroom, texts);
    const plots = h("div", { class: "plots" });
    this.data = new Choice({ label: texts.plain("page.bundle"), choices: host.bundles.map(({ name }) => [name, name]), onChoose: act((bundle) => this.store.set({ bundle })) });
    this.data.element.hidden = host.bundles.length < 2;
    this.tongue = languageChoice(host, this.language, texts, act((language) => this.translate(language)));
    const copy = button(texts.plain("page.copy"), "", act(() => this.copy()));
    const again = button(texts.plain("page.again"), "", act(() => this.again()));
    const tools = h("div", { class: "tools" }, this.data.element, this.tongue.element, copy, again);
    const parts = { nav: this.nav, tools, messages: [this.banner.element, this.announcer.element], question: this.question.element, classroom: this.classView.element, plots };
    this.layout = new Layout(root, heading, texts, parts);
    const named = { data: this.data.element, language: this.tongue.element, copy, again, steps: this.nav.element, turn: this.nav.turn, show: this.question.show };
    for (const name of ["control", "score", "formula", "more", "thread", "source"]) named[name] = this.layout[name];
    this.presentation = new Presentation(this.layout.app, named, texts, { turn: act((by) => this.go(this.store.get().step + by)), changed: act(() => this.reshown()) });
    tools.append(this.presentation.enter);
    this.layout.app.append(this.presentation.leave);
    this.charts = new Charts(plots, catalogueOf(texts, host.themes), { prepare, onEvent: (event) => this.onChart(event), current: () => this.drawn });
    this.view = new StepView(this.layout, this.question, this.charts, {
      set: (changes) => this.store.set(changes), refuse, formulas: host.formulas, settings: this.settings, explorer: host.explorer ?? null, thread: host.thread, copy: copyText, classView: this.classView, bundles: host.bundles.map(({ name }) => name),
    });
  }

  // --- coming here
  async start() {
    this.layout.app.inert = true;
    await this.arrive(this.address.query);
    this.layout.app.inert = false;
    this.history = new History(this.store, this.address, {
      link: (state) => writeLink(this.settings, state, { ...this.presentation.shown, language: this.language === this.host.language ? null : this.language }),
      arrive: (query) => this.arrive(query),
      changed: () => {},
    });
    const refuse = (text) => this.banner.show("kernel", [text]);
    this.host.connect?.({ store: this.store, arrive: (query) => this.arrive(query), refuse });
  }

  /** What a link asks for. */
  read(query) {
    const { bundles, languages } = this.host;
    return readLink(this.settings, query, { bundles: bundles.map(({ name }) => name), languages: Object.keys(languages), steps: LAST, slots: KEYS });
  }

  /** Bring the lesson to what a link asks for; what is wrong with it is said, the rest applies. */
  async arrive(query) {
    const { host, store } = this;
    const { values, shown, problems } = this.read(query);
    this.speak(shown.language ?? host.language);
    this.presentation.show(shown);
    const wanted = values.bundle ?? this.bundle.name ?? host.bundles[0].name;
    await this.openOneOf(wanted);
    store.set({ ...this.defaults, ...values, bundle: this.bundle.name }, { undoable: false });
    this.banner.show("link", problems.map(([key, fields]) => this.texts.plain(key, fields)));
    await this.show();
  }

  /** Open a bundle, or else stay with the one before, or open the first that can be. */
  async openOneOf(name) {
    const { bundle } = this;
    const others = [bundle.name, ...this.host.bundles.map((one) => one.name)].filter((one) => one && one !== name);
    const problems = [];
    for (const one of [name, ...others]) {
      try {
        if (!bundle.ready || bundle.name !== one) {
          this.layout.busy(this.texts.plain("page.loading", { name: one }));
          if (!(await bundle.open(one))) return; // another one is wanted by now
          this.opened();
        }
        this.banner.show("bundle", problems);
        return;
      } catch (error) {
        problems.push(error.message);
      }
    }
    throw new Error(problems.join(" "));
  }

  /** The arrays go to the engine: what the lesson needs of them is looked at before. */
  async lookInto(name) {
    const opened = await this.host.open(name);
    this.next = new Lab(opened.record, opened.meta, opened.images);
    return opened;
  }

  opened() {
    this.frames.forget();
    this.lab = this.next;
    this.lab.take(this.bundle.base);
    this.findBest();
  }

  /** The transform that Algorithm 1 chooses is shown as soon as it is found. */
  findBest() {
    const { lab } = this;
    const say = ({ message }) => lab === this.lab && this.banner.show("search", [message]);
    lab.findBest(this.client).then((found) => found && lab === this.lab && this.show(), say);
  }

  // --- what the reader does
  go(step) {
    this.history.part();
    this.store.set({ step: Math.min(Math.max(step, 1), LAST) });
    this.layout.heading.focus({ preventScroll: true });
    this.layout.main.scrollIntoView({ block: "start" });
  }

  /** Take an answer: the control goes to the setting that was asked about. */
  answer(value) {
    const { scene } = this;
    this.history.part();
    if (value !== null) this.classView.say(partOf(completed(this.step.question(scene)), value));
    this.store.set({ said: { ...this.store.get().said, [scene.slot]: value }, ...this.released() });
  }

  /** Take an answer back: the control is where it was at the beginning. */
  forget() {
    const { [this.scene.slot]: _, ...said } = this.store.get().said;
    this.store.set({ said, ...this.released() });
  }

  /** The step's control as nobody has moved it; which image is asked about stays. */
  released() {
    return this.step.control === "example" ? {} : { [this.step.control]: null };
  }

  /** Go on in another language, at the same place. */
  translate(language) {
    const { shown } = this.presentation;
    this.speak(language);
    this.presentation.show(shown);
    this.history.agree();
    this.tongue.select.focus();
    this.show();
  }

  /** The presenter's view was entered or left. */
  reshown() {
    this.history.agree();
    this.layout.heading.focus({ preventScroll: true });
  }

  again() {
    const { bundle } = this.store.get();
    this.store.set({ ...this.defaults, bundle });
  }

  async copy() {
    this.history.flush();
    this.announcer.say(this.texts.plain((await copyText(this.address.href)) ? "page.copied" : "page.not_copied"));
  }

  // --- what the page shows
  changed(state, before, { undoable }) {
    if (undoable) this.banner.clear("link");
    if (state.bundle !== this.bundle.wanted) {
      const said = (bundle) => (bundle === before.bundle ? state.said : {}); // nobody has answered the questions of another one
      const follow = () => this.store.set({ bundle: this.bundle.name, said: said(this.bundle.name) }, { undoable: false });
      this.openOneOf(state.bundle).then(follow, ({ message }) => this.fail(message));
    } else if (this.lab && this.bundle.ready && !same(state, before)) this.show();
  }

  get step() {
    return STEPS[this.store.get().step - 1] ?? null;
  }

  /** What a step is shown from, see `scene.js`. */
  sceneOf(step, got = {}) {
    const { lab, texts, starts, host, store } = this;
    return sceneOf(step, { lab, texts, starts, colours: host.colours, own: store.get(), got });
  }

  get scene() {
    return this.sceneOf(this.step, this.got);
  }

  /** Show where the reader is, once the engine has answered; of several calls the newest counts. */
  show() {
    this.data.show(this.store.get().bundle);
    this.drawn = this.showNow().catch((error) => this.fail(error.message));
    return this.drawn;
  }

  async showNow() {
    const { step } = this.store.get();
    const scenes = STEPS.map((one) => this.sceneOf(one));
    this.nav.show(step, STEPS.map(({ key }) => Object.keys(this.store.get().said).some((slot) => slot.split("-")[0] === key)));
    const ready = (one, scene) => !one.missing(scene) && (!one.needsBest || this.lab.best);
    const wants = this.view.wants(STEPS, scenes, ready, step);
    this.view.begin(this.step, step <= STEPS.length ? scenes[step - 1] : null, this.lab);
    const got = await this.frames.get(wants);
    if (!got) return; // newer ones have come
    this.got = Object.fromEntries(Object.entries(got).map(([name, frame]) => [name.replace(/^step\./, ""), frame]));
    await new Promise(requestAnimationFrame);
    if (this.step) this.view.show(this.step, this.scene, ready(this.step, this.scene));
    else this.view.showEnd(STEPS, STEPS.map((one) => this.sceneOf(one, answersOf(got, one.key))), ready);
  }

  onChart({ kind, detail }) {
    if (kind === "error") this.banner.show("drawing", [String(detail?.message ?? detail)]);
  }

  fail(message) {
    this.frames.fail(message);
    this.layout.busy(null);
    this.banner.show("engine", [message]);
  }

  closeParts() {
    this.banner.clear("link");
    this.classView?.close();
    this.presentation?.close();
    this.charts?.close();
  }

  close() {
    this.closeParts();
    this.client.close();
  }
}

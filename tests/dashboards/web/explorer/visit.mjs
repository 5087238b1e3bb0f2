// A whole app in node, without drawing: a visitor's acts in, a line each, what there is to see out.
//
// Time is the tests' own: it passes when nothing else is to be done.

import { createInterface } from "node:readline";
import { Browser } from "../browser.mjs";
import { all, isShown, makeDocument } from "./dom.mjs";

// --- time
const turn = () => new Promise((resolve) => setImmediate(resolve));
let now = 0;
let timers = [];
const LONG = 1500; // milliseconds that no visitor here waits: then all is drawn, seen or not
globalThis.setTimeout = (call, after = 0) => {
  const timer = { call, at: now + after };
  if (after < LONG) timers.push(timer);
  return timer;
};
globalThis.clearTimeout = (timer) => (timers = timers.filter((one) => one !== timer));
globalThis.setInterval = () => null;
globalThis.clearInterval = () => {};
globalThis.requestAnimationFrame = (call) => setTimeout(() => call(now), 16);
Object.defineProperty(globalThis, "performance", { value: { now: () => now }, configurable: true });

let body = makeDocument();
let ears = 0; // of the page at the window and the document
let heard = []; // those who listen to the window's keys
const hear = (event) => heard.forEach((listen) => listen(event));
const copied = [];
let saved = null; // the last file that the page has saved
URL.createObjectURL = (blob) => ((saved = blob), "blob:saved");
Object.defineProperty(globalThis, "navigator", {
  value: { hardwareConcurrency: 1, clipboard: { writeText: async (text) => copied.push(text) } },
  configurable: true,
});

const web = "../../../../dashboards/web";
const { startExplorer } = await import(`${web}/explorer/explorer.js`);
const { startPlayground } = await import(`${web}/explorer/playground.js`);
const { startLesson } = await import(`${web}/lesson/lesson.js`);
const { startCompare } = await import(`${web}/compare/compare.js`);
const { Searches } = await import(`${web}/engine/search/searches.js`);
const { EngineService } = await import(`${web}/engine/service.js`);
const { NO_ANSWER } = await import(`${web}/app/no_answer.js`);
const { withArrays } = await import(`${web}/host/arrays.js`);

// --- the engine's worker
let visits = 0; // of all cells of a grid
const { visit } = Searches.prototype;
Searches.prototype.visit = function (...given) {
  visits++;
  return visit.apply(this, given);
};
let held = false; // whether searches wait
let working = 0;

class Worker {
  postMessage(message) {
    working++;
    queueMicrotask(() => this.take(message).finally(() => working--));
  }

  async take({ type, ...data }) {
    if (type === "load") this.service = new EngineService(data.bundle, data.options);
    if (type === "load") this.answer({ type: "loaded", base: this.service.base });
    else if (type === "state") this.guarded("error", data.number, () => ({ type: "frame", ...this.service.frame(data.state, data.views) }));
    else if (type === "search") this.search(data);
    else if (type === "cancel") this.number = null;
  }

  async search({ number, request }) {
    this.number = number;
    while (held) await turn();
    if (this.number !== number) return;
    working++;
    await turn();
    this.guarded("failed", number, () => {
      const work = this.service.search(request);
      let step = work.next();
      while (!step.done) step = work.next();
      return { type: "found", result: step.value };
    });
    working--;
  }

  guarded(failed, number, made) {
    try {
      this.answer({ number, ...made() });
    } catch (error) {
      this.answer({ type: failed, number, message: error.message });
    }
  }

  answer(data) {
    this.onmessage?.({ data: structuredClone(data) });
  }

  terminate() {
    this.number = null;
  }
}

// --- the page
let page = null;
let app = null; // what ends it
let failed = null; // why the page could not be opened
let browser = null;
let waiting = new Set(); // names of bundles that do not come yet
let isCutOff = false; // whether no bundle can be fetched any more
const used = new Set(); // keys of the lesson's sentences that were asked for

async function start({ page: known, bundles, query = "", slow = [] }) {
  body = makeDocument();
  heard = [];
  globalThis.addEventListener = (type, listen) => (ears++, type === "keydown" && heard.push(listen));
  document.addEventListener = () => ears++;
  globalThis.removeEventListener = document.removeEventListener = () => ears--;
  [timers, browser, waiting, isCutOff] = [[], new Browser(query), new Set(slow), false];
  const host = {
    kind: "file",
    ...known,
    bundles: bundles.map(({ name }) => ({ name, title: name })),
    open: async (name) => {
      while (waiting.has(name)) await turn();
      if (isCutOff) throw new Error("the kernel has ended", { cause: NO_ANSWER });
      const found = bundles.find((one) => one.name === name);
      if (found.broken) throw new Error(found.broken);
      return withArrays(structuredClone(found));
    },
    services: {},
    address: browser,
    connect: (connected) => (page = connected),
  };
  page = null;
  failed = null;
  if (known.app === "lesson") host.languages = { ...known.languages, en: new Proxy(known.languages.en, { get: (all, key) => (used.add(key), all[key]) }) };
  const begin = { explorer: startExplorer, playground: startPlayground, lesson: startLesson, compare: startCompare }[known.app];
  ears = 0;
  begin(body, host, () => new Worker()).then((begun) => (app = begun), (error) => (failed = error));
}

/** Until nothing is to be done, but for what is kept from its end. */
async function rest() {
  for (let quiet = 0; quiet < 5; quiet++) {
    await turn();
    if (working) quiet = 0;
    else if (quiet === 4 && timers.length) {
      const next = timers.reduce((one, other) => (other.at < one.at ? other : one));
      now = Math.max(now, next.at);
      clearTimeout(next);
      next.call();
      quiet = 0;
    }
  }
  if (failed) throw failed;
  now += 1000; // the next change is a step of its own
}

// --- what a visitor sees
const text = (node) => (node.hidden ? "" : node.childNodes.length ? node.childNodes.map(text).join("") : node.textContent);
const words = (element) => text(element).replaceAll("\u00a0", " ").trim();
const named = (element) => element.attributes["aria-label"] ?? words(element);
const shown = (test) => all(body).filter((one) => test(one) && isShown(one));

function one(test, what) {
  const [found] = shown(test);
  if (!found) throw new Error(`there is no ${what} to be seen`);
  return found;
}

const control = (label, tag) => {
  const [found] = shown((element) => element.tag === "label" && words(element).startsWith(label));
  if (!found) throw new Error(`there is no control ${label}`);
  return all(found.parent).find((element) => element.tag === tag && (tag !== "input" || element.attributes.type !== "range"));
};

function look() {
  const table = shown((element) => element.dataset.row);
  const select = control("Preset", "select");
  const button = (name) => all(body).find((element) => element.tag === "button" && element.textContent === name);
  const progress = button("Cancel");
  return {
    state: page?.store.get() ?? null,
    address: browser.query,
    entries: browser.entries.length,
    rows: Object.fromEntries(table.map((row) => [row.dataset.row, row.children.slice(1).map(words)])),
    errors: shown((element) => element.matches("div.banner")).flatMap((banner) => banner.querySelectorAll("li").map((line) => words(line.firstChild))),
    preset: select.children[select.selectedIndex] ? words(select.children[select.selectedIndex]) : null,
    presets: select.children.map(words),
    found: words(all(body).find((element) => element.matches("div.found") && element.parent.matches("div.search"))),
    searching: isShown(progress),
    undo: !button("Undo").disabled,
    redo: !button("Redo").disabled,
    copied: copied.at(-1) ?? null,
    text: words(body),
    opening: words(all(body).find((element) => element.matches("p.opening"))),
  };
}

/** What there is to see of the lesson. */
function lesson() {
  const part = (name) => shown((element) => element.classList.contains(name)).map(words).join(" ");
  const inputs = shown((element) => element.tag === "input" && element.closest("div.question"));
  const banner = shown((element) => element.matches("div.banner"));
  return {
    state: page?.store.get() ?? null,
    address: browser.query,
    title: words(one((element) => element.tag === "h2" && element.parent.tag === "main", "title")),
    errors: banner.flatMap((found) => found.querySelectorAll("li").map((line) => words(line.firstChild))),
    waits: part("opening"),
    ...Object.fromEntries(["idea", "question", "verdict", "result", "live", "formula", "score", "end", "source"].map((name) => [name, part(name)])),
    checked: inputs.filter(({ checked }) => checked).map(({ parent }) => words(parent)),
    disabled: inputs.every(({ disabled }) => disabled),
    control: shown((element) => element.tag === "input" && element.closest("div.control-place")).map(({ value }) => String(value)),
    done: all(body).filter((element) => "answered" in element.dataset).map(words),
    used: [...used],
  };
}

/** What there is to see of the comparison. */
function compare() {
  const lines = (name) => shown((element) => element.classList.contains(name)).flatMap((found) => found.querySelectorAll("li").map(words));
  const boxes = all(body).filter((element) => element.matches("label.bundle-choice"));
  return {
    state: page?.store.get() ?? null,
    address: browser.query,
    errors: shown((element) => element.matches("div.banner")).flatMap((banner) => banner.querySelectorAll("li").map((line) => words(line.firstChild))),
    notes: lines("notes"),
    reasons: lines("reasons"),
    same: words(all(body).find((element) => element.matches("div.differences"))),
    differs: shown((element) => element.matches("table.differs")).flatMap((found) => found.querySelectorAll("tr").map((row) => row.children.map(words))),
    bundles: boxes.map((label) => [words(label), label.querySelector("input").checked]),
    pair: words(all(body).find((element) => element.matches("div.pair")).children[1]),
    remark: words(all(body).find((element) => element.matches("p.remark"))),
    searching: isShown(all(body).find((element) => element.tag === "progress")),
  };
}

/** All that the page says, hidden parts and what only screen readers say included, formulas aside. */
function texts() {
  const said = all(body).filter((element) => !element.closest?.("figure.formula"));
  const attributes = said.flatMap((element) => ["title", "aria-label", "placeholder", "aria-roledescription"].map((name) => element.attributes[name]));
  const lines = said.flatMap((element) => element.childNodes.filter((node) => !node.tag).map((node) => node.textContent));
  return [...new Set([...attributes, ...lines])].filter(Boolean);
}

/** The rows of a table that can be seen, by their keys, each as its cells; and its note. */
function table(label) {
  const found = one((element) => element.tag === "table" && element.attributes["aria-label"] === label, label);
  const rows = found.querySelectorAll("tr").filter((row) => row.dataset.key !== undefined);
  const note = found.parent.parent.querySelector("p.table-note");
  const chosen = rows.find((row) => row.attributes["aria-selected"] === "true");
  return {
    rows: rows.map((row) => ({ key: row.dataset.key, cells: row.children.map(words), tips: row.children.map((cell) => cell.attributes.title ?? "") })),
    note: note ? words(note) : "",
    chosen: chosen?.dataset.key ?? null,
    sorted: found.querySelectorAll("th").filter((head) => head.attributes["aria-sort"]).map((head) => [words(head), head.attributes["aria-sort"]]),
  };
}

const setting = (name) => one((element) => element.dataset.setting === name, name);

// --- what a visitor does
const ACTS = {
  start,
  look,
  lesson,
  compare,
  texts,
  searches: () => visits,
  saved: () => saved.text(),
  tick: (name) => {
    const label = one((element) => element.matches("label.bundle-choice") && words(element) === name, name);
    const box = label.querySelector("input");
    box.checked = !box.checked;
    box.fire("change");
  },
  mark: (label) => {
    const radio = one((element) => element.tag === "label" && words(element) === label && element.querySelector("input"), label).querySelector("input");
    Object.assign(radio, { checked: true });
    radio.fire("change");
  },
  table,
  text: (name) => words(one((element) => element.classList.contains(name), name)), // of an element by its class
  press: (label) => {
    const found = one((element) => element.tag === "button" && named(element) === label, label);
    if (!found.disabled) found.click();
  },
  isDisabled: (label) => one((element) => element.tag === "button" && named(element) === label, label).disabled,
  choose: (label, text) => {
    const select = control(label, "select");
    const place = select.children.findIndex((option) => words(option) === text);
    if (place < 0) throw new Error(`${label} does not offer ${text}`);
    select.selectedIndex = place;
    select.fire("change");
  },
  offers: (label) => control(label, "select").children.map(words),
  type: (name, text) => {
    const box = all(setting(name)).find((element) => element.matches("input.number-box"));
    enter(box, text);
  },
  box: (name) => {
    const element = setting(name);
    const [range, box] = all(element).filter(({ tag }) => tag === "input");
    return { value: box.value, disabled: box.disabled, low: Number(range.min), high: Number(range.max), place: Number(range.value) };
  },
  typeInto: (label, text) => enter(control(label, "input"), text),
  field: (label) => (({ value, disabled }) => ({ value, disabled }))(control(label, "input")),
  slide: (name, place) => {
    const range = all(setting(name)).find((element) => element.attributes.type === "range");
    Object.assign(range, { value: place });
    range.fire("input");
    range.fire("change");
  },
  filter: (label, text) => {
    const field = one((element) => element.attributes.type === "search" && named(element) === `Filter: ${label}`, label);
    field.value = text;
    field.fire("input");
  },
  choice: (label, key) => {
    const found = one((element) => element.tag === "table" && element.attributes["aria-label"] === label, label);
    found.querySelectorAll("tr.choice").find((row) => row.dataset.key === String(key)).click();
  },
  go: (steps) => browser.go(steps),
  link: (query) => page.arrive(query),
  file: (name, text) => {
    const chooser = all(body).find((element) => element.attributes.type === "file");
    Object.assign(chooser, { files: [{ name, text: async () => text }] });
    chooser.fire("change");
  },
  key: (key, tag = "h2") => void hear({ key, target: { tagName: tag.toUpperCase() }, preventDefault() {} }), // as the window hears it
  hold: (wanted) => (held = wanted),
  comes: (name) => waiting.delete(name),
  cutOff: (wanted) => (isCutOff = wanted),
  order: (label, column) => {
    const found = one((element) => element.tag === "table" && element.attributes["aria-label"] === label, label);
    found.querySelectorAll("button").find((button) => words(button) === column).click();
  },
  close: () => (app.close(), ears),
  isShown: (text) => shown((element) => named(element) === text).length > 0,
};

function enter(box, text) {
  box.focus();
  box.value = text;
  box.fire("change");
  box.blur();
}

for await (const line of createInterface({ input: process.stdin })) {
  const acts = JSON.parse(line);
  const answers = [];
  try {
    for (const [name, ...given] of acts) {
      answers.push((await ACTS[name](...given)) ?? null);
      await rest();
    }
    process.stdout.write(`${JSON.stringify({ answers })}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ error: String(error.stack) })}\n`);
  }
}

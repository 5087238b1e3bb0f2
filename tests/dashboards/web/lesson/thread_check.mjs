// Mounts the thread in node, without drawing, and fails on the first thing that is wrong.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { all, makeDocument } from "../explorer/dom.mjs";

const body = makeDocument();
let frames = [];
let still = false;
let now = 0;
globalThis.requestAnimationFrame = (call) => frames.push(call);
globalThis.cancelAnimationFrame = () => (frames = []);
globalThis.ImageData = class {
  constructor(width, height) {
    this.data = new Uint8ClampedArray(4 * width * height);
  }
};
globalThis.matchMedia = () => ({ matches: still, addEventListener() {} });

const web = "../../../../dashboards/web/lesson";
const { mountThread } = await import(`${web}/thread/thread.js`);
const { CHARTS, STAGES, leaderOf, numbersOf, shownClasses } = await import(`${web}/thread/numbers.js`);
const { IDENTITY } = await import(`${web}/../engine/params.js`);
const { ending } = await import(`${web}/thread/axes.js`);
const { Texts } = await import(`${web}/../app/texts.js`);
const sentences = JSON.parse(await readFile(new URL(`${web}/texts/en.json`, import.meta.url), "utf8"));
const TEXTS = new Texts(sentences);

const point = (std, rob, grey) => ({ pixels: [0, grey, grey, 255], std, rob });
const EXAMPLE = {
  kind: "held",
  number: 4,
  point: "attacked",
  label: 0,
  rival: 1,
  classes: ["ab", "cd", "ef"],
  shape: [2, 2, 1],
  magnify: 2,
  norm: "Linf",
  eps: 0.1875,
  points: { clean: point([6, 0, 1], [4, 1, -2], 10), attacked: point([0, 6, 1], [2.5, 0.5, -3], 30) },
};
const IDENTITY_MIX = { ...IDENTITY, beta: 0.9, alpha: 0.9, temperature: 0 };
const SETTINGS = { s: 60, p: 3, c: -0.5, clamp: "gelu", ln_k: 250, beta: 0.9, alpha: 0.9, temperature: 0 };

/** Frames until nothing moves; how many. */
function run(most = 1000) {
  let count = 0;
  for (; frames.length && count < most; count++) {
    now += 16;
    for (const call of frames.splice(0)) call(now);
  }
  return count;
}

const found = (test) => all(body).filter(test);
const stage = (name) => found((one) => one.dataset.stage === name)[0];
const chart = (name) => stage(name).querySelector("div.thread-chart");
const rows = (name) => chart(name).querySelectorAll("div.thread-row");
const numbers = (name) => rows(name).map((row) => row.querySelector("span.thread-number").textContent);
const widths = (name) => rows(name).map((row) => parseFloat(row.querySelector("span.thread-part").style.width));
const aloud = () => found((one) => one.attributes.role === "status")[0].textContent;
const mount = (more = {}) => mountThread(body, { example: EXAMPLE, settings: SETTINGS, texts: TEXTS, ...more });

// --- what stands there is the engine's numbers
let thread = mount();
const at = (point, settings) => numbersOf(EXAMPLE.points[point], settings);
assert.deepEqual(numbers("softmax"), Array.from(at("attacked", SETTINGS).softmax, (p) => p.toFixed(3)));
assert.equal(run(), 0, "nothing moves at first");
assert.deepEqual(found((one) => one.attributes.role === "img" && one.attributes.tabindex === "0").length, CHARTS.length);
for (const name of CHARTS) {
  const label = chart(name).attributes["aria-label"];
  for (const text of numbers(name)) assert(label.includes(text), `${name}: ${label}`);
  const leader = name === "mix" ? at("attacked", SETTINGS).answer : leaderOf(at("attacked", SETTINGS)[name]);
  assert.deepEqual(rows(name).map((row) => row.classList.contains("leads")), EXAMPLE.classes.map((_, k) => k === leader), name);
}
assert(rows("ln")[0].classList.contains("true") && rows("ln")[1].classList.contains("rival"));

// --- settings: every frame is a mix on the way, and the last one exact
const goal = { ...SETTINGS, s: 0.05, alpha: 0.6 };
thread.update(goal);
const seen = [];
while (run(1)) seen.push(widths("softmax")[0]);
assert(seen.length > 5, "it takes its time");
assert(seen.every((width, i) => i === 0 || width <= seen[i - 1] + 1e-9), "and goes one way");
assert.deepEqual(numbers("mix"), Array.from(at("attacked", goal).mix, (p) => p.toFixed(3)));
assert(Math.abs(seen.at(-1) - 100 * at("attacked", goal).softmax[0]) < 0.01);
assert.match(aloud(), /answers cd: wrong/);

// --- what leaps, fades over; the picture decides which point is followed
const before = widths("h")[0];
const press = (name) => stage("pixels").querySelectorAll("button").find((one) => one.textContent.startsWith(name)).click();
press("clean");
run(1);
const between = widths("h")[0];
run();
assert(before < between && between < widths("h")[0]);
assert.equal(numbers("h")[0], "4.00");
press("added");
run();
assert.equal(numbers("h")[0], "2.50");
assert.equal(stage("pixels").querySelectorAll("button").filter((one) => one.attributes["aria-pressed"] === "true").length, 1);
thread.update({ ...goal, clamp: "relu", temperature: 1 });
run();
assert.deepEqual(numbers("clamp"), Array.from(at("attacked", { ...goal, clamp: "relu" }).clamp, (v) => v.toFixed(2)));

// --- no motion for those who want none
still = true;
thread.update(SETTINGS);
assert.equal(run(), 1);
assert.deepEqual(numbers("power"), Array.from(at("attacked", SETTINGS).power, (v) => v.toFixed(2).replace("-", "−")));
still = false;

// --- stages are lit and dimmed
thread.light(["ln", "pixels"]);
assert.deepEqual(STAGES.filter((name) => stage(name).classList.contains("lit")), ["pixels", "ln"]);
assert.equal(STAGES.filter((name) => stage(name).classList.contains("dim")).length, STAGES.length - 2);
thread.light(null);
assert(STAGES.every((name) => !stage(name).classList.contains("lit") && !stage(name).classList.contains("dim")));
assert.throws(() => thread.light(["layer norm"]), /stages are pixels, h, ln/);

// --- what comes later in the lesson cannot be seen, nor reached
thread.keepBack(["ln", "clamp", "power", "vote", "mix"]);
assert.deepEqual(CHARTS.filter((name) => stage(name).inert), ["ln", "clamp", "power", "vote", "mix"]);
assert(stage("ln").classList.contains("ahead") && !stage("softmax").classList.contains("ahead"));
thread.update(IDENTITY_MIX);
run();
assert.equal(stage("softmax").querySelector("span.thread-formula").textContent, "σ(h)");
thread.keepBack([]);
assert(CHARTS.every((name) => !stage(name).inert));
thread.update(SETTINGS);
run();
assert.equal(stage("softmax").querySelector("span.thread-formula").textContent, "σ(M(h))");

// --- a class at every stage, by the keyboard and by the pointer
chart("ln").focus();
chart("ln").fire("keydown", { key: "ArrowUp" });
assert.equal(aloud(), `ef: Layer norm ${numbers("ln")[2]}`);
chart("ln").fire("keydown", { key: "ArrowDown" });
assert(CHARTS.every((name) => rows(name)[0].classList.contains("pointed")));
chart("ln").fire("keydown", { key: "Escape" });
assert(!rows("ln")[0].classList.contains("pointed"));
chart("ln").fire("keydown", { key: "ArrowDown" });
chart("ln").blur();
assert(CHARTS.every((name) => !rows(name)[0].classList.contains("pointed")));
rows("g")[1].fire("pointerenter");
assert(CHARTS.every((name) => rows(name)[1].classList.contains("pointed")));

// --- the table, on request
const [button] = found((one) => one.tag === "button" && one.textContent === TEXTS.plain("thread.table.show"));
button.click();
assert.equal(button.attributes["aria-expanded"], "true");
const cells = found((one) => one.tag === "tbody")[0].children[0].children.map((cell) => cell.textContent);
assert.equal(cells.length, CHARTS.length + 1);
assert.equal(cells[1], "2.5");

thread.update(goal);
thread.destroy();
assert.equal(frames.length, 0);
assert.equal(body.children.length, 0);

// --- every text has its gaps filled, and no word stands in the code
const marked = new Texts(Object.fromEntries(Object.entries(sentences).map(([key, text]) => [key, key.startsWith("thread.clamp.") ? text : `⟦${text}⟧`])));
const everything = () => found(() => true).flatMap((one) => [one.childNodes.filter((node) => !node.tag).map((node) => node.textContent).join(""), one.attributes["aria-label"], one.attributes.title]).filter(Boolean);
const strange = { ...EXAMPLE, kind: "corrected", point: "clean", norm: "L2", classes: ["⟦1⟧", "⟦2⟧", "⟦3⟧"] };
for (const example of [EXAMPLE, strange, { ...EXAMPLE, norm: null, eps: null }]) {
  for (const change of [{}, { c: 0, clamp: "linear", ln_k: 0, p: 1 }, { p: 0.5, temperature: 0.5 }, { clamp: "relu", c: -50 }, { alpha: 0.5 }]) {
    thread = mount({ example, settings: { ...SETTINGS, ...change } });
    for (const text of everything()) assert(!/[{}]|undefined|NaN|null/.test(text), text);
  }
}
mount({ example: strange, texts: marked });
for (const text of everything()) {
  const rest = text.replace(/⟦[^⟦⟧]*(?:⟦[^⟧]*⟧[^⟦⟧]*)*⟧/g, "");
  assert(!/[A-Za-z]{2,}/.test(rest) || rest.startsWith("Filter"), rest); // the table has its own field
}

// --- many classes: those that matter are shown, in their order
const many = { label: 3, rival: 20, classes: Array.from({ length: 30 }, (_, k) => `${k}`) };
const logits = Array.from({ length: 30 }, (_, k) => (k === 7 ? 9 : -k / 10));
const wide = { ...EXAMPLE, ...many, points: { clean: { ...EXAMPLE.points.clean, std: logits, rob: logits }, attacked: { ...EXAMPLE.points.attacked, std: logits, rob: logits } } };
const shown = shownClasses(wide, 10);
assert.deepEqual(shown, [0, 1, 2, 3, 4, 5, 6, 7, 8, 20]);
mount({ example: wide });
assert.deepEqual(rows("h").map((row) => row.querySelector("span.thread-class").textContent), shown.map(String));
assert(body.textContent.includes("10 of 30 classes are shown"));

// --- ties, odd axes, no example
assert.equal(leaderOf(Float64Array.of(1, 2, 2)), -1);
assert.deepEqual([ending(0.0301), ending(2.71), ending(10), ending(870)], [0.04, 3, 10, 1000]);
mountThread(body, { example: null, missing: "no pictures here", settings: SETTINGS, texts: TEXTS }).update(goal);
assert.equal(body.textContent, "no pictures here");

// --- its place in the lesson: every step has its stages and its mix
const { ImageThread } = await import(`${web}/image_thread.js`);
const { STEPS } = await import(`${web}/steps.js`);
const own = { ...SETTINGS, p: 2 };
const other = { ...EXAMPLE, kind: "corrected", point: "clean", number: 9 };
const placed = new ImageThread(body, { examples: [EXAMPLE, other], missing: null, mix: own, bundle: "digits" }, TEXTS);
const moved = { attack: "on", of: "h", cut: 0.25, scale: "normed", c: -1, p: 5, alpha: 0.75, beta: 0.9 };
const shownAt = (step) => {
  placed.show(step, moved);
  run();
  return STAGES.filter((name) => stage(name).classList.contains("lit"));
};
for (const { key } of STEPS) assert.doesNotThrow(() => shownAt(key), key);
const three = (p) => (p > 0 && p < 0.001 ? "<0.001" : p.toFixed(3));
assert.deepEqual(shownAt("failures"), ["pixels", "h", "g"]);
assert.deepEqual(numbers("softmax"), Array.from(at("attacked", { ...IDENTITY, alpha: 0.9, temperature: 0 }).softmax, three));
const plain = () => found((one) => one.tag === "p" && one.textContent.startsWith("Mixed without the transform"))[0];
assert(plain().hidden, "it would say the same twice");
assert.deepEqual(shownAt("power"), ["power", "softmax"]);
assert(!plain().hidden);
assert.deepEqual(numbers("softmax"), Array.from(at("attacked", { ...own, p: 5 }).softmax, three));
shownAt("mix");
assert.deepEqual(numbers("mix"), Array.from(at("attacked", { ...own, alpha: 0.75 }).mix, three));
shownAt("line");
assert.deepEqual(numbers("mix"), Array.from(at("attacked", { ...IDENTITY, alpha: 0.8, temperature: 0 }).mix, three));
assert.deepEqual(shownAt("price"), []);
found((one) => one.tag === "button" && one.textContent === TEXTS.plain("thread.example.corrected"))[0].click();
assert.deepEqual(numbers("mix"), Array.from(at("clean", own).mix, three));
assert(body.textContent.includes("Image 9 of the bundle digits"));
new ImageThread(body, { examples: [], missing: "no pictures here", mix: own, bundle: "digits" }, TEXTS).show("mix", moved);
assert(body.textContent.includes("no pictures here"));

console.log("all right");

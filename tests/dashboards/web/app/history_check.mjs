// Undo, redo and Back with a clock and a browser's history of our own: fails on the first thing that is wrong.

import assert from "node:assert/strict";
import { Browser } from "../browser.mjs";

let now = 0;
let timers = [];
globalThis.setTimeout = (call, after = 0) => (timers.push({ call, at: now + after }), timers.at(-1));
globalThis.clearTimeout = (timer) => (timers = timers.filter((one) => one !== timer));
Object.defineProperty(globalThis, "performance", { value: { now: () => now }, configurable: true });

function pass(milliseconds) {
  const end = now + milliseconds;
  for (;;) {
    const [next] = timers.filter(({ at }) => at <= end).sort((one, other) => one.at - other.at);
    if (!next) break;
    now = next.at;
    clearTimeout(next);
    next.call();
  }
  now = end;
}

const { History } = await import("../../../../dashboards/web/app/history.js");
const { createState, same } = await import("../../../../dashboards/web/app/state.js");

/** One that goes where it is sent a moment later. */
class SlowBrowser extends Browser {
  go(steps) {
    setTimeout(() => this.move(steps), 20);
  }
}

function page() {
  const settings = { defaults: { s: 1, p: 3, snapshots: [] } };
  const store = createState(settings, { bundle: "digits" });
  const browser = new SlowBrowser();
  const taken = [];
  const history = new History(store, browser, {
    link: (state) => `s=${state.s}&p=${state.p}`,
    arrive: (query) => taken.push(query),
    changed: () => {},
  });
  return { store, browser, history, taken, step: (changes) => (pass(1000), store.set(changes)) };
}

{
  // each change is a step, and the address has its link
  const { store, browser, history, step } = page();
  step({ s: 2 });
  step({ p: 4 });
  assert.equal(browser.query, "s=2&p=4");
  history.undo();
  assert.equal(store.get().p, 3);
  pass(100);
  assert.equal(browser.query, "s=2&p=3");
  history.undo();
  pass(100);
  assert.deepEqual([store.get().s, history.canUndo, history.canRedo], [1, false, true]);
  history.redo();
  history.redo();
  pass(100);
  assert.equal(browser.query, "s=2&p=4");
  assert.equal(browser.entries.length, 3);
}
{
  // undo asked for faster than the browser goes
  const { store, browser, history, step } = page();
  for (const s of [2, 3, 4, 5]) step({ s });
  history.undo();
  history.undo();
  history.undo();
  assert.equal(store.get().s, 2);
  pass(500);
  assert.deepEqual([browser.at, browser.query], [1, "s=2&p=3"]);
}
{
  // a drag is one step, and its end stands in the address
  const { store, browser, history } = page();
  pass(1000);
  for (let i = 0; i < 50; i++) {
    store.set({ s: 2 + i / 10 });
    pass(16);
  }
  pass(300);
  assert.equal(browser.query, "s=6.9&p=3");
  history.undo();
  assert.equal(store.get().s, 1);
  assert.equal(history.states.length, 2);
}
{
  // the browser's Back and Forward
  const { store, browser, step } = page();
  step({ s: 2 });
  step({ s: 3 });
  browser.move(-2);
  assert.equal(store.get().s, 1);
  browser.move(1);
  assert.equal(store.get().s, 2);
  step({ s: 9 });
  assert.equal(browser.query, "s=9&p=3");
  assert.equal(browser.entries.length, 3);
}
{
  // undo keeps the state itself, with what no link holds
  const { store, history, step } = page();
  step({ bundle: "cifar10+", s: 2 });
  const before = store.get();
  step({ s: 3 });
  history.undo();
  assert.deepEqual(store.get(), before);
}
{
  // what is not a step of the visitor's belongs to the one that is shown
  const { store, browser, history, step } = page();
  step({ s: 2 });
  store.set({ p: 7 }, { undoable: false });
  pass(300);
  assert.deepEqual([history.states.length, browser.query], [2, "s=2&p=7"]);
  history.undo();
  history.redo();
  assert.equal(store.get().p, 7);
}
{
  // an entry of another visit is read from its link
  const { browser, taken, step } = page();
  step({ s: 2 });
  browser.entries[0] = { link: "s=8&p=3", entry: { visit: "another", place: 0 } };
  browser.move(-1);
  assert.deepEqual(taken, ["s=8&p=3"]);
  await new Promise((resolve) => queueMicrotask(resolve));
  browser.move(1); // and what comes after it, too
  assert.deepEqual(taken, ["s=8&p=3", "s=2&p=3"]);
}
{
  // a browser that goes nowhere: the address is right all the same
  const { browser, history, step } = page();
  step({ s: 2 });
  browser.go = () => {};
  history.undo();
  pass(1000);
  assert.equal(browser.query, "s=1&p=3");
}
assert.ok(same({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }) && !same({ a: 1 }, { a: 1, b: 2 }));
console.log("all right");

// Figures that are late are marked: with a clock and an engine of our own.

import assert from "node:assert/strict";

let timers = [];
globalThis.setTimeout = (call) => (timers.push(call), timers.at(-1));
globalThis.clearTimeout = (timer) => (timers = timers.filter((one) => one !== timer));
globalThis.requestAnimationFrame = () => {};
const pass = () => timers.splice(0).forEach((call) => call());

const { Drawing } = await import("../../../../dashboards/web/explorer/drawing.js");

const client = { number: 0, show: () => client.number++ };
const drawn = [];
let late = false;
const drawing = new Drawing(client, () => [], { draw: (state) => drawn.push(state.s), late: (now) => (late = now) });
const ask = (s) => drawing.request({ s, case: "paper" });

ask(1);
assert.equal(timers.length, 0, "nothing is loaded: nothing is late");
drawing.pause(false);
ask(1);
ask(2);
pass();
assert(late, "no answer within the time");
drawing.receive({ number: 1 });
assert(!late, "there is one");
pass();
assert(late, "but not of the settings of now");
drawing.receive({ number: 2 });
pass();
assert(!late && timers.length === 0, "nothing is waited for");
ask(3);
drawing.giveUp();
pass();
assert(!late, "the engine has said why");
assert.deepEqual(drawn, [1]);
console.log("all right");

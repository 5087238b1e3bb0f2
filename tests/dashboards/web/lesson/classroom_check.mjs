// What the lesson tells its class's server: each prediction once, later where the server does not answer. Node; prints "all right".

import assert from "node:assert/strict";
import { Classroom } from "../../../../dashboards/web/lesson/classroom.js";

const [told, timers] = [[], []];
let answer = () => ({ ok: true, status: 200 });
globalThis.fetch = async (address, { body }) => {
  const given = answer();
  told.push(JSON.parse(body));
  return given;
};
globalThis.setTimeout = (act) => timers.push(act);
globalThis.clearTimeout = () => (timers.length = 0);
const away = () => {
  throw new TypeError("Failed to fetch");
};
const shown = [];
const pupil = new Classroom("/class", "k", null);
pupil.changed = () => shown.push(pupil.state);

// counted at once
await pupil.say({ bundle: 0, question: "line" }, 3);
assert.deepEqual(told, [{ page: "k", bundle: 0, question: "line", part: 3 }]);
assert.deepEqual([shown, timers.length], [["counted"], 0]);

// without an answer, or where the server is busy, predictions wait, of each question the first, and go when it answers
for (const fails of [away, () => ({ ok: false, status: 503 })]) {
  [told.length, shown.length] = [0, 0];
  answer = fails;
  await pupil.say({ bundle: 0, question: "norm" }, 1);
  await pupil.say({ bundle: 0, question: "norm" }, 2);
  await pupil.say({ bundle: 0, question: "mix" }, 0);
  assert.deepEqual([new Set(shown), timers.length], [new Set(["waiting"]), 1]);
  answer = () => ({ ok: true, status: 200 });
  told.length = 0;
  await timers.pop()();
  assert.deepEqual(told.map(({ question, part }) => [question, part]), [["norm", 1], ["mix", 0]]);
  assert.equal(shown.at(-1), "counted");
}

// a server that no longer knows the page
answer = () => ({ ok: false, status: 410 });
await pupil.say({ bundle: 0, question: "price" }, 0);
assert.deepEqual([shown.at(-1), timers.length], ["gone", 0]);

console.log("all right");

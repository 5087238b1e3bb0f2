// The way from our server's page to its kernel: messages, a connection that breaks, a model's traits, calls. Node; prints "all right".

import assert from "node:assert/strict";
import { packed, PROTOCOL, unpacked } from "../../../dashboards/web/host/messages.js";
import { Calls } from "../../../dashboards/web/host/calls.js";
import { WidgetModel } from "../../../dashboards/web/host/widget_model.js";

const sockets = [];
const timers = [];

class FakeSocket extends EventTarget {
  static OPEN = 1;
  static CLOSED = 3;
  constructor(address, protocol) {
    super();
    Object.assign(this, { address: String(address), protocol, readyState: 0, sent: [] });
    sockets.push(this);
  }
  send(bytes) {
    assert.equal(this.readyState, 1);
    this.sent.push(unpacked(bytes.buffer));
  }
  open() {
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }
  break() {
    this.readyState = 3;
    this.dispatchEvent(new Event("close"));
  }
  answer(type, content, parent = {}, buffers = []) {
    const message = { channel: "iopub", header: { msg_type: type }, parent_header: parent, metadata: {}, content, buffers };
    this.dispatchEvent(Object.assign(new Event("message"), { data: packed(message).buffer }));
  }
  done(at) {
    this.answer("status", { execution_state: "idle" }, this.sent.at(at).header);
  }
}
Object.assign(globalThis, { WebSocket: FakeSocket, location: { href: "https://h:1/user/a/?s=1", protocol: "https:" } });
globalThis.setTimeout = (act, wait) => {
  const timer = { act, wait };
  timers.push(timer);
  return timer;
};
globalThis.clearTimeout = (timer) => timers.includes(timer) && timers.splice(timers.indexOf(timer), 1);
const network = new EventTarget();
globalThis.addEventListener = (kind, act) => network.addEventListener(kind, act);
let server = 200; // what it says of the kernel; null: nothing
const asked = [];
globalThis.fetch = async (address) => {
  asked.push(String(address));
  if (server === null) throw new TypeError("nobody is there");
  return { ok: server === 200, status: server };
};
const moment = () => new Promise(setImmediate);
const wait = async () => {
  timers.shift().act();
  await moment();
};
const comm = (data) => ({ comm_id: "w", data });

// messages
const one = { channel: "shell", header: { msg_type: "x é" }, parent_header: {}, metadata: {}, content: { a: [1, "→"] } };
const back = unpacked(packed({ ...one, buffers: [Uint8Array.of(1, 2, 3).buffer, new ArrayBuffer(0)] }).buffer);
assert.deepEqual(back.buffers.map((view) => [...new Uint8Array(view.buffer, view.byteOffset, view.byteLength)]), [[1, 2, 3], []]);
assert.deepEqual({ ...back, buffers: undefined }, { ...one, buffers: undefined });

// what is sent before it is open waits
const model = new WidgetModel("w", { baseUrl: "/user/a/", kernelId: "k" });
const said = [];
for (const event of ["away", "back", "lost"]) model.on(event, (why) => said.push(why ? `${event}: ${why}` : event));
const [first] = sockets;
assert.match(first.address, /^wss:\/\/h:1\/user\/a\/api\/kernels\/k\/channels\?session_id=.+/);
assert.equal(first.protocol, PROTOCOL);
const loading = model.load();
assert.equal(first.sent.length, 0);
first.open();
assert.deepEqual(first.sent[0].content, comm({ method: "request_state" }));

// traits come with their buffers
const seen = [];
model.on("change:view", () => seen.push(model.get("view")));
const state = { view: {}, query: "", carried: { buffers: [null] } };
first.answer("comm_msg", comm({ method: "update", state, buffer_paths: [["carried", "buffers", 0]] }), {}, [Uint8Array.of(7).buffer]);
first.done(0);
await loading;
assert.equal(model.get("carried").buffers[0].getUint8(0), 7);
assert.deepEqual(seen, []); // nobody has changed anything

// while the kernel is busy the newest values wait; its echo is nothing new, what Python sets is
for (const s of [1, 2, 3]) {
  model.set("view", { s });
  model.save_changes();
}
assert.deepEqual(first.sent.slice(1).map(({ content }) => content.data.state), [{ view: { s: 1 } }]);
first.answer("comm_msg", comm({ method: "echo_update", state: { view: { s: 1 } } }));
assert.deepEqual(model.get("view"), { s: 3 });
first.done(1);
await moment();
assert.deepEqual(first.sent[2].content.data.state, { view: { s: 3 } });
first.answer("comm_msg", comm({ method: "update", state: { view: { s: 9 } } }));
assert.deepEqual(seen.at(-1), { s: 9 });
first.answer("comm_msg", { comm_id: "another", data: { method: "update", state: { view: {} } } });
assert.deepEqual(model.get("view"), { s: 9 });

// custom messages, until nobody listens
const heard = [];
const listen = (content, buffers) => heard.push([content, buffers.length]);
model.on("msg:custom", listen);
model.send({ type: "call" }, undefined, [new ArrayBuffer(2)]);
assert.equal(first.sent[3].buffers[0].byteLength, 2);
first.answer("comm_msg", comm({ method: "custom", content: { id: 1 } }), {}, [new ArrayBuffer(1)]);
model.off("msg:custom", listen);
first.answer("comm_msg", comm({ method: "custom", content: { id: 2 } }));
assert.deepEqual(heard, [[{ id: 1 }, 1]]);

// a connection that breaks is opened anew in the same session, where the server still has the kernel; it then has the newest values,
// those of before included that may not have arrived
model.set("query", "s=4");
model.save_changes();
model.set("view", { s: 4 });
first.break();
await moment();
assert.equal(timers[0].wait, 500);
await wait();
assert.deepEqual(asked, ["https://h:1/user/a/api/kernels/k"]);
assert.equal(sockets[1].address, first.address);
sockets[1].open();
assert.deepEqual(sockets[1].sent.map(({ content }) => content.data.state), [{ view: { s: 4 }, query: "s=4" }]);
sockets[1].done(0);
assert.deepEqual(said, ["back"]);

// what was under way meanwhile: the kernel may still be at it; what is lost is sent again if it does no harm, and else fails
const calls = new Calls(model);
const outcome = (promise) => promise.then((value) => value, ({ message }) => message);
const named = (socket, name) => socket.sent.findLast(({ content }) => content.data.content?.name === name).content.data.content;
const custom = (content) => comm({ method: "custom", content });
const [verified, again, open, saved] = ["verify", "verify", "open", "save"].map((name) => outcome(calls.call(name, {}, { buffers: [] })));
const ids = sockets[1].sent.slice(1).map(({ content }) => content.data.content.id);
sockets[1].break();
await wait();
sockets[2].answer("comm_msg", custom({ type: "answer", id: "of another page", value: 0 }));
sockets[2].open();
sockets[2].answer("comm_msg", custom({ type: "answer", id: ids[3], value: "kept for it" }));
const question = named(sockets[2], "under way");
assert.deepEqual(question.args, { ids });
sockets[2].answer("comm_msg", custom({ type: "answer", id: question.id, value: [ids[0]] }));
await moment();
assert.equal(await saved, "kept for it");
assert.match(await again, /broke meanwhile.*try again/);
assert.equal(named(sockets[2], "open").id, ids[2]);
sockets[2].answer("comm_msg", custom({ type: "answer", id: ids[2], value: "opened" }));
sockets[2].answer("comm_msg", custom({ type: "answer", id: ids[0], value: "done" }));
assert.deepEqual([await open, await verified, calls.open.size], ["opened", "done", 0]);

// where it stays away that is said, and what was under way fails; then nothing is tried any more
const waiting = outcome(calls.call("open"));
said.length = 0;
server = null;
sockets[2].break();
assert.equal(timers[0].wait, 500);
const sent = outcome(calls.call("verify")); // which is a reason to try at once
await moment();
const waits = [];
while (timers.length) {
  waits.push(timers[0].wait);
  await wait();
}
assert.deepEqual(waits, [1000, 2000, 4000, 8000, 16000, 32000]);
assert.equal(said[0], "away");
assert.match(said[1], /^lost: .*connection.*reload/);
assert.equal(said.length, 2);
for (const call of [waiting, sent]) assert.match(await call, /connection to the kernel is broken.*reload/);
assert.equal(sockets.length, 3);

// what the visitor wants then is tried once; what is set waits for another time
model.set("view", { s: 5 });
model.save_changes();
await moment();
assert.match(await outcome(calls.call("here")), /is broken/);
assert.deepEqual(timers, []);
server = 200;
const here = outcome(calls.call("here"));
await moment();
sockets[3].open();
assert.deepEqual(sockets[3].sent.map(({ content }) => content.data.state ?? content.data.content.name), ["here", { view: { s: 5 } }, "under way"]);
for (const name of ["here", "under way"]) sockets[3].answer("comm_msg", custom({ type: "answer", id: named(sockets[3], name).id, value: [] }));
assert.deepEqual([await here, said.at(-1)], [[], "back"]);

// when the network is back it is tried at once, in the same session, and once
sockets[3].break();
server = 502;
for (let tries = 0; tries < 3; tries++) await wait();
assert.deepEqual(timers.map((timer) => timer.wait), [4000]);
server = 200;
for (let times = 0; times < 2; times++) network.dispatchEvent(new Event("online"));
await moment();
assert.deepEqual([sockets.length, timers.length, sockets[4].address], [5, 0, first.address]);
sockets[4].break();
assert.deepEqual(timers.map((timer) => timer.wait), [500]); // from the beginning
network.dispatchEvent(new Event("online"));
await moment();
sockets[5].open();
network.dispatchEvent(new Event("online"));
await moment();
assert.deepEqual([sockets.length, timers.length], [6, 0]);

// a server that does not know the kernel any more says so, and it is left alone
for (const status of [403, 404]) {
  const gone = new WidgetModel("w", { baseUrl: "/", kernelId: "k" });
  const its = new Calls(gone);
  sockets.at(-1).open();
  const [call, count] = [outcome(its.call("verify")), sockets.length];
  server = status;
  sockets.at(-1).break();
  await wait();
  assert.match(await call, /kernel has ended.*reload/);
  const questions = asked.length;
  assert.match(await outcome(its.call("open")), /kernel has ended.*reload/);
  assert.deepEqual([asked.length, timers.length, sockets.length], [questions, 0, count]);
  await assert.rejects(gone.load(), /kernel has ended/);
}

// a widget that its kernel does not know; and one whose connection breaks while it asks
const strange = new WidgetModel("gone", { baseUrl: "/", kernelId: "k" }).load();
server = 200;
sockets.at(-1).open();
sockets.at(-1).break();
await wait();
sockets.at(-1).open();
sockets.at(-1).done(0);
await assert.rejects(strange, /reload/);

console.log("all right");

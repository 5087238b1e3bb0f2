// The way from our server's page to its kernel: messages, a connection that breaks, a model's traits. Node; prints "all right".

import assert from "node:assert/strict";
import { packed, PROTOCOL, unpacked } from "../../../dashboards/web/host/messages.js";
import { KernelSocket } from "../../../dashboards/web/host/kernel_socket.js";
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
const moment = () => new Promise(setImmediate);
const comm = (data) => ({ comm_id: "w", data });

// messages
const one = { channel: "shell", header: { msg_type: "x é" }, parent_header: {}, metadata: {}, content: { a: [1, "→"] } };
const back = unpacked(packed({ ...one, buffers: [Uint8Array.of(1, 2, 3).buffer, new ArrayBuffer(0)] }).buffer);
assert.deepEqual(back.buffers.map((view) => [...new Uint8Array(view.buffer, view.byteOffset, view.byteLength)]), [[1, 2, 3], []]);
assert.deepEqual({ ...back, buffers: undefined }, { ...one, buffers: undefined });

// what is sent before it is open waits
let lost = 0;
const socket = new KernelSocket({ baseUrl: "/user/a/", kernelId: "k" }, () => lost++);
const [first] = sockets;
assert.match(first.address, /^wss:\/\/h:1\/user\/a\/api\/kernels\/k\/channels\?session_id=.+/);
assert.equal(first.protocol, PROTOCOL);
const model = new WidgetModel("w", socket);
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

// a connection that breaks is opened anew in the same session, and has the newest values
model.set("view", { s: 4 });
first.break();
await moment();
timers.shift().act();
sockets[1].open();
assert.equal(sockets[1].address, first.address);
assert.deepEqual(sockets[1].sent.map(({ content }) => content.data.state), [{ view: { s: 4 } }]);

// where it stays away that is said, once, after some tries
sockets[1].break();
const waits = [];
while (timers.length) {
  const { act, wait } = timers.shift();
  waits.push(wait);
  act();
  sockets.at(-1).break();
}
assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 16000, 32000]);
assert.equal(lost, 1);

// when the network is back it is tried at once, in the same session, and once
let tried = sockets.length;
network.dispatchEvent(new Event("online"));
assert.equal(sockets.length, ++tried);
network.dispatchEvent(new Event("online"));
assert.equal(sockets.length, tried);
sockets.at(-1).break();
assert.deepEqual(timers.map(({ wait }) => wait), [500]);
network.dispatchEvent(new Event("online"));
assert.deepEqual([sockets.length, timers.length, sockets.at(-1).address], [++tried, 0, first.address]);
sockets.at(-1).open();
network.dispatchEvent(new Event("online"));
assert.equal(sockets.length, tried);

// a widget that its kernel does not know
const strange = new WidgetModel("gone", new KernelSocket({ baseUrl: "/", kernelId: "k" }, () => {})).load();
sockets.at(-1).open();
sockets.at(-1).done(0);
await assert.rejects(strange, /reload/);

console.log("all right");

// What the page's side of the worker does when all goes well, and when it does not; `node client.mjs SCENARIO`.

import assert from "node:assert/strict";
import { EngineClient } from "../../../dashboards/web/engine/client.js";

/** A worker that does what a scenario says. */
class FakeWorker {
  constructor() {
    Object.assign(this, { sent: [], ended: false });
    FakeWorker.made.push(this);
  }

  postMessage(message) {
    this.sent.push(message);
  }

  terminate() {
    this.ended = true;
  }

  answers(data) {
    this.onmessage?.({ data });
  }
}
FakeWorker.made = [];

const BUNDLE = { labels: new Int32Array(2), std: new Float64Array(4), rob: new Float64Array(4), attacked: null };
const frames = [];
const errors = [];
const on = { frame: ({ number }) => frames.push(number), error: (message) => errors.push(message) };
const made = (options = {}) => new EngineClient(() => new FakeWorker(), on, { cores: 1, ...options });
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function loaded(options) {
  const client = made(options);
  const base = client.load(structuredClone(BUNDLE));
  const worker = FakeWorker.made.at(-1);
  worker.answers({ type: "loaded", base: "figures" });
  assert.equal(await base, "figures");
  return { client, worker };
}

const SCENARIOS = {
  async "newest state"() {
    const { client, worker } = await loaded();
    for (let i = 0; i < 3; i++) client.show({ i }, []);
    assert.deepEqual(worker.sent.map(({ number }) => number), [undefined, 1]);
    worker.answers({ type: "frame", number: 1 });
    assert.deepEqual(worker.sent.at(-1).state, { i: 2 });
    assert.deepEqual(frames, [1]);
  },

  async "state before the bundle"() {
    const client = made();
    const base = client.load(structuredClone(BUNDLE));
    client.show({ early: true }, []);
    const [worker] = FakeWorker.made;
    assert.equal(worker.sent.length, 1);
    worker.answers({ type: "loaded", base: {} });
    await base;
    assert.deepEqual(worker.sent[1].state, { early: true });
  },

  async "worker cannot be made"() {
    const client = new EngineClient(() => { throw new Error("refused by the browser"); }, on, { cores: 1 });
    await assert.rejects(client.load(structuredClone(BUNDLE)), /refused by the browser.*Reload the page/);
    await assert.rejects(client.search({}), /no bundle/);
    client.show({}, []);
  },

  async "script does not start"() {
    const client = made();
    const base = client.load(structuredClone(BUNDLE));
    FakeWorker.made[0].onerror({ message: "" });
    await assert.rejects(base, /could not be started/);
    assert.ok(FakeWorker.made[0].ended);
  },

  async "bundle refused"() {
    const client = made();
    const base = client.load(structuredClone(BUNDLE));
    FakeWorker.made[0].answers({ type: "refused", message: "no such layer" });
    await assert.rejects(base, /^Error: no such layer$/);
    assert.deepEqual(errors, []);
  },

  async "never answers"() {
    const client = made({ patience: 0.05 });
    await assert.rejects(client.load(structuredClone(BUNDLE)), /no answer/);
    assert.ok(FakeWorker.made[0].ended);
  },

  async "silent after a frame"() {
    const { client, worker } = await loaded({ patience: 0.05 });
    await pause(100); // at rest it may be silent
    assert.deepEqual(errors, []);
    client.show({}, []);
    const found = client.search({});
    await assert.rejects(found, /cancelled/);
    assert.match(errors[0], /no answer/);
    assert.ok(worker.ended);
  },

  async "dies"() {
    const { client, worker } = await loaded();
    client.show({}, []);
    worker.onerror({ message: "out of memory" });
    assert.match(errors[0], /out of memory/);
    client.show({}, []); // nobody answers, nothing breaks
    const again = client.load(structuredClone(BUNDLE));
    FakeWorker.made[1].answers({ type: "loaded", base: 1 });
    assert.equal(await again, 1);
  },

  async "closed during a frame"() {
    const { client, worker } = await loaded();
    client.show({}, []);
    client.show({ later: true }, []);
    const { onmessage } = worker;
    client.close();
    assert.equal(worker.onmessage, null);
    onmessage({ data: { type: "frame", number: 1 } }); // one that was on its way
    assert.equal(worker.sent.length, 2);
  },

  async "another bundle while one loads"() {
    const client = made();
    const first = client.load(structuredClone(BUNDLE));
    const second = client.load(structuredClone(BUNDLE));
    await assert.rejects(first, /closed/);
    FakeWorker.made[1].answers({ type: "loaded", base: 2 });
    assert.equal(await second, 2);
  },

  async "searches"() {
    const { client, worker } = await loaded();
    const shares = [];
    const first = client.search({ beta: 1 }, (share) => shares.push(share));
    const { number } = worker.sent.at(-1);
    worker.answers({ type: "progress", number, share: 0.5 });
    const second = client.search({ beta: 2 }, (share) => shares.push(share));
    await assert.rejects(first, /cancelled/);
    worker.answers({ type: "found", number, result: "of the first" });
    client.show({}, []); // frames go on meanwhile
    worker.answers({ type: "frame", number: client.number });
    worker.answers({ type: "found", number: number + 1, result: "of the second" });
    assert.equal(await second, "of the second");
    assert.deepEqual([shares, frames], [[0.5], [client.number]]);
    const third = client.search({});
    worker.answers({ type: "failed", number: client.number, message: "nothing to go by" });
    await assert.rejects(third, /^Error: nothing to go by$/);
    const fourth = client.search({});
    client.cancelSearch();
    await assert.rejects(fourth, /cancelled/);
    assert.equal(worker.sent.at(-1).type, "cancel");
  },

  async "helpers where they pay"() {
    const count = (logits, cores) => {
      FakeWorker.made.length = 0;
      const client = new EngineClient(() => new FakeWorker(), on, { cores });
      client.load({ ...structuredClone(BUNDLE), rob: new Float64Array(logits) }).catch(() => {});
      const found = FakeWorker.made.length;
      client.close();
      return found;
    };
    assert.deepEqual([count(100_000, 8), count(600_000, 1), count(600_000, 2), count(600_000, 4), count(9_000_000, 16)], [1, 1, 1, 2, 4]);
  },
};

if (process.argv[2]) {
  await SCENARIOS[process.argv[2]]();
  process.exit(0);
}
console.log(JSON.stringify(Object.keys(SCENARIOS)));

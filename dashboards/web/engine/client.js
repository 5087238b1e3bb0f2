// The page's side of the worker: a bundle goes there once, then states go and frames come back.
//
// One state is in flight at a time; of those that come meanwhile the newest waits, the others are dropped.

import { sharesOf } from "./sharing.js";

export class EngineClient {
  /**
   * @param {() => Worker} makeWorker Starts a worker on `worker.js`.
   * @param {{frame: (frame: object) => void, error: (message: string) => void}} on What to call.
   * @param {number} cores How many the machine has.
   */
  constructor(makeWorker, on, cores = navigator.hardwareConcurrency) {
    Object.assign(this, { makeWorker, on, cores, workers: [], number: 0, inFlight: false, waiting: null });
  }

  /**
   * Load a bundle; its arrays go to the worker and are no longer here.
   * @param {import("./engine.js").Bundle} bundle
   * @param {object} options See `RemixEngine`.
   * @returns {Promise<object>} The base models' figures.
   */
  load(bundle, options = {}) {
    this.close();
    const logits = bundle.rob.length + (bundle.attacked?.rob.length ?? 0);
    const [lead, ...helpers] = Array.from({ length: sharesOf(logits, this.cores) }, this.makeWorker);
    this.workers = [lead, ...helpers];
    const ports = helpers.map((helper) => {
      const { port1, port2 } = new MessageChannel();
      helper.postMessage({ type: "help" }, [port1]);
      return port2;
    });
    return new Promise((resolve, reject) => {
      lead.onmessage = ({ data }) => {
        lead.onmessage = ({ data }) => this.receive(data);
        if (data.type === "loaded") resolve(data.base);
        else reject(new Error(data.message));
      };
      lead.onerror = (event) => reject(new Error(event.message || "the engine could not be started"));
      lead.postMessage({ type: "load", bundle, options }, [...buffersOf(bundle), ...ports]);
    });
  }

  /**
   * Ask for the views of a state.
   * @param {import("./views/all.js").State} state
   * @param {string[]} views Names of `VIEWS`.
   */
  show(state, views) {
    this.waiting = { type: "state", number: ++this.number, state, views };
    if (!this.inFlight) this.send();
  }

  send() {
    this.inFlight = true;
    this.workers[0].postMessage(this.waiting);
    this.waiting = null;
  }

  receive(data) {
    this.inFlight = false;
    if (this.waiting) this.send(); // first, so that the worker does not rest while the page draws
    if (data.type === "frame") this.on.frame(data);
    else this.on.error(data.message);
  }

  close() {
    for (const worker of this.workers) worker.terminate();
    Object.assign(this, { workers: [], inFlight: false, waiting: null });
  }
}

/** The memory of a bundle's arrays, each once. */
function buffersOf({ labels, std, rob, attacked }) {
  const arrays = [labels, std, rob, ...(attacked ? [attacked.index, attacked.std, attacked.rob] : [])];
  return [...new Set(arrays.map((array) => array.buffer))];
}

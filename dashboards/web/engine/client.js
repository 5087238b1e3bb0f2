// The page's side of the worker: a bundle goes there once, then states go and frames come back, and searches run there.
//
// One state is in flight at a time; of those that come meanwhile the newest waits, the others are dropped. A worker that
// does not start, stops, or is silent for too long is given up, and everything that waits for it ends with an error.

import { sharesOf } from "./sharing.js";

const PATIENCE = 30; // seconds without an answer to a state or a bundle
const LOOKS = 10;
const STOPPED = "The page's engine has stopped";

export class EngineClient {
  /**
   * @param {() => Worker} makeWorker Starts a worker on `worker.js`.
   * @param {{frame: (frame: object) => void, error: (message: string) => void}} on What to call.
   * @param {{cores?: number, patience?: number}} options How many cores the machine has; how many seconds to wait.
   */
  constructor(makeWorker, on, { cores = navigator.hardwareConcurrency ?? 2, patience = PATIENCE } = {}) {
    Object.assign(this, { makeWorker, on, cores, patience, workers: [], number: 0 });
    this.rest();
  }

  /** Nothing is loaded, nothing waits. */
  rest() {
    clearInterval(this.watch);
    Object.assign(this, { workers: [], loading: null, ready: false, inFlight: false, waiting: null, searching: null, silent: 0 });
  }

  /**
   * Load a bundle in place of the one before; its arrays go to the worker and are no longer here.
   * @param {import("./engine.js").Bundle} bundle
   * @param {object} options See `EngineService`.
   * @returns {Promise<object>} What does not move, see `EngineService.base`.
   */
  load(bundle, options = {}) {
    this.close();
    return new Promise((resolve, reject) => {
      this.loading = { resolve, reject };
      try {
        this.start(bundle, options);
      } catch (error) {
        this.fail(error.message);
      }
    });
  }

  start(bundle, options) {
    const logits = bundle.rob.length + (bundle.attacked?.rob.length ?? 0);
    for (let i = sharesOf(logits, this.cores); i > 0; i--) this.workers.push(this.makeWorker());
    const [lead, ...helpers] = this.workers;
    const ports = helpers.map((helper) => {
      const { port1, port2 } = new MessageChannel();
      helper.onerror = (event) => event.preventDefault(); // the lead does without it
      helper.postMessage({ type: "help" }, [port1]);
      return port2;
    });
    lead.onmessage = ({ data }) => this.receive(data);
    lead.onerror = (event) => {
      event.preventDefault?.();
      this.fail(event.message || "it could not be started");
    };
    lead.onmessageerror = () => this.fail("an answer could not be read");
    lead.postMessage({ type: "load", bundle, options }, [...buffersOf(bundle), ...ports]);
    this.watch = setInterval(() => this.look(), (1000 * this.patience) / LOOKS);
  }

  /** Whether the worker has been silent for too long; looks are counted, so that a machine's sleep is not. */
  look() {
    if (!this.loading && !this.inFlight) this.silent = 0;
    else if (++this.silent > LOOKS) this.fail(`no answer for ${this.patience} seconds`);
  }

  /**
   * Ask for the views of a state; before a bundle is loaded it waits.
   * @param {import("./views/all.js").State} state
   * @param {string[]} views Names of `VIEWS`.
   */
  show(state, views) {
    this.waiting = { type: "state", number: ++this.number, state, views };
    if (this.ready && !this.inFlight) this.send();
  }

  /**
   * Search a grid; frames go on meanwhile. One search runs at a time, the newest.
   * @param {import("./search/searches.js").SearchRequest} request
   * @param {(share: number) => void} [progress] Called with the share done.
   * @returns {Promise<import("./search/searches.js").SearchResult>} Rejected if it is cancelled, or nothing is found.
   */
  search(request, progress = () => {}) {
    this.cancelSearch();
    if (!this.ready) return Promise.reject(new Error("no bundle is loaded: there is nothing to search on"));
    const number = ++this.number;
    this.workers[0].postMessage({ type: "search", number, request });
    return new Promise((resolve, reject) => (this.searching = { number, progress, resolve, reject }));
  }

  /** End the search that runs, if any. */
  cancelSearch() {
    if (!this.searching) return;
    this.workers[0].postMessage({ type: "cancel" });
    this.endSearch().reject(new Error("the search was cancelled"));
  }

  endSearch() {
    const ended = this.searching;
    this.searching = null;
    return ended;
  }

  send() {
    this.inFlight = true;
    this.workers[0].postMessage(this.waiting);
    this.waiting = null;
  }

  receive(data) {
    this.silent = 0;
    if (data.type === "loaded") this.loaded(data.base);
    else if (data.type === "refused") this.refused(data.message);
    else if (data.type === "progress" || data.type === "found" || data.type === "failed") this.searched(data);
    else this.answered(data);
  }

  loaded(base) {
    const { resolve } = this.loading;
    Object.assign(this, { loading: null, ready: true });
    if (this.waiting) this.send();
    resolve(base);
  }

  /** The worker runs, but cannot take the bundle. */
  refused(message) {
    const { reject } = this.loading;
    this.loading = null;
    this.close();
    reject(new Error(message));
  }

  answered(data) {
    this.inFlight = false;
    if (this.waiting) this.send(); // first, so that the worker does not rest while the page draws
    if (data.type === "frame") this.on.frame(data);
    else this.on.error(data.message);
  }

  searched({ type, number, share, result, message }) {
    if (number !== this.searching?.number) return; // cancelled meanwhile
    if (type === "progress") this.searching.progress(share);
    else if (type === "found") this.endSearch().resolve(result);
    else this.endSearch().reject(new Error(message));
  }

  /** Give the worker up. */
  fail(reason) {
    const message = `${STOPPED}: ${reason.replace(/\.$/, "")}. Reload the page.`;
    const { loading } = this;
    this.loading = null;
    this.close();
    if (loading) loading.reject(new Error(message));
    else this.on.error(message);
  }

  /** End the workers, and all that waits for them. */
  close() {
    const { workers, loading, searching } = this;
    for (const worker of workers) {
      worker.onmessage = worker.onerror = worker.onmessageerror = null;
      worker.terminate();
    }
    this.rest();
    loading?.reject(new Error("the bundle was closed"));
    searching?.reject(new Error("the search was cancelled"));
  }
}

/** The memory of a bundle's arrays, each once. */
function buffersOf(bundle) {
  const arrays = [bundle, bundle.attacked ?? {}].flatMap(Object.values).filter(ArrayBuffer.isView);
  return [...new Set(arrays.map((array) => array.buffer))];
}

// Calls from the page to its kernel, each answered once, see `dashboards/services/calls.py`.
//
// page -> kernel   {type: "call", id, name, args} + [bytes]   kernel -> page   {type: "progress", id, ...}
//                                                                              {type: "answer", id, value} + [arrays]
//                                                                              {type: "error", id, message}
// An answer with `sizes` has left its arrays behind, since they are too long for one message: the page fetches them.
//
// On our server's page the connection can break. When it is back the page asks which of its calls the kernel is still at: the others,
// or their answers, were lost on the way. Of these, what does no harm when done twice is sent again, and the rest fails.

import { NO_ANSWER } from "../app/no_answer.js";
import { withArrays } from "./arrays.js";

const ASKS = "under way"; // the call for what the kernel is at
const REPEATED = ["cancel", "config", "here", "library", "more", "open", "page", "report", "save"];
const BROKE = "the connection to the kernel broke meanwhile, and the answer was lost: try again";

export class Calls {
  /** @param {object} model The widget's; one of our own says, too, when its connection is `back`, or `lost` and why. */
  constructor(model) {
    const visit = String(Math.random()).slice(2); // other pages on the same model have calls of their own
    Object.assign(this, { model, visit, number: 0, breaks: 0, open: new Map() });
    this.listeners = Object.entries({
      "msg:custom": (message, buffers) => this.receive(message, buffers),
      back: () => this.goOn(),
      lost: (why) => this.fail([...this.open.keys()], why),
    });
    for (const [event, act] of this.listeners) model.on(event, act);
  }

  /**
   * Call a service by its name.
   *
   * @param {string} name
   * @param {object} args Plain JSON.
   * @param {{buffers?: ArrayBuffer[], progress?: (report: object) => void}} more `progress`: called with how far it is.
   * @returns {Promise<any>} Its answer; rejected with what went wrong.
   */
  call(name, args = {}, { buffers = [], progress = () => {} } = {}) {
    const id = `${this.visit}-${++this.number}`;
    return new Promise((resolve, reject) => {
      this.open.set(id, { name, args, buffers, resolve, reject, progress });
      this.send(id);
    });
  }

  send(id) {
    const { name, args, buffers } = this.open.get(id) ?? {};
    if (name) this.model.send({ type: "call", id, name, args }, undefined, buffers); // else it has failed meanwhile
  }

  receive(message, buffers) {
    const call = this.open.get(message?.id);
    if (!call) return;
    if (message.type === "progress") {
      call.progress(message);
      return;
    }
    this.open.delete(message.id);
    if (message.type !== "answer") call.reject(new Error(message.message));
    else if (message.sizes) this.fetch(message).then((all) => call.resolve(withArrays(message.value, all)), call.reject);
    else call.resolve(withArrays(message.value, buffers));
  }

  /** What an answer has left behind, piece by piece. */
  async fetch({ id, sizes }) {
    const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
    for (let at = 0; at < bytes.length; ) {
      const piece = await this.call("more", { of: id, from: at });
      bytes.set(piece, at);
      at += piece.length;
    }
    let end = 0;
    return sizes.map((size) => new DataView(bytes.buffer, (end += size) - size, size));
  }

  /** The connection broke and is back: what was lost meanwhile is sent again, or fails. */
  async goOn() {
    this.breaks += 1;
    this.fail(this.named([ASKS]), BROKE); // it broke while one asked
    const ids = [...this.open.keys()];
    if (!ids.length) return;
    const here = new Set(await this.call(ASKS, { ids }).catch(() => ids));
    const lost = ids.filter((id) => !here.has(id));
    const repeated = this.named(REPEATED).filter((id) => lost.includes(id));
    this.fail(lost.filter((id) => !repeated.includes(id)), BROKE);
    for (const id of repeated) this.send(id);
  }

  /** Those that wait for the answer of one of these services. */
  named(names) {
    return [...this.open].filter(([, { name }]) => names.includes(name)).map(([id]) => id);
  }

  fail(ids, why) {
    for (const id of ids) {
      const call = this.open.get(id);
      this.open.delete(id);
      call?.reject(new Error(why, { cause: NO_ANSWER }));
    }
  }

  close() {
    for (const [event, act] of this.listeners) this.model.off(event, act);
  }
}

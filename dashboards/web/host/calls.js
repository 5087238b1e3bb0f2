// Calls from the page to its kernel, each answered once, see `dashboards/services/calls.py`.
//
// page -> kernel   {type: "call", id, name, args} + [bytes]   kernel -> page   {type: "progress", id, ...}
//                                                                              {type: "answer", id, value} + [arrays]
//                                                                              {type: "error", id, message}
// An answer with `sizes` has left its arrays behind, since they are too long for one message: the page fetches them.

import { withArrays } from "./arrays.js";

export class Calls {
  /** @param {object} model The widget's. */
  constructor(model) {
    const visit = String(Math.random()).slice(2); // other pages on the same model have calls of their own
    Object.assign(this, { model, visit, number: 0, open: new Map() });
    this.listen = (message, buffers) => this.receive(message, buffers);
    model.on("msg:custom", this.listen);
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
    this.model.send({ type: "call", id, name, args }, undefined, buffers);
    return new Promise((resolve, reject) => this.open.set(id, { resolve, reject, progress }));
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

  close() {
    this.model.off("msg:custom", this.listen);
  }
}

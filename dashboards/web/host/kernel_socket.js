// The websocket to a kernel, in Jupyter's protocol: what is sent before it is open waits; one that breaks is opened anew, and the
// server then hands over what the kernel has sent meanwhile, since it knows the session. What was under way may be lost for all that.

import { packed, PROTOCOL, unpacked } from "./messages.js";

const TRIES = 7; // as Jupyter's own client
const FIRST_WAIT = 500; // milliseconds before another try, twice as long each time
const NOTICED = 3; // tries after which a visitor is told
const ANSWER_WITHIN = 10_000; // milliseconds for the server to say whether it has the kernel
const NOT_HERE = [403, 404]; // what it says where it has not: a server that was started anew knows no kernel of before, nor a token
const CUT_OFF = "the connection to the kernel is broken: try again once the network is back, or reload the page";
const ENDED = "the kernel has ended, alone or with its server: reload the page";

export class KernelSocket {
  /**
   * @param {{baseUrl: string, kernelId: string}} kernel
   * @param {{away: () => void, back: () => void, lost: (why: string) => void}} on `away`: the connection stays broken so far;
   *   `back`: it broke and is open again; `lost`: nothing is tried any more before `again` is called, and never if the kernel has ended.
   */
  constructor({ baseUrl, kernelId }, on) {
    const session = crypto.randomUUID?.() ?? String(Math.random()).slice(2); // which a page without TLS does not have
    const kernel = new URL(`${baseUrl}api/kernels/${kernelId}`, location.href);
    const path = `${kernel.pathname}/channels?session_id=${session}`;
    const address = Object.assign(new URL(path, location.href), { protocol: location.protocol.replace("http", "ws") });
    Object.assign(this, { session, kernel, address, on, sent: 0, failed: 0, waiting: [], comms: new Map(), underWay: new Map() });
    Object.assign(this, { isBroken: false, isTrying: false, lost: null });
    addEventListener("online", () => this.again(TRIES));
    this.connect();
  }

  connect() {
    this.isTrying = false;
    this.socket = new WebSocket(this.address, PROTOCOL);
    this.socket.binaryType = "arraybuffer";
    this.socket.addEventListener("open", () => this.begin());
    this.socket.addEventListener("message", ({ data }) => this.receive(unpacked(data)));
    this.socket.addEventListener("close", () => this.retry());
  }

  begin() {
    const { isBroken } = this;
    Object.assign(this, { failed: 0, isBroken: false });
    for (const message of this.waiting.splice(0)) this.pass(message);
    if (isBroken) this.on.back();
  }

  retry() {
    for (const resolve of this.underWay.values()) resolve(false); // whether they arrived, nobody knows
    this.underWay.clear();
    this.isBroken = true;
    if (++this.failed > TRIES) this.lose(CUT_OFF);
    else this.timer = setTimeout(() => this.tryAgain(), FIRST_WAIT * 2 ** (this.failed - 1));
    if (this.failed === NOTICED) this.on.away();
  }

  async tryAgain() {
    this.isTrying = true;
    const isHere = await hasKernel(this.kernel);
    this.isTrying = false;
    if (isHere) this.connect();
    else if (isHere === null) this.retry();
    else this.lose(ENDED);
  }

  lose(why) {
    this.lost = why;
    for (const { resolve } of this.waiting.splice(0)) resolve(false);
    this.on.lost(why);
  }

  /**
   * Try at once to open a connection that is broken, since the network is back, or the visitor wants something.
   * @param {number} more How many tries follow at least where this one fails.
   */
  again(more) {
    if (this.lost === ENDED || this.isTrying || !this.isBroken || this.socket.readyState !== WebSocket.CLOSED) return;
    clearTimeout(this.timer);
    Object.assign(this, { lost: null, failed: Math.min(this.failed, TRIES - more) });
    this.tryAgain();
  }

  /**
   * Listen to a comm.
   * @param {string} id
   * @param {(data: object, buffers: DataView[]) => void} listen
   */
  listen(id, listen) {
    this.comms.set(id, listen);
  }

  /**
   * Send a message to the kernel.
   *
   * @param {string} type
   * @param {object} content
   * @param {ArrayBuffer[]} buffers
   * @returns {Promise<boolean>} Once the kernel is done with it; false where the connection broke before, or there is none.
   */
  send(type, content, buffers) {
    const id = `${this.session}-${++this.sent}`;
    const about = { session: this.session, username: "", version: "5.3", date: new Date().toISOString() };
    const header = { msg_id: id, msg_type: type, ...about };
    const bytes = packed({ channel: "shell", header, parent_header: {}, metadata: {}, content, buffers });
    return new Promise((resolve) => this.pass({ id, bytes, resolve }));
  }

  pass(message) {
    if (this.lost) message.resolve(false);
    else if (this.socket.readyState !== WebSocket.OPEN) this.waiting.push(message);
    else {
      this.socket.send(message.bytes);
      this.underWay.set(message.id, message.resolve);
    }
  }

  receive({ header, parent_header: parent, content, buffers }) {
    if (header.msg_type === "comm_msg") this.comms.get(content.comm_id)?.(content.data, buffers);
    else if (header.msg_type === "status" && content.execution_state === "idle") {
      this.underWay.get(parent.msg_id)?.(true);
      this.underWay.delete(parent.msg_id);
    }
  }
}

/** Whether a server has a kernel; null where it does not say. */
async function hasKernel(address) {
  try {
    const { ok, status } = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(ANSWER_WITHIN) });
    return ok ? true : NOT_HERE.includes(status) ? false : null;
  } catch {
    return null; // nobody answers
  }
}

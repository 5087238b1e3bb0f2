// The websocket to a kernel, in Jupyter's protocol: what is sent before it is open waits; one that breaks is opened anew, and the
// server then hands over what the kernel has sent meanwhile, since it knows the session.

import { packed, PROTOCOL, unpacked } from "./messages.js";

const TRIES = 7; // as Jupyter's own client
const FIRST_WAIT = 500; // milliseconds before another try, twice as long each time

export class KernelSocket {
  /**
   * @param {{baseUrl: string, kernelId: string}} kernel
   * @param {() => void} onLost Called when the kernel cannot be reached any more.
   */
  constructor({ baseUrl, kernelId }, onLost) {
    const session = crypto.randomUUID?.() ?? String(Math.random()).slice(2); // which a page without TLS does not have
    const path = `${baseUrl}api/kernels/${kernelId}/channels?session_id=${session}`;
    const address = Object.assign(new URL(path, location.href), { protocol: location.protocol.replace("http", "ws") });
    Object.assign(this, { session, address, onLost, sent: 0, failed: 0, waiting: [], comms: new Map(), underWay: new Map() });
    addEventListener("online", () => this.resume());
    this.connect();
  }

  connect() {
    this.socket = new WebSocket(this.address, PROTOCOL);
    this.socket.binaryType = "arraybuffer";
    this.socket.addEventListener("open", () => this.begin());
    this.socket.addEventListener("message", ({ data }) => this.receive(unpacked(data)));
    this.socket.addEventListener("close", () => this.retry());
  }

  begin() {
    this.failed = 0;
    for (const bytes of this.waiting.splice(0)) this.socket.send(bytes);
  }

  retry() {
    for (const resolve of this.underWay.values()) resolve(); // whether they arrived, nobody knows
    this.underWay.clear();
    if (++this.failed > TRIES) this.onLost();
    else this.timer = setTimeout(() => this.connect(), FIRST_WAIT * 2 ** (this.failed - 1));
  }

  /** The network is back: a connection that broke is tried at once, and from the beginning. */
  resume() {
    if (this.failed === 0 || this.socket.readyState !== WebSocket.CLOSED) return;
    clearTimeout(this.timer);
    this.failed = 0;
    this.connect();
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
   * @returns {Promise<void>} Once the kernel is done with it, or the connection is lost.
   */
  send(type, content, buffers) {
    const id = `${this.session}-${++this.sent}`;
    const about = { session: this.session, username: "", version: "5.3", date: new Date().toISOString() };
    const header = { msg_id: id, msg_type: type, ...about };
    const bytes = packed({ channel: "shell", header, parent_header: {}, metadata: {}, content, buffers });
    if (this.socket.readyState !== WebSocket.OPEN) this.waiting.push(bytes);
    else this.socket.send(bytes);
    return new Promise((resolve) => this.underWay.set(id, resolve));
  }

  receive({ header, parent_header: parent, content, buffers }) {
    if (header.msg_type === "comm_msg") this.comms.get(content.comm_id)?.(content.data, buffers);
    else if (header.msg_type === "status" && content.execution_state === "idle") {
      this.underWay.get(parent.msg_id)?.();
      this.underWay.delete(parent.msg_id);
    }
  }
}

// A widget's model beside the kernel, as anywidget hands it to a widget's script, without the rest of the widget manager: the
// traits, which either side sets, and messages. Values that a page sets are plain JSON. Besides anywidget's events there are those
// of the connection: `away`, `back`, and `lost` with the reason why, see `kernel_socket.js`.

import { same } from "../app/state.js";
import { KernelSocket } from "./kernel_socket.js";

export class WidgetModel {
  /**
   * @param {string} id
   * @param {{baseUrl: string, kernelId: string}} kernel
   */
  constructor(id, kernel) {
    Object.assign(this, { id, traits: null, unsaved: {}, saving: false, listeners: new Map() });
    const on = { away: () => this.emit("away"), back: () => this.goOn(), lost: (why) => this.emit("lost", why) };
    this.socket = new KernelSocket(kernel, on);
    this.socket.listen(id, (data, buffers) => this.receive(data, buffers));
  }

  /** Take the traits from the kernel, as often as the connection breaks meanwhile. */
  async load() {
    while (!(await this.tell({ method: "request_state" }))) if (this.socket.lost) throw new Error(this.socket.lost);
    if (this.traits === null) throw new Error("its kernel does not know this page: reload it");
  }

  get(name) {
    return this.traits[name];
  }

  set(name, value) {
    if (same(value, this.traits[name])) return;
    this.unsaved[name] = value;
    this.take({ [name]: value });
  }

  /** Let the kernel have what was set; while it is busy the newest values wait. */
  async save_changes() {
    if (this.saving || !Object.keys(this.unsaved).length) return;
    const state = this.unsaved;
    this.unsaved = {};
    this.saving = true;
    const arrived = await this.tell({ method: "update", state, buffer_paths: [] });
    this.saving = false;
    if (arrived) this.save_changes();
    else this.unsaved = { ...state, ...this.unsaved }; // until the connection is back
  }

  /** Send a message; where the connection was given up it is tried once more. */
  send(content, _callbacks, buffers = []) {
    const { socket } = this;
    socket.again(0);
    if (socket.lost) this.emit("lost", socket.lost);
    else this.tell({ method: "custom", content }, buffers);
  }

  goOn() {
    this.save_changes();
    this.emit("back");
  }

  on(event, act) {
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), act]);
  }

  off(event, act) {
    this.listeners.set(event, (this.listeners.get(event) ?? []).filter((one) => one !== act));
  }

  tell(data, buffers = []) {
    return this.socket.send("comm_msg", { comm_id: this.id, data }, buffers);
  }

  receive({ method, state, buffer_paths: paths, content }, buffers) {
    if (method === "custom") this.emit("msg:custom", content, buffers);
    else if (method === "update") this.take(withBuffers(state, paths ?? [], buffers)); // an echo is of what this page has set itself
  }

  take(values) {
    const before = this.traits;
    this.traits = { ...before, ...values };
    if (before) for (const name of Object.keys(values)) this.emit(`change:${name}`);
  }

  emit(event, ...values) {
    for (const act of this.listeners.get(event) ?? []) act(...values);
  }
}

/** A state with the buffers that were taken out of it, each where its path says. */
function withBuffers(state, paths, buffers) {
  paths.forEach((path, at) => {
    const place = path.slice(0, -1).reduce((value, key) => value[key], state);
    place[path.at(-1)] = buffers[at];
  });
  return state;
}

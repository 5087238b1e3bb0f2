// The page beside a kernel, in Voilà or JupyterLab: its bundles and services come from there. The state goes there as one
// object a moment after each change, and comes back only where Python has set it; no frame waits for the kernel.

import { pageAddress } from "../app/address.js";
import { same } from "../app/state.js";
import { withArrays } from "./arrays.js";
import { Calls } from "./calls.js";
import { receiptsOf, takeReceipt } from "./receipts.js";
import { send } from "./upload.js";

const MOMENT = 150; // milliseconds that changes wait for each other

/** Whether the page is our server's own, with its address; in JupyterLab the address is not ours. */
function isOurs() {
  return document.body.dataset.voila !== undefined;
}

/**
 * @param {object} model The widget's.
 * @returns {import("./file.js").Host & {opened: Promise<void>}} `opened`: once a first bundle has come, or failed to.
 */
export function kernelHost(model) {
  const page = model.get("page");
  let settled = null;
  const calls = new Calls(model);
  const sharing = new Sharing(model);
  const call = (name, args = {}, more = {}) => calls.call(name, { ...args, view: sharing.view }, more);
  const host = {
    ...page,
    kind: "kernel",
    opened: new Promise((resolve) => (settled = resolve)),
    address: isOurs() ? recorded(pageAddress(), sharing) : addressOf(page.app, model, sharing),
    async open(name) {
      const carried = model.get("carried"); // beside a notebook's cells, which keep the kernel busy
      if (carried) settled();
      if (carried) return withArrays(carried.opened, carried.buffers);
      const { receipts, buffers } = receiptsOf(name);
      return calls.call("open", { name, receipts }, { buffers }).finally(settled);
    },
    services: {
      async verify(args, progress) {
        const { receipt, ...result } = await call("verify", args, { progress });
        takeReceipt(result.name, receipt);
        return result;
      },
      cancel: () => calls.call("cancel"),
      async bring(file, progress) {
        const answer = await send(calls, file, progress);
        host.bundles = answer.bundles;
        return answer;
      },
      keep: (text) => calls.call("config", { text }),
      save: () => call("save"),
      report: () => call("report"),
      page: () => call("page"),
      answers: () => calls.call("here"),
      library: async () => model.get("carried")?.library ?? calls.call("library"),
    },
    connect: (page) => sharing.connect(page),
    close() {
      sharing.close();
      calls.close();
    },
  };
  return host;
}

/** The state and the link, in step with the widget's traits. */
class Sharing {
  constructor(model) {
    Object.assign(this, { model, left: {}, timer: null, ends: [] });
  }

  /** The state that is shown. */
  get view() {
    return this.page.store.get();
  }

  /**
   * Begin: what Python has set is shown, and what is shown goes to Python.
   * @param {{store: import("../app/state.js").Store, arrive: (query: string) => void, refuse: (text: string) => void}} page
   */
  connect(page) {
    this.page = page;
    const { store } = page;
    if (Object.keys(this.model.get("view")).length) store.set(this.model.get("view"), { undoable: false });
    this.on("change:view", () => this.take());
    this.on("change:query", () => this.model.get("query") !== this.link && page.arrive(this.model.get("query")));
    this.on("msg:custom", ({ type, message }) => type === "refused" && page.refuse(message));
    this.ends.push(store.subscribe((state) => this.leave({ view: state })));
    this.leave({ view: store.get() });
  }

  on(event, act) {
    this.model.on(event, act);
    this.ends.push(() => this.model.off(event, act));
  }

  /** Python, or another page on the same widget, has set the state. */
  take() {
    const view = this.model.get("view");
    if (view === this.sent || same(view, this.view)) return;
    delete this.left.view;
    this.page.store.set(view);
  }

  /** Let Python have some values, with those that follow within a moment. */
  leave(values) {
    Object.assign(this.left, values);
    this.timer ??= setTimeout(() => this.flush(), MOMENT);
  }

  flush() {
    this.timer = null;
    const { left } = this;
    this.left = {};
    if ("query" in left) this.link = left.query;
    if ("view" in left) this.sent = left.view;
    for (const [name, value] of Object.entries(left)) if (!same(value, this.model.get(name))) this.model.set(name, value);
    this.model.save_changes();
  }

  close() {
    clearTimeout(this.timer);
    for (const end of this.ends) end();
  }
}

/** The page's own address, whose link Python has, too. */
function recorded(address, sharing) {
  return {
    get query() {
      return address.query;
    },
    get href() {
      return address.href;
    },
    get entry() {
      return address.entry;
    },
    write(how, link, entry) {
      address.write(how, link, entry);
      sharing.leave({ query: link });
    },
    go: address.go,
    onArrive: address.onArrive,
  };
}

/** The address where there is none: links are lines of Python. */
function addressOf(app, model, sharing) {
  let current = null;
  let shown = model.get("query");
  return {
    get query() {
      return model.get("query");
    },
    get href() {
      return `${app}.open_link(${JSON.stringify(shown)})`;
    },
    get entry() {
      return current;
    },
    write(how, link, entry) {
      [current, shown] = [entry, link];
      sharing.leave({ query: link });
    },
    go(steps) {
      current = { ...current, place: current.place + steps };
    },
    onArrive() {},
  };
}

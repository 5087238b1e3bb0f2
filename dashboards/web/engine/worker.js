// The engine in a Web Worker.
//
// page -> worker   {type: "load", bundle, options} + [ports of helpers]     worker -> page   {type: "loaded", base}
//                                                                                            {type: "refused", message}
//                  {type: "state", number, state, views}                                    {type: "frame", number, remix, views}
//                                                                                            {type: "error", number, message}
//                  {type: "search", number, request}                                        {type: "progress", number, share}
//                  {type: "cancel"}                                                          {type: "found", number, result}
//                  {type: "help"} + [port of the lead]                                      {type: "failed", number, message}
//
// Only the newest state is worked on: one that comes while another waits takes its place. A search goes on in between.

import { EngineService } from "./service.js";
import { Helpers, help } from "./sharing.js";

const SLICE = 8; // milliseconds that a search runs before new states are looked for
const NEWS = 50; // milliseconds between messages about its progress
const LARGE = 1 << 16; // bytes from which an array is moved and not copied; those kept for the next frame are smaller

let service = null;
let helpers = null;
let newest = null;
let search = null;
let busy = false;

const TAKES = {
  load: ({ bundle, options }, ports) => load(bundle, options, ports),
  help: (_, [port]) => (port.onmessage = ({ data }) => help(port, data)),
  state: (data) => (newest = data),
  search: ({ number, request }) => (search = { number, work: service.search(request), reported: 0 }),
  cancel: () => (search = null),
};

self.onmessage = ({ data, ports }) => {
  TAKES[data.type](data, ports);
  if (!busy && service) work();
};

function load(bundle, options, ports) {
  try {
    service = new EngineService(bundle, options);
    helpers = ports.length ? new Helpers(service.engine.rows, ports) : null;
    self.postMessage({ type: "loaded", base: service.base });
  } catch (error) {
    self.postMessage({ type: "refused", message: error.message });
  }
}

async function work() {
  busy = true;
  while (newest || search) {
    await turn(); // so that messages that have come already are seen
    if (newest) await showNewest();
    else if (search) searchOn();
  }
  busy = false;
}

async function showNewest() {
  const { number, state, views } = newest;
  newest = null;
  try {
    await helpers?.prepare(state.params);
    answer({ type: "frame", number, ...service.frame(state, views) });
  } catch (error) {
    self.postMessage({ type: "error", number, message: error.message });
  }
}

/** Go on with the search for a moment. */
function searchOn() {
  const { number, work } = search;
  const start = performance.now();
  try {
    let step;
    do step = work.next();
    while (!step.done && performance.now() - start < SLICE);
    if (step.done) {
      search = null;
      answer({ type: "found", number, result: step.value });
    } else if (start - search.reported > NEWS) {
      search.reported = start;
      self.postMessage({ type: "progress", number, share: step.value });
    }
  } catch (error) {
    search = null;
    self.postMessage({ type: "failed", number, message: error.message });
  }
}

/** Send an answer; its large arrays go, and are no longer here. */
function answer(message) {
  const found = new Set();
  const look = (value) => {
    if (ArrayBuffer.isView(value)) {
      if (value.byteLength >= LARGE && value.byteLength === value.buffer.byteLength) found.add(value.buffer);
    } else if (value !== null && typeof value === "object") Object.values(value).forEach(look);
  };
  look(message);
  self.postMessage(message, [...found]);
}

const channel = new MessageChannel();
let turned = () => {};
channel.port1.onmessage = () => turned();

/** Until the messages that wait have been handled. */
function turn() {
  return new Promise((resolve) => {
    turned = resolve;
    channel.port2.postMessage(null);
  });
}

// The engine in a Web Worker.
//
// page -> worker   {type: "load", bundle, options} + [ports of helpers]     worker -> page   {type: "loaded", base}
//                  {type: "state", number, state, views}                                    {type: "frame", number, remix, views}
//                  {type: "help"} + [port of the lead]                                      {type: "error", number, message}
//
// Only the newest state is worked on: one that comes while another waits takes its place.

import { EngineService } from "./service.js";
import { Helpers, help } from "./sharing.js";

let service = null;
let helpers = null;
let newest = null;
let busy = false;

self.onmessage = ({ data, ports }) => {
  if (data.type === "load") load(data, ports);
  else if (data.type === "help") ports[0].onmessage = ({ data: share }) => help(ports[0], share);
  else if (data.type === "state") {
    newest = data;
    if (!busy) work();
  }
};

function load({ bundle, options }, ports) {
  try {
    service = new EngineService(bundle, options);
    helpers = ports.length ? new Helpers(service.engine.rows, ports) : null;
    self.postMessage({ type: "loaded", base: service.base });
  } catch (error) {
    self.postMessage({ type: "error", number: 0, message: error.message });
  }
}

async function work() {
  busy = true;
  while (newest) {
    await turn(); // so that messages that have come already are seen
    const { number, state, views } = newest;
    newest = null;
    try {
      await helpers?.prepare(state.params);
      self.postMessage({ type: "frame", number, ...service.frame(state, views) });
    } catch (error) {
      self.postMessage({ type: "error", number, message: error.message });
    }
  }
  busy = false;
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

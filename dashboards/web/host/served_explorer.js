// The explorer on our server's page: what the page's script ends with.

import { startExplorer } from "../explorer/explorer.js";
import { openServed } from "./open_served.js";

/** Start it. */
export function open() {
  return openServed(startExplorer);
}

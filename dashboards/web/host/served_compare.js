// The comparison on our server's page: what the page's script ends with.

import { startCompare } from "../compare/compare.js";
import { openServed } from "./open_served.js";

/** Start it. */
export function open() {
  return openServed(startCompare);
}

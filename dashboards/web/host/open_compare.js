// The comparison in a file: what the file's script ends with.

import { startCompare } from "../compare/compare.js";
import { openPage } from "./open_page.js";

/** Start the comparison. */
export function open() {
  return openPage(startCompare);
}

// The explorer in a file: what the file's script ends with.

import { startExplorer } from "../explorer/explorer.js";
import { openPage } from "./open_page.js";

/** Start the explorer. */
export function open() {
  return openPage(startExplorer);
}

// The explorer as a widget: what anywidget calls to show it.

import { startExplorer } from "../explorer/explorer.js";
import { renderPage } from "./widget.js";

/**
 * Show the explorer in an element.
 * @returns {() => void} Ends it.
 */
export function render(where) {
  return renderPage(where, startExplorer);
}

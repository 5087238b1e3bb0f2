// The playground of the notebooks as a widget: what anywidget calls to show it.

import { startPlayground } from "../explorer/playground.js";
import { renderPage } from "./widget.js";

/**
 * Show the playground in an element.
 * @returns {() => void} Ends it.
 */
export function render(where) {
  return renderPage(where, startPlayground);
}

// The comparison as a widget: what anywidget calls to show it.

import { startCompare } from "../compare/compare.js";
import { renderPage } from "./widget.js";

/**
 * Show the comparison in an element.
 * @returns {() => void} Ends it.
 */
export function render(where) {
  return renderPage(where, startCompare);
}

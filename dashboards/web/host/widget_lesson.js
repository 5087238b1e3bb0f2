// The lesson as a widget: what anywidget calls to show it.

import { startLesson } from "../lesson/lesson.js";
import { renderPage } from "./widget.js";

/**
 * Show the lesson in an element.
 * @returns {() => void} Ends it.
 */
export function render(where) {
  return renderPage(where, startLesson);
}

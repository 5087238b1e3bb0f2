// The lesson in a file: what the file's script ends with.

import { startLesson } from "../lesson/lesson.js";
import { openPage } from "./open_page.js";

/** Start the lesson. */
export function open() {
  return openPage(startLesson);
}

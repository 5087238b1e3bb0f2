// The lesson on our server's page: what the page's script ends with.

import { startLesson } from "../lesson/lesson.js";
import { openServed } from "./open_served.js";

/** Start it. */
export function open() {
  return openServed(startLesson);
}

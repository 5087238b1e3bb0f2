// What the links of all apps have in common: how long a query may be, which of its words are not the app's, what is wrong with it.

import { firstOf, quoted } from "../controls/numbers.js";
import { thousands } from "../engine/text.js";

export const MAX_QUERY = 8000; // characters; browsers and servers take no longer address for certain
export const FOREIGN = ["token", "theme", "reset"]; // words of the server or the page, not of the view
export const TOO_LONG = `the link is longer than ${thousands(MAX_QUERY)} characters and was ignored`;

/** That a word of a query is none of those that a link knows. */
export function noSetting(word, known) {
  return `${quoted(firstOf(word, 40))} is no setting: a link knows ${known.join(", ")}`;
}

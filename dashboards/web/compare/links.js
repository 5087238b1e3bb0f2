// A link to a comparison: `bundles=digits,cifar10&beta=0.95&alpha=source&on=digits&first=plain`. What stands at its default is left out.

import { FOREIGN, MAX_QUERY, TOO_LONG, noSetting } from "../app/query.js";
import { readSetting, writeSetting } from "../app/settings.js";
import { EntryError } from "../controls/entries.js";
import { firstOf, quoted } from "../controls/numbers.js";

export const MAX_COMPARED = 6; // bundles that stand beside each other and can still be read
const PAIR = ["on", "first", "second"]; // the two mixes, and the bundle that they are on
const MAX_WORD = 300; // characters of one of these

/**
 * The query of a state, without the question mark.
 *
 * @param {import("../controls/entries.js").Setting[]} settings
 * @param {object} state
 * @param {object} defaults
 */
export function writeLink(settings, state, defaults) {
  const written = [["bundles", state.bundles.map(encodeURIComponent).join(",")]];
  for (const setting of settings) {
    if (state[setting.name] !== defaults[setting.name]) written.push([setting.word, encodeURIComponent(writeSetting(setting, state[setting.name]))]);
  }
  for (const name of PAIR) if (state[name] !== defaults[name]) written.push([name, encodeURIComponent(state[name])]);
  return written.map((pair) => pair.join("=")).join("&");
}

/**
 * What a query asks for; a wrong value is reported and left out.
 *
 * @param {import("../controls/entries.js").Setting[]} settings
 * @param {string} query Without the question mark.
 * @param {string[]} known Names of the bundles at hand.
 * @returns {{values: object, problems: string[]}}
 */
export function readLink(settings, query, known) {
  if (query.length > MAX_QUERY) return { values: {}, problems: [TOO_LONG] };
  const [values, problems] = [{}, []];
  for (const part of query.replace(/^\?/, "").split("&").filter(Boolean)) {
    const [word, raw = ""] = part.split(/=(.*)/s);
    const setting = settings.find((one) => one.word === word);
    if (word === "bundles") Object.assign(values, bundlesIn(raw, known, problems));
    else if (PAIR.includes(word)) values[word] = firstOf(decoded(raw), MAX_WORD);
    else if (setting) {
      try {
        values[setting.name] = readSetting(setting, decoded(raw));
      } catch (error) {
        if (!(error instanceof EntryError)) throw error;
        problems.push(error.message);
      }
    } else if (!FOREIGN.includes(word)) {
      problems.push(noSetting(word, ["bundles", ...settings.map((one) => one.word), ...PAIR]));
    }
  }
  return { values, problems };
}

/** The names that are at hand, each once; a name may hold a comma, which is then written %2C. */
function bundlesIn(raw, known, problems) {
  let asked = raw.split(",").map(decoded);
  if (asked.length === 1 && !known.includes(asked[0])) asked = asked[0].split(","); // somebody's tool has written every comma as %2C
  const names = [...new Set(asked.filter(Boolean))];
  for (const name of names) if (!known.includes(name)) problems.push(`no bundle ${quoted(firstOf(name, 60))} here: there are ${known.join(", ")}`);
  const found = names.filter((name) => known.includes(name));
  if (found.length > MAX_COMPARED) problems.push(`at most ${MAX_COMPARED} bundles are compared, got ${found.length}: the first are used`);
  return found.length ? { bundles: found.slice(0, MAX_COMPARED) } : {};
}

function decoded(text) {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}

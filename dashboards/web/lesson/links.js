// A link to a place in the lesson: `bundle=cifar10&step=3&said=failures:50,margin-17:wrong&c=-1.1&lang=de&hide=thread&present`. A control that nobody
// has moved is left out.

import { EntryError } from "../controls/entries.js";
import { firstOf, shortest } from "../controls/numbers.js";
import { FOREIGN, MAX_QUERY } from "../app/query.js";
import { readSetting, writeSetting } from "../app/settings.js";
import { PARTS, PLAIN, WAYS } from "./presentation.js";

const OTHERS = [...FOREIGN, "class"]; // words of the server or the page
const SAID = /^[a-z]+(?:-\d{1,7})?$/;
const SHOWN = "-"; // in place of an answer: the reader asked to be shown

/**
 * The query of a state, without the question mark.
 *
 * @param {import("../controls/entries.js").Setting[]} settings
 * @param {object} state
 * @param {import("./presentation.js").Shown} shown
 */
export function writeLink(settings, state, shown) {
  const pairs = [["bundle", state.bundle]];
  if (state.step > 1) pairs.push(["step", String(state.step)]);
  const said = Object.entries(state.said).map(([slot, answer]) => `${slot}:${answer === null ? SHOWN : answerOf(answer)}`);
  if (said.length) pairs.push(["said", said.join(",")]);
  for (const setting of settings) {
    const value = state[setting.name];
    if (value !== null) pairs.push([setting.word, writeSetting(setting, value)]);
  }
  pairs.push(["lang", shown.language]);
  pairs.push(["hide", shown.hide.join(",")]);
  const written = pairs.filter(([, value]) => value).map(([key, value]) => `${key}=${encodeURIComponent(value).replaceAll("%3A", ":").replaceAll("%2C", ",")}`);
  return [...written, ...WAYS.filter((way) => shown[way])].join("&");
}

function answerOf(answer) {
  return typeof answer === "number" ? shortest(answer) : answer;
}

/**
 * What a query asks for; a wrong value is reported and left out.
 *
 * @param {import("../controls/entries.js").Setting[]} settings
 * @param {string} query Without the question mark.
 * @param {{bundles: string[], languages: string[], steps: number, slots: string[]}} names Of the bundles and languages at hand; how many
 *   steps there are, the end included; and the first words of answers.
 * @returns {{values: object, shown: import("./presentation.js").Shown, problems: ["page.unknown_word"|"page.bad_value", object][]}} `problems`:
 *   sentences with their fields.
 */
export function readLink(settings, query, { bundles, languages, steps, slots }) {
  const [values, shown, problems] = [{}, { ...PLAIN }, []];
  const words = ["bundle", "step", "said", ...settings.map(({ word }) => word), "lang", "hide", ...WAYS];
  const fields = [...new URLSearchParams(query.slice(0, MAX_QUERY))].filter(([word, value]) => (value !== "" || WAYS.includes(word)) && !OTHERS.includes(word));
  for (const [word, text] of fields) {
    const setting = settings.find((one) => one.word === word);
    const wrong = () => problems.push(["page.bad_value", { word }]);
    if (word === "bundle") bundles.includes(text) ? (values.bundle = text) : wrong();
    else if (word === "step") /^\d{1,3}$/.test(text) ? (values.step = Math.min(Math.max(Number(text), 1), steps)) : wrong();
    else if (word === "lang") languages.includes(text) ? (shown.language = text) : wrong();
    else if (word === "said") values.said = saidIn(text, slots, wrong);
    else if (word === "hide") shown.hide = partsIn(text, wrong);
    else if (WAYS.includes(word)) ["", "1"].includes(text) ? (shown[word] = true) : wrong();
    else if (setting) {
      try {
        values[setting.name] = readSetting(setting, text);
      } catch (error) {
        if (!(error instanceof EntryError)) throw error;
        wrong();
      }
    } else problems.push(["page.unknown_word", { word: firstOf(word, 40), words: words.join(", ") }]);
  }
  return { values, shown, problems };
}

/** The parts that are left out, each once. */
function partsIn(text, wrong) {
  const names = [...new Set(text.split(","))].filter((name) => name !== "");
  if (names.some((name) => !PARTS.includes(name))) wrong();
  return names.filter((name) => PARTS.includes(name));
}

/** Answers by their slots; numbers as such. Whether a question allows them is asked when it is shown. */
function saidIn(text, slots, wrong) {
  const said = {};
  for (const part of text.split(",")) {
    const [slot, answer = ""] = part.split(":");
    if (!SAID.test(slot) || !slots.includes(slot.split("-")[0]) || !answer) wrong();
    else if (answer === SHOWN) said[slot] = null;
    else said[slot] = Number.isFinite(Number(answer)) ? Number(answer) : firstOf(answer, 20);
  }
  return said;
}

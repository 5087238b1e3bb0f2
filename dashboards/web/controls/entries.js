// Values that a person entered or a link has: read, or refused in words that stand on the page.
//
// The rules and the words are those of `dashboards/widgets/entries.py` and `settings.py`; a test holds them together.

import { thousands } from "../engine/text.js";
import { firstOf, general, grouped, minus, quoted } from "./numbers.js";
import { localNumber, word } from "./words.js";

/**
 * @typedef {object} Setting What is declared of a setting, see `dashboards/explorer/state.py`.
 * @property {string} name Its name in the state.
 * @property {string} word Its name in links.
 * @property {string} label Its name on the page.
 * @property {string} symbol Of a number.
 * @property {string} help What it does, in one sentence.
 * @property {"number"|"choice"|"whole"|"line"|"images"} kind
 * @property {number} low Of numbers: the least, which is not one itself where `low_open`.
 * @property {number|null} high The largest; null where there is none.
 * @property {boolean} low_open
 * @property {number} slider_low Of numbers: the slider's ends, its step and whether it is logarithmic.
 * @property {number} slider_high
 * @property {number} step
 * @property {"linear"|"log"} scale
 * @property {number} most Of lines: so many characters at most.
 * @property {any} default
 * @property {[string, any][]} choices Of choices: what each is called on the page, and its value.
 * @property {string} group The heading under which its control stands.
 */

export const ENTERED = "you entered"; // whose value it is, for a message
export const FROM_LINK = "the link has";
const MAX_LN_K = 1e9;

/** What is wrong with a value, in words for the page. */
export class EntryError extends Error {}

/**
 * A parameter's value as it was entered.
 *
 * @param {Setting} spec The parameter.
 * @param {string} text What was entered.
 * @param {string} source Whose value it is.
 * @throws {EntryError} If it is no number, or outside the interval.
 */
export function readNumber(spec, text, source = ENTERED) {
  const value = numberIn(spec, text);
  if (value === null || !allows(spec, value)) throw new EntryError(refusal(spec, text, source));
  return value;
}

/** Whether a number lies in a parameter's interval. */
export function allows(spec, value) {
  const low = spec.low ?? -Infinity;
  const inside = spec.low_open ? value > low : value >= low;
  return Number.isFinite(value) && inside && value <= (spec.high ?? Infinity);
}

/** The layer norm's number of logits: 0, or a whole number of 2 or more. */
export function readLnK(text, source = ENTERED) {
  const value = wholeIn(text);
  if (value !== null && (value === 0 || value >= 2) && value <= MAX_LN_K) return value;
  const large = (finite(text) ?? 0) > MAX_LN_K ? `, at most ${thousands(MAX_LN_K)}` : "";
  throw new EntryError(
    `LN top-k must be 0 (no layer norm) or a whole number of 2 or more${large} (${source} ${shown(text)})`,
  );
}

/** A whole number from `low` on, up to `high` if there is an end; a link's is refused in the words of Python's links. */
export function readWhole({ word, low, high }, text, source = ENTERED) {
  const value = wholeIn(text);
  if (value !== null && value >= low && value <= (high ?? Infinity)) return value;
  const end = high === null || high === undefined ? "" : ` to ${high}`;
  const came = source === FROM_LINK ? `, got ${quoted(firstOf(text, 40))}` : ` (${source} ${shown(text)})`;
  throw new EntryError(`${word} must be a whole number from ${low}${end}${came}`);
}

/** A line of a link of at most so many characters. */
export function readLine({ word, most }, text) {
  if (Array.from(text).length <= most && !/\p{Cc}/u.test(text)) return text;
  throw new EntryError(`${word} must be one line of at most ${most} characters, got ${quoted(firstOf(text, 40))}`);
}

/** The text, if it is one of those allowed. */
export function oneOf(name, text, allowed) {
  if (allowed.includes(text)) return text;
  throw new EntryError(`${name} must be one of ${allowed.join(", ")}, got ${quoted(firstOf(text, 40))}`);
}

/** A message as a sentence of its own. */
export function sentence(text) {
  return /[.?]$/.test(text) ? text : `${text}.`;
}

const DIGITS = String.raw`\d+(?:_\d+)*`;
const NUMBER = new RegExp(String.raw`^[+-]?(?:${DIGITS}\.?(?:${DIGITS})?|\.${DIGITS})(?:[eE][+-]?${DIGITS})?$`);

/** The finite number that a text is; null if it is none. A true minus is one, too, and −0 is 0. */
function finite(text) {
  const plain = text.trim().replaceAll("−", "-");
  if (!NUMBER.test(plain)) return null;
  const value = Number(plain.replaceAll("_", ""));
  return Number.isFinite(value) ? value + 0 : null;
}

/** The number that was entered; of a share also in percent. */
function numberIn(spec, text) {
  const percent = spec.high === 1 ? text.trim().match(/^(.*?)\s*%$/s) : null;
  if (!percent) return finite(text);
  const value = finite(percent[1]);
  return value === null ? null : Number(general(value / 100, 15));
}

/** The whole number that a text is, as `1e3` is one; null if it is none. */
function wholeIn(text) {
  const value = finite(text);
  return Number.isSafeInteger(value) ? value : null;
}

function refusal(spec, text, source) {
  const rule = word(finite(text) === null ? "must_number" : "must", { name: spec.symbol || spec.name, interval: interval(spec) });
  const meant = meantBy(spec, text);
  if (meant !== null) return word("meant", { rule, value: localNumber(meant) });
  return word("came", { rule, source: source === ENTERED ? word("you_entered") : source, text: shown(text) });
}

function interval({ low, high, low_open: open }) {
  const [from, to] = [low, high ?? Infinity].map((end) => minus(localNumber(grouped(end, 10))));
  if (open) return word("open", { low: from, high: to });
  return Number.isFinite(high ?? Infinity) ? word("closed", { low: from, high: to }) : word("from", { low: from });
}

const GROUPED = /^[+\-−]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?$/; // commas between thousands, as this page writes them

/** The valid value that was probably meant: a share instead of percent, a number without its commas, a point for a comma. */
function meantBy(spec, text) {
  const whole = GROUPED.test(text.trim()) ? finite(text.replaceAll(",", "")) : null;
  if (whole !== null && allows(spec, whole)) return minus(general(whole, 10));
  let value = finite(text.replaceAll(",", "."));
  if (value !== null && spec.high === 1 && value > 1 && value <= 100) value /= 100;
  else if (!text.includes(",")) return null;
  return value !== null && allows(spec, value) ? minus(general(value, 10)) : null;
}

/** What was entered, for a message: a number with the minus as it is printed, anything else in quotes. */
function shown(text) {
  const short = firstOf(text.trim(), 40);
  if (finite(short) !== null) return minus(localNumber(short));
  return short ? `“${short}”` : word("nothing");
}

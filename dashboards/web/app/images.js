// The images that a visitor has selected, as one text of the state and of links: `3,5-9;margin of M(h) 0.10 to 0.20`, their
// numbers and what they have in common. Where that would be long, after a tilde a bit for each image, in base64url.
//
// The same as `dashboards/explorer/images.py`; a test holds them together.

import { EntryError } from "../controls/entries.js";
import { firstOf, quoted } from "../controls/numbers.js";

const MOST = 200000; // characters of the whole text
const MOST_IN_LINK = 3000; // of 18,000 images any can be in a link, of more as long as they are together
const MOST_WORDS = 160;
const READABLE = 60; // characters of numbers that stand as they are
const NUMBERS = /^(?:\d{1,7}(?:-\d{1,7})?(?:,\d{1,7}(?:-\d{1,7})?)*)?$/;
const BITS = /^~(?:[\w-]{4})*(?:[\w-]{2,3})?$/;

/**
 * The text for some images.
 *
 * @param {number[]} rows Clean rows, ascending, each once.
 * @param {string} words What they have in common.
 */
export function writeImages(rows, words) {
  const [numbers, bits] = [rangesOf(rows), bitsOf(rows)];
  const said = Array.from(words);
  const short = said.length > MOST_WORDS ? `${said.slice(0, MOST_WORDS - 1).join("")}…` : words;
  const images = numbers.length <= Math.max(READABLE, bits.length) ? numbers : bits;
  return short ? `${images};${short}` : images;
}

/**
 * The text that somebody else wrote, if it is one.
 * @throws {EntryError} If it is none.
 */
export function checkedImages(text) {
  const { images, words } = parts(text);
  const inOrder = () => images.split(",").every((one) => one.split("-").map(Number).every((end, i, ends) => end >= ends[0]));
  const fits = text.length <= MOST && Array.from(words).length <= MOST_WORDS && !/\p{Cc}/u.test(words);
  if (fits && (BITS.test(images) || (NUMBERS.test(images) && inOrder()))) return text;
  throw new EntryError(`selected must be numbers of images, such as 3,5-9, got ${quoted(firstOf(text, 40))}`);
}

/** What a link has of it: nothing where it is too long. */
export function imagesInLink(text) {
  return text.length > MOST_IN_LINK ? "" : text;
}

/**
 * The images that a text names, of a bundle with so many.
 * @returns {{rows: number[], words: string, beyond: boolean}} Clean rows, ascending; whether there are not all of them.
 */
export function imagesIn(text, n) {
  const { images, words } = parts(text);
  const marks = new Uint8Array(n);
  const beyond = images.startsWith("~") ? markBits(images.slice(1), marks) : markRanges(images, marks);
  return { rows: Array.from(marks.keys()).filter((row) => marks[row]), words, beyond };
}

function parts(text) {
  const at = text.indexOf(";");
  return at < 0 ? { images: text, words: "" } : { images: text.slice(0, at), words: text.slice(at + 1) };
}

function rangesOf(rows) {
  const ranges = [];
  for (const row of rows) {
    if (row === ranges.at(-1)?.[1] + 1) ranges.at(-1)[1] = row;
    else ranges.push([row, row]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(",");
}

function markRanges(images, marks) {
  let beyond = false;
  for (const range of images ? images.split(",") : []) {
    const [first, last = first] = range.split("-").map(Number);
    marks.fill(1, first, last + 1);
    beyond ||= last >= marks.length;
  }
  return beyond;
}

function bitsOf(rows) {
  const bytes = new Uint8Array(((rows.at(-1) ?? 0) >> 3) + 1);
  for (const row of rows) bytes[row >> 3] |= 1 << (row & 7);
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return `~${btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

function markBits(bits, marks) {
  const bytes = atob(bits.replaceAll("-", "+").replaceAll("_", "/"));
  let beyond = false;
  for (let row = 0; row < 8 * bytes.length; row++) {
    if (!((bytes.charCodeAt(row >> 3) >> (row & 7)) & 1)) continue;
    if (row < marks.length) marks[row] = 1;
    else beyond = true;
  }
  return beyond;
}

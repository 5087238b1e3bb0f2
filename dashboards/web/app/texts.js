// An app's sentences: one catalogue, keys to sentences with named fields, see `texts/en.json` of the lesson and the comparison.
//
// A field is a path and one of Python's formats, `{attacked.value:.1%}`. Paragraphs are parted by an empty line, strong words stand
// between two asterisks on either side.

import { at } from "../charts/fill.js";
import { formatted } from "../charts/format.js";
import { h } from "../controls/dom.js";
import { fixed, minus } from "../controls/numbers.js";
import { localNumber } from "../controls/words.js";

const FIELD = /\{([^{}:]+)(?::([^{}]*))?\}/g;
const STRONG = /\*\*/;

export class Texts {
  /** @param {Object<string, string>} sentences */
  constructor(sentences) {
    this.sentences = sentences;
  }

  /** Whether there is such a sentence: a step need not have all. */
  has(key) {
    return Object.hasOwn(this.sentences, key);
  }

  /**
   * A sentence as plain text.
   *
   * @param {string} key
   * @param {object} fields What it names.
   * @throws {RangeError} If there is no such sentence, or a field is missing.
   */
  plain(key, fields = {}) {
    return this.filled(key, fields).replaceAll("**", "");
  }

  /** The same as nodes, strong words as such. */
  line(key, fields = {}) {
    return this.filled(key, fields).split(STRONG).map((part, i) => (i % 2 ? h("strong", null, part) : part));
  }

  /** The same as paragraphs. */
  paragraphs(key, fields = {}) {
    const parts = this.filled(key, fields).split("\n\n");
    return parts.map((part) => h("p", null, part.split(STRONG).map((one, i) => (i % 2 ? h("strong", null, one) : one))));
  }

  filled(key, fields) {
    if (!this.has(key)) throw new RangeError(`there is no sentence '${key}'`);
    const text = this.sentences[key].replace(FIELD, (_, path, spec) => {
      const value = at(fields, path);
      if (value === null) throw new RangeError(`the sentence '${key}' misses its field ${path}`);
      return typeof value === "number" ? localNumber(minus(formatted(value, spec ?? ""))) : String(value);
    });
    return text.replaceAll(" %", "\u00a0%");
  }
}

/** A number with so many decimals, as the language writes it. */
export function decimals(value, digits) {
  return localNumber(minus(fixed(value, digits)));
}

/** A share in per cent. */
export function percentText(share, digits = 1) {
  return `${decimals(100 * share, digits)}\u00a0%`;
}

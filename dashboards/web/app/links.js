// A link to a view: the whole state as a readable query, `bundle=digits&s=0.05&p=4&c=-1.1&beta=0.95`.
//
// The same queries as `dashboards/explorer/links.py` reads and writes: what stands at its default is left out; s, p and c
// stand together, and without them a link means the best mix at its β. A snapshot is one value: `snap=s:5,p:4,c:-1.1`.

import { EntryError, oneOf } from "../controls/entries.js";
import { firstOf, quoted } from "../controls/numbers.js";
import { FOREIGN, MAX_QUERY, TOO_LONG, noSetting } from "./query.js";
import { MAX_SNAPSHOTS, mixOf, readSetting, sameMix, writeSetting } from "./settings.js";

const TRANSFORM_KEYS = ["s", "p", "c"];

/**
 * @typedef {object} Link What a query asks for.
 * @property {string|null} bundle Name of the bundle; null for the one that is open.
 * @property {object} values Of the state, those that the query names.
 * @property {boolean} best Whether s, p and c are those of the best mix, since the query names none of them.
 * @property {string[]} problems What was wrong with it, one sentence each; the rest counts all the same.
 */

/**
 * The query of a state, without the question mark.
 *
 * @param {import("./settings.js").Settings} settings
 * @param {object} state
 * @param {object|null} opening The mix that a link without s, p and c opens on: then these are not written.
 */
export function writeLink(settings, state, opening = null) {
  const params = mixOf(state);
  const opens = opening !== null && sameMix(params, opening);
  const pairs = state.bundle ? [["bundle", state.bundle]] : [];
  pairs.push(...mixPairs(settings, params).filter(([key]) => !opens || !TRANSFORM_KEYS.includes(key)));
  pairs.push(...otherPairs(settings, state));
  for (const mix of state.snapshots) {
    pairs.push(["snap", mixPairs(settings, mix).map(([key, value]) => `${key}:${value}`).join(",")]);
  }
  if (state.hidden.length) pairs.push(["hide", state.hidden.join(",")]);
  return pairs.map(([key, value]) => `${key}=${escaped(value)}`).join("&");
}

/** A mix in words of a link; s, p and c always, the rest where it is not the default. */
function mixPairs(settings, params) {
  const usual = mixOf(settings.defaults);
  return settings.ofMix
    .filter(({ name }) => TRANSFORM_KEYS.includes(name) || (params[name] ?? null) !== usual[name])
    .map((setting) => [setting.word, writeSetting(setting, params[setting.name])]);
}

/** The other settings, where they are not the default; the image wherever one is shown. */
function otherPairs(settings, state) {
  const pairs = settings.others.map((setting) => [setting, writeSetting(setting, state[setting.name])]);
  const written = ([setting, text]) =>
    setting.name === "row" ? state.case !== "paper" : text !== writeSetting(setting, setting.default);
  return pairs.filter(written).map(([{ word }, text]) => [word, text]);
}

/** As Python's `quote`, with ":" and "," as they are. */
function escaped(text) {
  const strict = (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(text).replace(/[!'()*]/g, strict).replace(/%3A/g, ":").replace(/%2C/g, ",");
}

/**
 * What a query asks for, validated; a wrong value is reported and left out.
 *
 * @param {import("./settings.js").Settings} settings
 * @param {string} query Without the question mark.
 * @param {{bundles: string[], grids: string[], controls: string[]}} names Of the bundles at hand, of the grids that can
 *   be searched, of the controls that `hide=` may name.
 * @returns {Link}
 */
export function readLink(settings, query, { bundles, grids, controls }) {
  if (Array.from(query).length > MAX_QUERY) {
    return { bundle: null, values: {}, best: true, problems: [TOO_LONG] };
  }
  const pairs = pairsOf(query).filter(([key]) => !FOREIGN.includes(key));
  const fields = new Map(pairs);
  const reading = new Reading(settings);
  const bundle = reading.take("bundle", fields, (name) => oneOf("bundle", name, bundles)) ?? null;
  const values = reading.mix(fields);
  for (const setting of settings.others) {
    const read = setting.name === "grid" ? (text) => oneOf("grid", text, grids) : (text) => readSetting(setting, text);
    const found = reading.take(setting.word, fields, read);
    if (found !== undefined) values[setting.name] = found;
  }
  if (fields.has("hide")) values.hidden = reading.names("hide", fields.get("hide"), controls);
  values.snapshots = reading.snapshots(pairs.filter(([key]) => key === "snap").map(([, text]) => text));
  reading.unknown(fields, ["bundle", ...settings.list.map(({ word }) => word), "snap", "hide"]);
  return { bundle, values, best: !TRANSFORM_KEYS.some((key) => fields.has(key)), problems: reading.problems };
}

/** Names and values, those without a value left out. */
function pairsOf(query) {
  const text = query.startsWith("?") ? `?${query}` : query; // one question mark is taken away
  return [...new URLSearchParams(text)].filter(([, value]) => value !== "");
}

/** Reads words one by one, and collects what is wrong with them. */
class Reading {
  constructor(settings) {
    Object.assign(this, { settings, problems: [] });
  }

  /** The value of a word; undefined if it is not there, or wrong. */
  take(key, fields, read) {
    if (!fields.has(key)) return undefined;
    try {
      return read(fields.get(key));
    } catch (error) {
      if (!(error instanceof EntryError)) throw error;
      this.problems.push(error.message);
      return undefined;
    }
  }

  /** The allowed ones among several names. */
  names(key, text, allowed) {
    const names = [...new Set(text.split(","))].filter((name) => name !== "");
    return names.filter((name) => this.take(key, new Map([[key, name]]), (one) => oneOf(key, one, allowed)));
  }

  /** Those settings of a mix that are named; α counts as set by hand if it is. */
  mix(fields) {
    const values = {};
    for (const setting of this.settings.ofMix) {
      const found = this.take(setting.word, fields, (text) => readSetting(setting, text));
      if (found !== undefined) values[setting.name] = found;
    }
    return "alpha" in values ? { ...values, by_hand: true } : values;
  }

  snapshots(all) {
    const texts = [...new Set(all)];
    const found = texts.slice(0, MAX_SNAPSHOTS).map((text) => this.snapshot(text));
    if (texts.length > MAX_SNAPSHOTS) {
      this.problems.push(
        `a link holds at most ${MAX_SNAPSHOTS} snapshots, got ${texts.length}: the first are used`,
      );
    }
    return found.filter((mix) => mix !== null);
  }

  /** A mix in one value; null if any of it is wrong. */
  snapshot(text) {
    const before = this.problems.length;
    const fields = new Map(text.split(",").map(pairOf));
    const values = this.mix(fields);
    const words = this.settings.ofMix.map(({ word }) => word);
    const [unknown] = [...fields.keys()].filter((key) => !words.includes(key)).sort();
    if (unknown !== undefined) {
      this.problems.push(`snap knows ${words.join(", ")}, got ${quoted(firstOf(unknown, 40))}`);
    }
    return this.problems.length > before ? null : mixOf({ ...this.settings.defaults, ...values });
  }

  unknown(fields, words) {
    for (const key of fields.keys()) {
      if (!words.includes(key)) this.problems.push(noSetting(key, [...words].sort()));
    }
  }
}

function pairOf(part) {
  const at = part.indexOf(":");
  return at < 0 ? [part, ""] : [part.slice(0, at), part.slice(at + 1)];
}

/**
 * The state that a link means: what it does not name is at its default.
 *
 * @param {import("./settings.js").Settings} settings
 * @param {Link} link
 * @param {string} open The bundle that is shown where the link names none.
 */
export function stateOf(settings, link, open) {
  return { ...settings.defaults, ...link.values, bundle: link.bundle ?? open };
}

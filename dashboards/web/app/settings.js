// What can be set, as Python declares it: by name, by the word in links, with defaults; and the mix that they make up.

import { EntryError, FROM_LINK, oneOf, readLine, readLnK, readNumber, readWhole } from "../controls/entries.js";
import { shortest } from "../controls/numbers.js";
import { checkedImages, imagesInLink } from "./images.js";

export const TRANSFORM = ["s", "p", "c", "clamp", "ln_k"]; // what makes up M
export const MIX = [...TRANSFORM, "beta", "alpha", "temperature"]; // the fields of a mix, in Python's order
export const MAX_SNAPSHOTS = 6;
export const OFF = "off"; // of a switch on a plot
export const ON = "on";

/** @typedef {import("../controls/entries.js").Setting} Setting */

export class Settings {
  /** @param {Setting[]} list In the order of their declaration. */
  constructor(list) {
    this.list = list;
    this.byName = Object.fromEntries(list.map((setting) => [setting.name, setting]));
  }

  /** Those of a mix, in the order of its fields. */
  get ofMix() {
    return MIX.map((name) => this.byName[name]);
  }

  /** All others, in the order of their declaration. */
  get others() {
    return this.list.filter(({ name }) => !MIX.includes(name));
  }

  /** Those under a heading of the control column. */
  inGroup(group) {
    return this.list.filter((setting) => setting.group === group);
  }

  /** The state of a page that nobody has touched, the bundle aside. */
  get defaults() {
    const values = Object.fromEntries(this.list.map((setting) => [setting.name, setting.default]));
    return { ...values, by_hand: false, snapshots: [], hidden: [] };
  }
}

/**
 * A setting's value from the text of a link.
 *
 * @param {Setting} setting
 * @param {string} text
 * @throws {EntryError} If it is not one of its values.
 */
export function readSetting(setting, text) {
  if (setting.name === "ln_k") return readLnK(text, FROM_LINK);
  if (setting.kind === "number") return readNumber(setting, text, FROM_LINK);
  if (setting.kind === "whole") return readWhole(setting, text, FROM_LINK);
  if (setting.kind === "line") return readLine(setting, text);
  if (setting.kind === "images") return checkedImages(text);
  const values = setting.choices.map(([, value]) => value);
  return values[values.map(String).indexOf(oneOf(setting.word, text, values.map(String)))];
}

/** The text of a setting's value in a link. */
export function writeSetting(setting, value) {
  if (setting.name === "grid") return value.replace(/\++$/, ""); // a widened one is known on this page alone
  if (setting.kind === "images") return imagesInLink(value);
  return setting.kind === "number" ? shortest(value) : String(value);
}

/**
 * The mix that a state stands for; α is null where it follows from β.
 *
 * @param {object} state
 * @returns {import("../engine/params.js").MixParams}
 */
export function mixOf(state) {
  const params = Object.fromEntries(MIX.map((name) => [name, state[name]]));
  return { ...params, alpha: state.by_hand ? state.alpha : null };
}

/**
 * The changes of a state that bring it to a mix; α stays as it is where it follows from β.
 *
 * @param {import("../engine/params.js").MixParams} params
 */
export function changesTo({ alpha, ...rest }) {
  return alpha === null || alpha === undefined ? { ...rest, by_hand: false } : { ...rest, alpha, by_hand: true };
}

/** Whether a value of anyone's is a mix, α filled in; not whether its numbers are allowed. */
export function isMix(value) {
  const { clamp, ...numbers } = value ?? {};
  const names = MIX.filter((name) => name !== "clamp");
  return typeof clamp === "string" && names.every((name) => Number.isFinite(numbers[name]));
}

/** Whether two mixes are the same to the last bit. */
export function sameMix(one, other) {
  return MIX.every((name) => (one[name] ?? null) === (other[name] ?? null));
}

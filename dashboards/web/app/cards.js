// What comes from outside as a configuration, a file or what this tab has kept, has the shape that Python accepts.
//
// The fields are those of `mnuts_core/export/cards.py`; a test damages a configuration in every place and asks both.

const MOST = 100; // entries of a list or a table
const LONGEST = 4000; // characters of a text
const LONGEST_NAME = 200;
const LONGEST_BITS = 174764; // characters of base64
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const KINDS = ["clean", "attacked", "right by margin", "verified", "certified", "margin bound", "transfer"];

/**
 * @callback Check
 * @param {any} value
 * @param {string} at Where it stands.
 * @returns {string|null} Where it is wrong; null if it is as it should be.
 */

/** @returns {Check} */
const is = (fits) => (value, at) => (fits(value) ? null : at);
const whatever = is(() => true); // its value has words of its own, see `readConfig`
const bool = is((x) => typeof x === "boolean");
const positive = is((x) => typeof x === "number" && x > 0);
const notNegative = is((x) => typeof x === "number" && Number.isFinite(x) && x >= 0);
const share = is((x) => typeof x === "number" && 0 <= x && x <= 1);
const weight = is((x) => typeof x === "number" && 0.5 <= x && x <= 1);
const count = is((x) => Number.isInteger(x) && x >= 1);
const text = is((x) => typeof x === "string" && x.length <= LONGEST);
const name = is((x) => typeof x === "string" && x.length >= 1 && x.length <= LONGEST_NAME);
const digest = is((x) => typeof x === "string" && DIGEST.test(x));
const bits = is((x) => typeof x === "string" && x.length <= LONGEST_BITS && BASE64.test(x));
const plain = is((x) => ["number", "boolean"].includes(typeof x) || text(x, "x") === null);
const oneOf = (...values) => is((x) => values.includes(x));

const unlessAbsent = (check) => (value, at) => (value === undefined ? null : check(value, at));
const unlessNull = (check) => (value, at) => (value === undefined || value === null ? null : check(value, at));

/** The first place that is wrong. */
const first = (places) => places.find((place) => place !== null) ?? null;

const listOf = (check) => (value, at) =>
  Array.isArray(value) && value.length <= MOST ? first(value.map((one, i) => check(one, `${at}.${i}`))) : at;

const tableOf = (check) => (value, at) => {
  if (!isObject(value) || Object.keys(value).length > MOST) return at;
  return first(Object.entries(value).map(([key, one]) => text(key, at) ?? check(one, `${at}.${key}`)));
};

/** An object of these fields and no others, which fits as a whole, too. */
const card = (fields, fits = () => true) => (value, at) => {
  if (!isObject(value)) return at;
  const inside = (key) => (at ? `${at}.${key}` : key);
  const unknown = Object.keys(value).find((key) => !Object.hasOwn(fields, key));
  if (unknown !== undefined) return inside(unknown);
  const wrong = first(Object.entries(fields).map(([key, check]) => check(value[key], inside(key))));
  return wrong ?? (fits(value) ? null : at);
};

const pair = (value, at) => (Array.isArray(value) && value.length === 2 ? first(value.map((one) => share(one, at))) : at);
const inOrder = ({ value, ci95: [low, high] }) => low <= value && value <= high;
const ESTIMATE = card({ kind: oneOf(...KINDS), value: share, n: count, ci95: pair }, inOrder);

const WITHIN = card({ norm: oneOf("Linf", "L2"), eps: positive });

/** `verified` of a configuration. */
export const VERIFIED = card({
  accuracy: ESTIMATE,
  clean: unlessNull(ESTIMATE),
  components: unlessAbsent(tableOf(share)),
  passes: unlessNull(tableOf(card({ forward: notNegative, backward: notNegative }))),
  attack: text,
  settings: unlessAbsent(tableOf(plain)),
  warnings: unlessAbsent(listOf(text)),
  digest,
  outcomes: unlessNull(card({ n: count, clean: bits, attacked: bits })),
});

/** A whole configuration, apart from the values of the mix. */
export const CONFIG = card({
  schema: whatever,
  transform: card({ s: whatever, p: whatever, c: whatever, clamp: whatever, ln_k: whatever }),
  alpha: whatever,
  beta: whatever,
  temperature: whatever,
  auxiliary: unlessNull(card({ alpha_d: weight, r_d: unlessAbsent(share), beta: unlessNull(share) })),
  bundle: unlessNull(card({ name, digest, clean: unlessNull(digest) })),
  threat: unlessNull(WITHIN),
  estimates: unlessNull(
    card({
      clean: ESTIMATE,
      attacked: unlessNull(ESTIMATE),
      by_margin: unlessNull(ESTIMATE),
      optimistic: unlessNull(bool),
      certified: unlessNull(card({ accuracy: ESTIMATE, within: WITHIN, basis: text })),
      margin_bound: unlessNull(ESTIMATE),
      transfer: unlessNull(ESTIMATE),
    }),
  ),
  warnings: unlessAbsent(listOf(text)),
  verified: unlessNull(VERIFIED),
  versions: unlessAbsent(tableOf(text)),
  created: unlessAbsent(text),
});

/** The value at a place that a check has named. */
export function valueAt(record, place) {
  return place.split(".").reduce((value, key) => value?.[key], record);
}

export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// Values of figures: lists of any kind, records, and whether two are the same.

import { isList } from "./fill.js";

/** Whether a value is a record: neither a list nor a text nor a number. */
export function isPlain(value) {
  return value !== null && typeof value === "object" && !isList(value);
}

/** A copy of a record with another's values over its own, in depth. */
export function merge(base, extra) {
  if (!isPlain(base) || !isPlain(extra)) return extra === undefined ? base : extra;
  const merged = { ...base };
  for (const key of Object.keys(extra)) merged[key] = merge(base[key], extra[key]);
  return merged;
}

/** Whether two values are the same in depth; NaN is the same as NaN. */
export function same(one, other) {
  if (one === other || (Number.isNaN(one) && Number.isNaN(other))) return true;
  if (one === null || other === null || typeof one !== "object" || typeof other !== "object") return false;
  if (one.constructor !== other.constructor) return false;
  if (!isList(one)) {
    const keys = Object.keys(one);
    return keys.length === Object.keys(other).length && keys.every((key) => same(one[key], other[key]));
  }
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) if (!same(one[i], other[i])) return false;
  return true;
}

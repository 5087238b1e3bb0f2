// Rows of logits in descending order, equal ones in the order of their classes.

import { clipped } from "./transform.js";

/**
 * Sort each row.
 * @param {Float32Array|Float64Array} logits Row by row.
 * @param {number} classes K.
 * @returns {{values: Float64Array, order: Uint16Array|Int32Array}} The logits, clipped, and their classes.
 */
export function sortRows(logits, classes) {
  const values = new Float64Array(logits.length);
  const order = new (classes <= 65536 ? Uint16Array : Int32Array)(logits.length);
  const spare = { values: new Float64Array(classes), order: order.slice(0, classes) };
  for (let start = 0; start < logits.length; start += classes) {
    const row = values.subarray(start, start + classes);
    const numbers = order.subarray(start, start + classes);
    for (let i = 0; i < classes; i++) {
      row[i] = clipped(logits[start + i]);
      numbers[i] = i;
    }
    sortRow(row, numbers, spare);
  }
  return { values, order };
}

const SHORT = 16; // runs of this length are sorted by insertion

/** A stable merge sort, the largest first. */
function sortRow(values, order, spare) {
  const n = values.length;
  for (let start = 0; start < n; start += SHORT) insertInOrder(values, order, start, Math.min(n, start + SHORT));
  let [from, to] = [{ values, order }, spare];
  for (let width = SHORT; width < n; width *= 2) {
    for (let start = 0; start < n; start += 2 * width) merge(from, to, start, Math.min(n, start + width), Math.min(n, start + 2 * width));
    [from, to] = [to, from];
  }
  if (from.values !== values) {
    values.set(from.values);
    order.set(from.order);
  }
}

function insertInOrder(values, order, start, end) {
  for (let i = start + 1; i < end; i++) {
    const value = values[i];
    const number = order[i];
    let j = i;
    for (; j > start && values[j - 1] < value; j--) {
      values[j] = values[j - 1];
      order[j] = order[j - 1];
    }
    values[j] = value;
    order[j] = number;
  }
}

function merge(from, to, start, middle, end) {
  let left = start;
  let right = middle;
  for (let i = start; i < end; i++) {
    const takeLeft = left < middle && (right >= end || from.values[left] >= from.values[right]);
    const place = takeLeft ? left++ : right++;
    to.values[i] = from.values[place];
    to.order[i] = from.order[place];
  }
}

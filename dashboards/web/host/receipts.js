// What is kept of verifications for the time of this tab: a reload has another kernel, to which they are given again.

import { base64Of, bytesOf } from "./arrays.js";

const MOST = 3 * 2 ** 20; // characters a bundle, so that they fit into one message

function read(name) {
  try {
    return JSON.parse(sessionStorage.getItem(keyOf(name)) ?? "[]");
  } catch {
    return []; // no storage here, or somebody else's text
  }
}

function keyOf(name) {
  return `mnuts-verified:${name}`;
}

/**
 * What was kept for a bundle, in the order in which it came.
 * @returns {{receipts: object[], buffers: ArrayBuffer[]}}
 */
export function receiptsOf(name) {
  const kept = read(name);
  return {
    receipts: kept.map(({ before, config }) => ({ before, config })),
    buffers: kept.map(({ points }) => bytesOf(points).buffer),
  };
}

/**
 * Keep one more.
 * @returns {boolean} Whether there was room.
 */
export function takeReceipt(name, { before, config, points }) {
  const text = JSON.stringify([...read(name), { before, config, points: base64Of(points) }]);
  if (text.length > MOST) return false;
  try {
    sessionStorage.setItem(keyOf(name), text);
    return true;
  } catch {
    return false;
  }
}

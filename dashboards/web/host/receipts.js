// What is kept of verifications for the time of this tab: a reload has another kernel, to which they are given again.

import { keep, keptList } from "../app/storage.js";
import { base64Of, bytesOf } from "./arrays.js";

const MOST = 3 * 2 ** 20; // characters a bundle, so that they fit into one message
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * What was kept for a bundle, in the order in which it came.
 * @returns {{receipts: object[], buffers: ArrayBuffer[]}}
 */
export function receiptsOf(name) {
  const found = receipts(name);
  return {
    receipts: found.map(({ before, config }) => ({ before, config })),
    buffers: found.map(({ points }) => bytesOf(points).buffer),
  };
}

/** Keep one more, where there is room. */
export function takeReceipt(name, { before, config, points }) {
  const all = [...receipts(name), { before, config, points: base64Of(points) }];
  if (JSON.stringify(all).length <= MOST) keep(keyOf(name), all);
}

function receipts(name) {
  return keptList(keyOf(name), (one) => typeof one?.points === "string" && BASE64.test(one.points));
}

function keyOf(name) {
  return `points ${name}`;
}

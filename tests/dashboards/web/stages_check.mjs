// Memory of the layer norm's stage: used again, but not while somebody reads it; answers stay what they are.

import assert from "node:assert/strict";
import { RemixEngine } from "../../../dashboards/web/engine/engine.js";

const [rows, classes] = [30, 40];
let seed = 7;
const random = () => ((seed = (seed * 16807) % 2147483647) / 2147483647) * 8 - 4;
const logits = () => Float64Array.from({ length: rows * classes }, random);
const bundle = { labels: Int32Array.from({ length: rows }, (_, r) => r % classes), std: logits(), rob: logits(), classes: Array(classes).fill(""), attacked: null, optimistic: true, std_attacked: false, warnings: [] };
const made = () => new RemixEngine(bundle);
const params = (ln_k) => ({ s: 2, p: 2, c: -0.3, clamp: "gelu", ln_k, alpha: 0.8, beta: 0.9, temperature: 0.5 });
const TOPS = [3, 10, 20, 40, 5, 10, 0, 3];

const moved = made();
const answers = TOPS.map((ln_k) => moved.remix(params(ln_k)));
const copies = structuredClone(answers);
for (const ln_k of [6, 7, 8, 9]) moved.remix(params(ln_k));
assert.deepEqual(answers, copies, "what was answered stays");
TOPS.forEach((ln_k, i) => assert.deepEqual(answers[i], made().remix(params(ln_k)), "and is what a new engine answers"));

assert.deepEqual(moved.remix(params(0)), made().remix(params(0)), "and the logits themselves are not written to");

const { stages } = made().rows;
const taken = [3, 10, 20, 40, 5].map((ln_k) => stages.normed(ln_k));
assert.ok(new Set(taken).size <= 3, "a drag takes no fresh memory for each top-k");

const { stages: lending } = made().rows;
const held = lending.lendNormed(3);
const before = held.slice();
for (const ln_k of [10, 20, 40, 5, 6]) assert.notEqual(lending.normed(ln_k), held);
assert.deepEqual(held, before, "what is lent is not written to");
assert.deepEqual(lending.normed(3), before);
console.log("all right");

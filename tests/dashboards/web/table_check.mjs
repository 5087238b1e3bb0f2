// A table to choose from, in node: a row that is renewed while it is clicked stays the element that it was.

import assert from "node:assert/strict";
import { makeDocument } from "./explorer/dom.mjs";

makeDocument();
const { Table } = await import("../../../dashboards/web/controls/table.js");

const chosen = [];
const acts = [];
const columns = [{ key: "name", label: "mix" }, { key: "clean", label: "clean", numeric: true, digits: 1 }];
const table = new Table({ columns, label: "mixes", actions: { drop: "Drop" }, onChoose: (key) => chosen.push(key), onAction: (...act) => acts.push(act) });
const rows = (figures) => Object.entries(figures).map(([key, clean]) => ({ key, name: `mix ${key}`, clean }));
const texts = () => table.body.children.map((row) => row.children.slice(0, 2).map((cell) => cell.textContent).join(" "));

table.update({ rows: rows({ a: 1, b: 2, c: 3 }) });
const [a, b, c] = table.body.children;
const [name, figure] = b.children;
const button = b.querySelector("button");

// other figures: the rows, their buttons and the cells that say the same stay, and have the focus that they had
b.focus();
table.update({ rows: rows({ a: 1, b: 2.5, c: 3 }) });
assert.deepEqual(texts(), ["mix a 1.0", "mix b 2.5", "mix c 3.0"]);
assert.deepEqual(table.body.children, [a, b, c]);
assert.equal(b.children[0], name);
assert.notEqual(b.children[1], figure);
assert.equal(b.querySelector("button"), button);
assert.equal(document.activeElement, b);
b.children[1].click();
button.click();
assert.deepEqual([chosen, acts], [["b"], [["drop", "b"]]]);

// rows that come, go and change places
table.update({ rows: rows({ c: 3, d: 4, b: 2.5 }) });
assert.deepEqual(texts(), ["mix c 3.0", "mix d 4.0", "mix b 2.5"]);
assert.deepEqual([table.body.children[0], table.body.children[2]], [c, b]);
table.update({ rows: rows({ d: 4 }) });
assert.equal(document.activeElement, table.body.children[0]); // the focus goes on where its row went
table.update({ rows: [], empty: "none" });
assert.deepEqual(table.body.children.map((row) => row.textContent), ["none"]);

console.log("all right");

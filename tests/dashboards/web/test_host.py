"""The hosts: arrays come back as they were, from base64 in browsers old and new, and from a kernel."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pytest

from mnuts_dashboards.page.data import embedded
from tests.dashboards.web.engine import WEB
from tests.dashboards.web.node import needed_node

SCRIPT = """
const { withArrays } = await import(process.argv[1]);
const given = JSON.parse(process.argv[2]);
const found = [false, true].map((old) => {
  if (old) delete Uint8Array.fromBase64;
  const { arrays, rest } = withArrays(given);
  return [arrays.map((array) => [array.constructor.name, array.byteOffset, Array.from(array)]), rest];
});
console.log(JSON.stringify(found));
"""

LONG = """
const { Calls } = await import(process.argv[1]);
const piece = 1000;
const content = Uint8Array.from({ length: 2500 }, (_, i) => i % 251);
const asked = [];
const model = {
  on(event, listen) { if (event === "msg:custom") this.listen = listen; },
  send({ id, name, args }) {
    const bytes = content.slice(args.from, args.from + piece);
    if (name === "open") {
      const value = { a: { $array: "u1", at: 0 }, b: { $array: "f8", at: 1 } };
      queueMicrotask(() => this.listen({ type: "answer", id, value, sizes: [1700, 800] }, []));
    } else if (args.from >= 2000 && process.argv[2] === "gone") {
      queueMicrotask(() => this.listen({ type: "error", id, message: "gone" }, []));
    } else {
      asked.push(args.from);
      const value = { $array: "u1", at: 0 };
      queueMicrotask(() => this.listen({ type: "answer", id, value }, [new DataView(bytes.buffer)]));
    }
  },
};
const calls = new Calls(model);
const found = await calls.call("open").then(
  ({ a, b }) => [Array.from(a), Array.from(new Uint8Array(b.buffer)), asked],
  ({ message }) => message,
);
console.log(JSON.stringify(found));
"""

UPLOAD = """
const { send } = await import(process.argv[1]);
const breaksAt = JSON.parse(process.argv[2]); // before which calls the connection breaks
const asked = [];
const calls = {
  breaks: 0,
  async call(name) {
    asked.push(name);
    if (breaksAt.includes(asked.length)) this.breaks += 1;
    if (breaksAt.includes(asked.length) || process.argv[3] === "refused") throw new Error("broken");
    return name;
  },
};
const file = new File([new Uint8Array(3 * 2 ** 20 - 1)], "a.safetensors");
const end = await send(calls, file, () => {}).catch(({ message }) => message);
console.log(JSON.stringify([end, asked.join(" ")]));
"""


@pytest.fixture(scope="module")
def program():
    return needed_node()


def answered(words):
    """What a script has printed."""
    done = subprocess.run(words, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("end", ["there", "gone"])
def test_a_long_answer_is_fetched_in_pieces(program, end):
    script = [program, "--input-type=module", "-e", LONG, WEB / "host" / "calls.js", end]
    content = [i % 251 for i in range(2500)]
    assert answered(script) == (
        "gone" if end == "gone" else [content[:1700], content[1700:], [0, 1000, 2000]]
    )


@pytest.mark.parametrize(
    ("breaks", "server", "end", "asked"),
    [
        ([], "takes", "piece", "begin piece piece piece"),
        ([3], "takes", "piece", "begin piece piece begin piece piece piece"),
        ([1, 2, 3], "takes", "broken", "begin begin begin"),
        ([], "refused", "broken", "begin"),
    ],
)
def test_a_file_is_sent_again_where_the_connection_broke_and_not_where_it_is_refused(
    program, breaks, server, end, asked
):
    script = [program, "--input-type=module", "-e", UPLOAD, WEB / "host" / "upload.js"]
    assert answered([*script, json.dumps(breaks), server]) == [end, asked]


def test_arrays_come_back(program):
    arrays = [
        np.array([1.5, -0.0, 3e38], np.float32),
        np.array([np.pi, 1e-300]),
        np.array([-(2**31), 7], np.int32),
        np.arange(256, dtype=np.uint8),
        np.array([], np.float32),
    ]
    given = {"arrays": arrays, "rest": {"a": [None, "x", {"b": 1}]}}
    words = [
        program,
        "--input-type=module",
        "-e",
        SCRIPT,
        WEB / "host" / "arrays.js",
        json.dumps(embedded(given)),
    ]
    kinds = ["Float32Array", "Float64Array", "Int32Array", "Uint8Array", "Float32Array"]
    for found, rest in answered(words):
        assert [kind for kind, _, _ in found] == kinds
        assert {start for _, start, _ in found} == {0}  # a worker can take its memory
        for (_, _, values), array in zip(found, arrays, strict=True):
            np.testing.assert_array_equal(np.array(values, array.dtype), array)
        assert rest == given["rest"]

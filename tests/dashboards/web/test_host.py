"""The host in a file: arrays come back from base64 as they were, in browsers old and new."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pytest

from mnuts_dashboards.page.data import embedded
from tests.dashboards.web.engine import WEB
from tests.dashboards.web.node import node

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


def test_arrays_come_back():
    program = node()
    if program is None:
        pytest.skip("neither node nor Playwright is here")
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
    done = subprocess.run(words, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    kinds = ["Float32Array", "Float64Array", "Int32Array", "Uint8Array", "Float32Array"]
    for found, rest in json.loads(done.stdout):
        assert [kind for kind, _, _ in found] == kinds
        assert {start for _, start, _ in found} == {0}  # a worker can take its memory
        for (_, _, values), array in zip(found, arrays, strict=True):
            np.testing.assert_array_equal(np.array(values, array.dtype), array)
        assert rest == given["rest"]

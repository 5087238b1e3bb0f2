"""Functions of the page's modules, called from tests."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DRIVER = Path(__file__).with_name("calls.mjs")


class Page:
    """The page's modules in a process of their own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def call(self, module: str, name: str, *calls: Any) -> list[Any]:
        """What a function answers to each call, a list of its arguments."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"module": module, "name": name, "calls": finite(list(calls))}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        found = json.loads(self._process.stdout.readline())
        assert "error" not in found, found["error"]
        return found["answers"]


@contextmanager
def running(program: str) -> Iterator[Page]:
    """The modules in node."""
    process = subprocess.Popen(
        [program, DRIVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    try:
        yield Page(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(10)


def finite(value: Any) -> Any:
    """A value as JSON that has no name for NaN and infinities."""
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return {"$number": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}
    return value

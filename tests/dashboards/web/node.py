"""Drivers of the page's modules in node: a line of JSON for each request, and one for its answer."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

Ask = Callable[[Any], Any]
"""From a request to its answer, both plain JSON."""


def node() -> str | None:
    """Node's program: the machine's, or the one that Playwright brings along."""
    if found := shutil.which("node"):
        return found
    try:
        import playwright
    except ImportError:
        return None
    own = Path(playwright.__file__).parent / "driver" / "node"
    return str(own) if own.is_file() else None


def needed_node() -> str:
    """Node's program; skips the test where there is none."""
    program = node()
    if program is None:
        pytest.skip("neither node nor Playwright is here")
    return program


def check(script: Path) -> None:
    """Run a script that fails on the first thing that is wrong, and says "all right" at its end."""
    done = subprocess.run([needed_node(), script], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "all right", done.stderr


@contextmanager
def running(driver: Path) -> Iterator[Ask]:
    """A driver in a process of its own; skips the test where there is no node."""
    process = subprocess.Popen(
        [needed_node(), driver], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    assert process.stdin is not None
    assert process.stdout is not None
    requests, answers = process.stdin, process.stdout

    def ask(request: Any) -> Any:
        requests.write(json.dumps(request) + "\n")
        requests.flush()
        return json.loads(answers.readline())

    try:
        yield ask
    finally:
        requests.close()
        process.wait(10)

"""The page's state, links and entries in a process of their own, with the settings that Python declares."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mnuts_dashboards.explorer.page_file import explorer_settings
from tests.dashboards.web.engine import node

DRIVER = Path(__file__).with_name("driver.mjs")


class App:
    """The page's own modules in node."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, name: str, *given: Any) -> Any:
        """The answer to a call, see `driver.mjs`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"name": name, "given": given}) + "\n")
        self._process.stdin.flush()
        found = json.loads(self._process.stdout.readline())
        assert "error" not in found, found["error"]
        return found.get("answer")


@pytest.fixture(scope="package")
def app() -> Iterator[App]:
    """The modules, ready to answer."""
    program = node()
    if program is None:
        pytest.skip("neither node nor Playwright is here")
    process = subprocess.Popen(
        [program, DRIVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    asked = App(process)
    asked("settings", explorer_settings())
    yield asked
    process.stdin.close()
    process.wait(10)

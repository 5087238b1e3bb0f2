"""The page's state, links and entries in a process of their own, with the settings that Python declares."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mnuts_core.params import ParamSpec
from mnuts_dashboards.explorer.state import DECLARED, ExplorerState
from mnuts_dashboards.widgets.settings import Whole
from tests.dashboards.web.engine import node

DRIVER = Path(__file__).with_name("driver.mjs")


def settings():
    found = []
    default = ExplorerState()
    from mnuts_core.search.grids import PAPER_RANGES
    import math
    for name, x in DECLARED.items():
        one = dict(name=name, word=x.word, label=x.label, symbol="", help=x.help, group=x.group, default=getattr(default, name))
        v = x.values
        if isinstance(v, ParamSpec):
            one |= dict(kind="number", symbol=v.symbol, low=v.low, high=None if math.isinf(v.high) else v.high, low_open=v.low_open, slider_low=v.slider_low, slider_high=v.slider_high, step=v.step, scale=v.scale)
        elif isinstance(v, Whole):
            one |= dict(kind="whole", low=v.low, high=v.high)
        elif v is None:
            one |= dict(kind="whole", low=0, high=10**9) if name == "ln_k" else dict(kind="choice", choices=[[n, n] for n in PAPER_RANGES])
        else:
            one |= dict(kind="choice", choices=[list(o) for o in v])
        found.append(one)
    return found


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
    asked("settings", json.loads(json.dumps(settings())))
    yield asked
    process.stdin.close()
    process.wait(10)

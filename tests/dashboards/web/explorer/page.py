"""Functions of the page's modules, called from tests."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from tests.dashboards.web.node import Ask

DRIVER = Path(__file__).with_name("calls.mjs")


class Page:
    """The page's modules in a process of their own."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def call(self, module: str, name: str, *calls: Any) -> list[Any]:
        """What a function answers to each call, a list of its arguments."""
        found = self._ask({"module": module, "name": name, "calls": finite(list(calls))})
        assert "error" not in found, found["error"]
        return found["answers"]


def finite(value: Any) -> Any:
    """A value as JSON that has no name for NaN and infinities."""
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return {"$number": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}
    return value

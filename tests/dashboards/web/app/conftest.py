"""The page's state, links and entries in a process of their own, with the settings that Python declares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mnuts_dashboards.explorer.page_file import explorer_settings
from tests.dashboards.web.node import Ask, running

DRIVER = Path(__file__).with_name("driver.mjs")


class App:
    """The page's own modules in node."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def __call__(self, name: str, *given: Any) -> Any:
        """The answer to a call, see `driver.mjs`."""
        found = self._ask({"name": name, "given": given})
        assert "error" not in found, found["error"]
        return found.get("answer")


@pytest.fixture(scope="package")
def app() -> Iterator[App]:
    """The modules, ready to answer."""
    with running(DRIVER) as ask:
        found = App(ask)
        found("settings", explorer_settings())
        yield found

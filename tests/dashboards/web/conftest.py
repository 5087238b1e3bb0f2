"""One engine for all tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.dashboards.web.engine import DRIVER, Engine
from tests.dashboards.web.node import running


@pytest.fixture(scope="package")
def engine() -> Iterator[Engine]:
    """The page's engine in a process of its own."""
    with running(DRIVER) as ask:
        yield Engine(ask)

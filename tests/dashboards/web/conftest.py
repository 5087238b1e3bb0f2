"""One engine for all tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.dashboards.web.engine import Engine, node, running


@pytest.fixture(scope="package")
def engine() -> Iterator[Engine]:
    """The page's engine in a process of its own."""
    program = node()
    if program is None:
        pytest.skip("neither node nor Playwright is here")
    with running(program) as found:
        yield found

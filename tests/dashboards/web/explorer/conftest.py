"""The page's modules for all tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.dashboards.web.engine import node
from tests.dashboards.web.explorer.page import Page, running


@pytest.fixture(scope="package")
def page() -> Iterator[Page]:
    """Functions of the page's modules, to be called."""
    program = node()
    if program is None:
        pytest.skip("neither node nor Playwright is here")
    with running(program) as found:
        yield found

"""The page's modules for all tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.dashboards.web.explorer import visit as visits
from tests.dashboards.web.explorer.page import DRIVER, Page
from tests.dashboards.web.node import running


@pytest.fixture(scope="package")
def page() -> Iterator[Page]:
    """Functions of the page's modules, to be called."""
    with running(DRIVER) as ask:
        yield Page(ask)


@pytest.fixture(scope="package")
def visit() -> Iterator[visits.Visit]:
    """The whole page, to be opened."""
    with running(visits.DRIVER) as ask:
        yield visits.Visit(ask)


@pytest.fixture
def held(visit: visits.Visit) -> Iterator[visits.Visit]:
    """The page whose searches wait until `visit.hold(False)`."""
    visit.hold(True)
    yield visit
    visit.hold(False)

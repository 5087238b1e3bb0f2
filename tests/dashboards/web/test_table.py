"""A table to choose from, in node."""

from __future__ import annotations

from pathlib import Path

from tests.dashboards.web.node import check

CHECK = Path(__file__).with_name("table_check.mjs")


def test_rows_that_change_stay_the_elements_that_they_were():
    check(CHECK)

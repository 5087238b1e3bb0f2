"""Figures in narrow places, in node."""

from __future__ import annotations

from pathlib import Path

from tests.dashboards.web.node import check

CHECK = Path(__file__).with_name("narrow_check.mjs")


def test_titles_fit_into_the_width_they_have():
    check(CHECK)

"""What is shown while an answer is on its way, in node with a clock and an engine of our own."""

from __future__ import annotations

from pathlib import Path

from tests.dashboards.web.node import check

CHECK = Path(__file__).with_name("drawing_check.mjs")


def test_figures_that_are_late_are_marked():
    check(CHECK)

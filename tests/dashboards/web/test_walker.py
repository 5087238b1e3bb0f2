"""A plot by keyboard, in node."""

from __future__ import annotations

from pathlib import Path

from tests.dashboards.web.node import check

CHECK = Path(__file__).with_name("walker_check.mjs")


def test_points_are_reached_chosen_and_selected_by_keyboard():
    check(CHECK)

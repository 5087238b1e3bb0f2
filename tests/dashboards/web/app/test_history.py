"""Undo, redo and Back, in node with a clock and a browser of our own."""

from __future__ import annotations

from pathlib import Path

from tests.dashboards.web.node import check

CHECK = Path(__file__).with_name("history_check.mjs")


def test_undo_redo_and_back():
    check(CHECK)

"""A plot by keyboard, in node."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.dashboards.web.node import node

CHECK = Path(__file__).with_name("walker_check.mjs")


def test_points_are_reached_chosen_and_selected_by_keyboard():
    program = node()
    if program is None:
        pytest.skip("neither node nor Playwright is here")
    done = subprocess.run([program, CHECK], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "all right", done.stderr

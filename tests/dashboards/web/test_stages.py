"""The engine's stages use their memory again, and take back nothing that they have given."""

from __future__ import annotations

from pathlib import Path

from tests.dashboards.web.node import check


def test_memory_is_used_again_and_answers_stay():
    check(Path(__file__).with_name("stages_check.mjs"))

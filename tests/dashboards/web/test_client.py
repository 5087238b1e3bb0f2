"""The page's side of the worker, with workers that start, stop, die and keep silent."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.dashboards.web.node import needed_node, node

SCRIPT = Path(__file__).with_name("client.mjs")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([needed_node(), SCRIPT, *arguments], capture_output=True, text=True, timeout=60)


def scenarios() -> list[str]:
    return json.loads(run().stdout) if node() else []


@pytest.mark.parametrize("scenario", scenarios())
def test_client(scenario):
    done = run(scenario)
    assert done.returncode == 0, done.stderr

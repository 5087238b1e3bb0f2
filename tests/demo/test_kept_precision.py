"""A build's precision is measured once, and taken again when it is resumed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from mnuts_core.demo.kept_precision import kept_precision
from mnuts_core.models.precision import Measured

NETWORK = nn.Sequential(nn.Flatten(), nn.Linear(12, 3))
IMAGES = torch.rand(4, 3, 2, 2)


def test_it_is_measured_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [Measured("bfloat16", 2.0), Measured("full", 0.9)]
    monkeypatch.setattr("mnuts_core.demo.kept_precision.measure_precision", lambda *_, **__: answers.pop(0))
    path = tmp_path / "precision.txt"
    found = [kept_precision(path, NETWORK, IMAGES, "cpu") for _ in range(2)]
    assert found == ["bfloat16", "bfloat16"]
    path.write_text("damaged")
    assert kept_precision(path, NETWORK, IMAGES, "cpu") == "full"
    assert path.read_text() == "full"


def test_the_measurement_is_the_real_one(tmp_path: Path) -> None:
    """Where a pass takes microseconds, autocast costs more than it saves."""
    assert kept_precision(tmp_path / "precision.txt", NETWORK, IMAGES, "cpu") == "full"

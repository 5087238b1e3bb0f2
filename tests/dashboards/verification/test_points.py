"""Points on their way to the page: what was written is read; anything else is refused in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from mnuts_core.errors import MnutsError
from mnuts_core.pipeline.verified_points import VerifiedPoints
from mnuts_dashboards.verification.points import FILE, NAMES, read_points, write_points

ROWS = np.array([4, 7, 2, 9])
K = 3


def arrays(**changes: Any) -> dict[str, np.ndarray]:
    logits = np.arange(6, dtype=np.float32).reshape(2, K)
    return {"index": np.array([7, 2]), "std_logits": logits, "rob_logits": -logits} | changes


def test_what_is_written_is_read(tmp_path: Path) -> None:
    points = VerifiedPoints(ROWS, **arrays())
    write_points(tmp_path, points)
    again = read_points(tmp_path, ROWS, K)
    assert all(np.array_equal(getattr(again, name), getattr(points, name)) for name in (*NAMES, "rows"))


def test_none_are_points_too(tmp_path: Path) -> None:
    none = np.zeros((0, K), np.float32)
    write_points(tmp_path, VerifiedPoints(ROWS, np.zeros(0, np.int64), none, none))
    assert len(read_points(tmp_path, ROWS, K).index) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"index": np.array([7, 3])}, "images that were not attacked"),
        ({"index": np.array([7, 7])}, "each image at most once"),
        ({"index": np.array([7.0, 2.0])}, "each image at most once"),
        ({"index": np.array([7])}, "std_logits must be numbers of shape"),
        ({"std_logits": np.zeros((2, K + 1), np.float32)}, "std_logits must be numbers of shape"),
        ({"rob_logits": np.zeros((2, K), np.int64)}, "rob_logits must be numbers"),
        ({"rob_logits": np.full((2, K), np.nan, np.float32)}, "rob_logits holds NaN"),
        ({"more": np.zeros(1)}, "instead of index"),
    ],
)
def test_wrong_points_are_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    (tmp_path / FILE).write_bytes(save(arrays(**change)))
    with pytest.raises(MnutsError, match=message) as error:
        read_points(tmp_path, ROWS, K)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"no safetensors", b"\xff" * 100, b"0" * 2**20])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(MnutsError) as error:
        read_points(tmp_path, ROWS, K)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MnutsError):
        read_points(tmp_path, ROWS, K)

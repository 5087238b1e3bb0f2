"""The points of a verification on their way from the attacking process to the page, which checks them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from mnuts_core.errors import MnutsError
from mnuts_core.io.files import write_atomically
from mnuts_core.io.untrusted import brief, read_bytes
from mnuts_core.pipeline.verified_points import VerifiedPoints

FILE = "points.safetensors"
"""The file in the folder of a run."""
NAMES = ("index", "std_logits", "rob_logits")
SLACK = 2**16
"""Bytes that the file may hold beside the numbers themselves."""


def write_points(folder: Path, points: VerifiedPoints) -> None:
    """Leave the points in the folder of a run.

    Raises:
        MnutsError: If they cannot be written.
    """
    write_atomically(folder / FILE, packed_points(points), MnutsError)


def packed_points(points: VerifiedPoints) -> bytes:
    """The points as bytes, for `checked_points`."""
    return save({name: np.ascontiguousarray(getattr(points, name)) for name in NAMES})


def read_points(folder: Path, rows: NDArray[np.int64], classes: int) -> VerifiedPoints:
    """The points in the folder of a run, once they are known to be points of the images attacked.

    Args:
        folder: The folder.
        rows: The clean rows that were attacked.
        classes: K.

    Raises:
        MnutsError: If they are missing, too large, or anything else.
    """
    content = read_bytes(folder / FILE, len(rows) * (2 * classes + 1) * 8 + SLACK, MnutsError)
    return checked_points(content, rows, classes)


def checked_points(content: bytes, rows: NDArray[np.int64], classes: int) -> VerifiedPoints:
    """Points from bytes that anybody may have written, once they are known to be of the images attacked.

    Args:
        content: What `packed_points` made of them.
        rows: The clean rows that were attacked.
        classes: K.

    Raises:
        MnutsError: If they are anything else.
    """
    try:
        arrays: dict[str, NDArray[Any]] = load(content)
    except (SafetensorError, TypeError, AttributeError, ValueError) as error:  # dtypes that NumPy lacks
        raise MnutsError(f"the points of the attack are not readable: {brief(error)}") from None
    if problem := _problem(arrays, rows, classes):
        raise MnutsError(f"the points of the attack are wrong: {problem}")
    return VerifiedPoints(rows, **arrays)


def _problem(arrays: dict[str, NDArray[Any]], rows: NDArray[np.int64], classes: int) -> str | None:
    """What is wrong with them; None if nothing is."""
    if set(arrays) != set(NAMES):
        return f"they hold {', '.join(sorted(arrays)) or 'nothing'} instead of {', '.join(NAMES)}"
    index = arrays["index"]
    if index.dtype != np.int64 or index.ndim != 1 or len(np.unique(index)) != len(index):
        return "index must name each image at most once"
    if not np.isin(index, rows).all():
        return "index names images that were not attacked"
    for name in NAMES[1:]:
        logits = arrays[name]
        if logits.dtype not in (np.float32, np.float64) or logits.shape != (len(index), classes):
            return f"{name} must be numbers of shape {(len(index), classes)}, got {logits.shape}"
        if not np.isfinite(logits).all():
            return f"{name} holds NaN or infinity"
    return None

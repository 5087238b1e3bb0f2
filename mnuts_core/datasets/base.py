"""What every data set gives, and what it is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

from torch import Tensor

from mnuts_core.bundles.manifest import DataCard
from mnuts_core.errors import MnutsError
from mnuts_core.text import counted

MAX_FLOATS = 2**33
"""So many bytes the images may take as float32 (8 GiB)."""


class DataError(MnutsError):
    """Images cannot be loaded; the message says which, why, and what to do."""


Split = Literal["train", "test"]


class LoadedData(NamedTuple):
    """Labelled images.

    Attributes:
        images: float32, shape (N, C, H, W), in [0, 1], contiguous.
        labels: int64, shape (N,), in [0, K).
        classes: K names.
        card: Which images these are, and how the pixels were obtained.
        preprocessing: How they were brought to their size, such as `Res256Crop224`; empty if they were not.
    """

    images: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    card: DataCard
    preprocessing: str = ""


class Request(NamedTuple):
    """What `load_data` was asked for, split up: `family:rest`."""

    spec: str
    rest: str
    n: int | None
    image_size: int | None
    data_dir: Path
    split: Split = "test"
    at_most: bool = False

    def count(self, available: int) -> int:
        """How many images to take of those that are there."""
        if self.n is not None and self.at_most:
            return min(self.n, available)
        if self.n is not None and self.n > available:
            raise DataError(
                f"data {self.spec!r} has {counted(available, 'image')}, fewer than n = {self.n:,}: lower n"
            )
        return available if self.n is None else self.n


def split_words(name: str, n: int, available: int) -> str:
    """How many images of which part a card is about.

    Args:
        name: The part.
        n: How many were taken, the first ones.
        available: How many there are.
    """
    if n == available:
        return f"{name}: all {counted(n, 'image')}"
    return f"{name}: the first {n:,} of {available:,} images"

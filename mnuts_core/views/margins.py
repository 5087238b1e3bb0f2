"""What a page shows, as plain arrays: every view is computed here and only drawn elsewhere."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnuts_core.remix.answers import Remix
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.views.own_points import OwnPoints, base_points

Array = NDArray[np.float64]
BINS = 25
"""Bins of a margin histogram, as in the paper's Table 6."""
QUARTERS = ("1", "1.7782794100389228", "3.1622776601683795", "5.623413251903491")
LOG_EDGES: Array = np.array(
    [float(f"{digits}e{power}") for power in range(-6, 0) for digits in QUARTERS] + [1.0]
)
"""Four bins a decade, written out so that every language has the very same numbers."""


class Histogram(NamedTuple):
    """Margins of one classifier on one part of the bundle, split by correctness.

    Attributes:
        edges: Bin edges in [0, 1], shape (BINS + 1,).
        right: Count of right predictions in each bin, shape (BINS,).
        wrong: Count of wrong ones.
        median_right: Median margin of the right ones; NaN if there are none.
        median_wrong: The same of the wrong ones.
        log_edges: Edges of bins even in the logarithm, shape (25,); the first bin holds all below it, too.
        log_right: Count of right predictions in each of these, shape (24,).
        log_wrong: Count of wrong ones.
    """

    edges: Array
    right: NDArray[np.int64]
    wrong: NDArray[np.int64]
    median_right: float
    median_wrong: float
    log_edges: Array
    log_right: NDArray[np.int64]
    log_wrong: NDArray[np.int64]

    @property
    def n(self) -> int:
        """How many examples."""
        return int(self.right.sum() + self.wrong.sum())


def histogram(margins: Array, right: NDArray[np.bool_]) -> Histogram:
    """The histogram of margins in [0, 1], split by correctness.

    Args:
        margins: Confidence margins, shape (n,).
        right: Whether each prediction is right, shape (n,).
    """
    place = np.minimum((margins * BINS).astype(np.int64), BINS - 1)
    counts = [np.bincount(place[mask], minlength=BINS) for mask in (right, ~right)]
    medians = [float(np.median(margins[mask])) if mask.any() else float("nan") for mask in (right, ~right)]
    place = np.clip(np.searchsorted(LOG_EDGES, margins, side="right") - 1, 0, len(LOG_EDGES) - 2)
    logs = [np.bincount(place[mask], minlength=len(LOG_EDGES) - 1) for mask in (right, ~right)]
    return Histogram(
        np.linspace(0.0, 1.0, BINS + 1),
        right=counts[0],
        wrong=counts[1],
        median_right=medians[0],
        median_wrong=medians[1],
        log_edges=LOG_EDGES,
        log_right=logs[0],
        log_wrong=logs[1],
    )


class MarginHistograms(NamedTuple):
    """Table 6: one classifier's margins, clean and attacked.

    Attributes:
        clean: On the clean images.
        attacked: Of each attacked image at the classifier's own point (see `own_points`), or None.
        attacked_itself: False for g where no attack on it is among the points.
    """

    clean: Histogram
    attacked: Histogram | None
    attacked_itself: bool = True

    @property
    def gap(self) -> float:
        """The margin gap of Fig. 6: median of the attacked right minus that of the clean wrong."""
        return float("nan") if self.attacked is None else self.attacked.median_right - self.clean.median_wrong


def base_histograms(engine: RemixEngine) -> dict[str, MarginHistograms]:
    """Margins of g, h and LN∘h (k = 250): they move with no slider."""
    return {name: split_histograms(engine, points) for name, points in base_points(engine).items()}


def mix_histograms(remix: Remix) -> MarginHistograms:
    """Margins of M(h) under the current transform; of an attacked image at its point of least margin."""
    clean, attacked = remix.on_clean, remix.on_images
    return MarginHistograms(
        histogram(clean.margin, clean.right),
        None if attacked is None else histogram(attacked.margin, attacked.right),
    )


def split_histograms(engine: RemixEngine, points: OwnPoints) -> MarginHistograms:
    """Margins of any classifier as two histograms.

    Args:
        engine: The engine of the bundle.
        points: The classifier on clean rows and at its own attacked points.
    """
    n, (margins, right, itself) = engine.n_clean, points
    attacked = histogram(margins[n:], right[n:]) if engine.bundle.n_adv else None
    return MarginHistograms(histogram(margins[:n], right[:n]), attacked, itself)

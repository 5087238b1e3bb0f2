"""Where a mix stands among the entries of a RobustBench leaderboard, by clean and by robust accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from mnuts_core.bundles.leaderboard import Entry
from mnuts_core.errors import ParameterError
from mnuts_core.functional.statistics import Estimate


class Rank(NamedTuple):
    """A place among entries, from 1: that of the figure, and of the ends of its 95 % interval."""

    place: int
    best: int
    worst: int


class Standing(NamedTuple):
    """Where a classifier stands among entries.

    Attributes:
        label: What it is called.
        clean: Its clean accuracy.
        robust: Its robust one: verified, or an upper bound on it.
        of_clean: Its place by clean accuracy among the entries and itself.
        of_robust: Its place by robust accuracy.
        dominated_by: The entries that are no worse in either accuracy and better in one.
        dominates: The entries that it is no worse than in either, and better in one.
        distance: Points by which both accuracies must rise until no entry dominates it; where none does, less
            the points by which both could fall before one would.
        short_of_robust: Points of robust accuracy short of the best entry that is at least as clean; negative
            for more than that; None where no entry is as clean.
        short_of_clean: Points of clean accuracy short of the best entry that is at least as robust; likewise.
    """

    label: str
    clean: Estimate
    robust: Estimate
    of_clean: Rank
    of_robust: Rank
    dominated_by: tuple[Entry, ...]
    dominates: tuple[Entry, ...]
    distance: float
    short_of_robust: float | None
    short_of_clean: float | None

    def to_json(self) -> dict[str, Any]:
        """The standing as plain JSON."""
        own = {"clean": self.clean.to_json(), "robust": self.robust.to_json()}
        ranks = {name: getattr(self, name)._asdict() for name in ("of_clean", "of_robust")}
        others = {
            name: [entry._asdict() for entry in getattr(self, name)] for name in ("dominated_by", "dominates")
        }
        return self._asdict() | own | ranks | others


def standing(label: str, clean: Estimate, robust: Estimate, entries: Sequence[Entry]) -> Standing:
    """Where a classifier stands among the entries of a leaderboard.

    Args:
        label: What it is called.
        clean: Its clean accuracy, a share.
        robust: Its robust accuracy, a share.
        entries: The entries, at least one.

    Raises:
        ParameterError: If there are none.
    """
    if not entries:
        raise ParameterError("entries must hold at least one entry of the leaderboard, got none")
    own = np.array([clean.value, robust.value]) * 100
    theirs = np.array([[entry.clean, entry.robust] for entry in entries])
    ahead = theirs - own
    at_least, at_most = (ahead >= 0).all(axis=1), (ahead <= 0).all(axis=1)
    equal = at_least & at_most
    return Standing(
        label,
        clean,
        robust,
        _rank(clean, theirs[:, 0]),
        _rank(robust, theirs[:, 1]),
        tuple(entry for entry, worse in zip(entries, at_least & ~equal, strict=True) if worse),
        tuple(entry for entry, better in zip(entries, at_most & ~equal, strict=True) if better),
        float(ahead.min(axis=1).max()),
        _largest(ahead[ahead[:, 0] >= 0, 1]),
        _largest(ahead[ahead[:, 1] >= 0, 0]),
    )


def _rank(figure: Estimate, others: np.ndarray[Any, Any]) -> Rank:
    """The place of a figure in percent, and of both ends of its interval: one behind all that are larger."""
    values = 100 * figure.value, 100 * figure.high, 100 * figure.low
    return Rank(*(1 + int((others > value).sum()) for value in values))


def _largest(values: np.ndarray[Any, Any]) -> float | None:
    return float(values.max()) if len(values) else None

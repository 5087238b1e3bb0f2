"""Figures with their uncertainty for the lesson: shares, medians, pairs, gains; and what they show.

Every interval is a 95 % one. Plain NumPy: no widget, no figure.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnuts_core.estimates import Z95, Estimate, median_of, wilson_interval

Array = NDArray[np.float64]
Verdict = Literal["shown", "contrary", "open"]
"""What the data say of a claim: that it holds, that its opposite does, or that they cannot tell."""


class Number(NamedTuple):
    """A figure, its 95 % interval, and how many examples it rests on.

    Attributes:
        value: The figure; NaN if there is nothing to take it from.
        low: Lower end; NaN if there are too few examples for an interval.
        high: Upper end; NaN likewise.
        n: How many examples.
    """

    value: float
    low: float
    high: float
    n: int

    def over(self, bar: float) -> Verdict:
        """What the interval says of the claim that the figure is larger than `bar`.

        Example:
            >>> Number(0.6, 0.55, 0.65, 100).over(0.5), Number(0.6, 0.4, 0.8, 9).over(0.5)
            ('shown', 'open')
        """
        if self.low > bar:
            return "shown"
        return "contrary" if self.high < bar else "open"

    def holds(self, guess: float, tolerance: float = 0.0) -> bool:
        """Whether a guess lies in the interval, or within `tolerance` of the figure."""
        return abs(guess - self.value) <= tolerance or self.low <= guess <= self.high


def share(successes: int, n: int) -> Number:
    """A share of n examples with its Wilson interval; NaN if n is 0.

    Args:
        successes: How many of the n.
        n: How many in all.
    """
    if n == 0:
        return Number(np.nan, np.nan, np.nan, 0)
    return Number(successes / n, *wilson_interval(successes, n), n)


def of_estimate(estimate: Estimate) -> Number:
    """An estimate of the core as a number."""
    return share(estimate.successes, estimate.n)


def median(values: Array) -> Number:
    """A median of shape (n,) with the interval between two order statistics; see the core's `median_of`."""
    return Number(*median_of(values))


def mean(values: Array) -> Number:
    """A mean with its normal interval.

    Args:
        values: Shape (n,), n ≥ 2 for an interval.
    """
    n = len(values)
    if n == 0:
        return Number(np.nan, np.nan, np.nan, 0)
    half = Z95 * float(np.std(values, ddof=1)) / np.sqrt(n) if n > 1 else np.nan
    middle = float(np.mean(values))
    return Number(middle, middle - half, middle + half, n)


def superiority(larger: Array, smaller: Array) -> Number:
    """How often a value of one group exceeds one of the other; ties count half (the area under the ROC).

    The interval is DeLong's (1988). Where no pair is out of order it knows no spread: the Wilson interval
    of the smaller group stands in.

    Args:
        larger: Shape (m,).
        smaller: Shape (n,), of other examples.

    Example:
        >>> superiority(np.array([3.0, 1.0]), np.array([2.0, 0.0])).value
        0.75
    """
    m, n = len(larger), len(smaller)
    if not m or not n:
        return Number(np.nan, np.nan, np.nan, m + n)
    first, second = _placements(larger, smaller)
    value, half = float(first.mean()), Z95 * _spread(first, second)
    low, high = max(0.0, value - half), min(1.0, value + half)
    if value in (0.0, 1.0):
        fewest = min(m, n)
        low, high = wilson_interval(round(value * fewest), fewest)
    return Number(value, low, high, m + n)


def superiority_change(larger: tuple[Array, Array], smaller: tuple[Array, Array]) -> Number:
    """By how much `superiority` grows from one measure to another on the same examples (DeLong).

    Args:
        larger: The first group under both measures, shape (m,) each.
        smaller: The second group under both, shape (n,) each.
    """
    m, n = len(larger[0]), len(smaller[0])
    if not m or not n:
        return Number(np.nan, np.nan, np.nan, m + n)
    (first_a, second_a), (first_b, second_b) = (
        _placements(*pair) for pair in zip(larger, smaller, strict=True)
    )
    first, second = first_b - first_a, second_b - second_a
    value, half = float(first.mean()), Z95 * _spread(first, second)
    return Number(value, value - half, value + half, m + n)


def _placements(larger: Array, smaller: Array) -> tuple[Array, Array]:
    """For each value of either group the share of the other that it is on the right side of."""

    def below(values: Array, others: Array) -> Array:
        ordered = np.sort(others)
        sides = [np.searchsorted(ordered, values, side) for side in ("left", "right")]
        return np.asarray((sides[0] + sides[1]) / (2 * len(ordered)))

    return below(larger, smaller), 1.0 - below(smaller, larger)


def _spread(first: Array, second: Array) -> float:
    parts = [float(np.var(x, ddof=1)) / len(x) if len(x) > 1 else np.nan for x in (first, second)]
    return float(np.sqrt(sum(parts)))


def ratio_of_medians(above: Array, below: Array) -> Number:
    """A ratio of two groups' medians, with the ends that their own intervals allow (95 % or a little less).

    Args:
        above: The numerator's group, shape (m,).
        below: The denominator's, shape (n,), positive.
    """
    one, other = median(above), median(below)
    if not other.value > 0:
        return Number(np.nan, np.nan, np.nan, one.n + other.n)
    high = one.high / other.low if other.low > 0 else np.inf
    return Number(one.value / other.value, one.low / other.high, high, one.n + other.n)


def paired_gain(better: int, worse: int, n: int) -> Number:
    """How many more of the same n examples one classifier gets right than another, as a share.

    Args:
        better: Examples that only the one gets right.
        worse: Examples that only the other gets right.
        n: How many examples in all, at least 1.
    """
    value = (better - worse) / n
    half = Z95 * float(np.sqrt(better + worse - (better - worse) ** 2 / n)) / n
    if better + worse == 0:  # no difference seen: as many as may hide behind none of n, either way
        half = wilson_interval(0, n)[1]
    return Number(value, value - half, value + half, n)


def sign_verdict(better: int, worse: int) -> Verdict:
    """Whether the changes go one way: the Wilson interval of the share of better ones against a half."""
    return share(better, better + worse).over(0.5)

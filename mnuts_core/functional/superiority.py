"""How far one group's values lie above another's: the area under the ROC, with DeLong's interval."""

from __future__ import annotations

import math

import numpy as np

from mnuts_core.functional.statistics import Z95, Array, Estimate, wilson_interval


def superiority(larger: Array, smaller: Array) -> Estimate:
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
        return Estimate.missing(m + n, "superiority")
    first, second = _placements(larger, smaller)
    value, half = float(first.mean()), Z95 * _spread(first, second)
    low, high = max(0.0, value - half), min(1.0, value + half)
    if value in (0.0, 1.0):
        fewest = min(m, n)
        low, high = wilson_interval(round(value * fewest), fewest)
    return Estimate(value, low, high, m + n, "superiority")


def superiority_change(larger: tuple[Array, Array], smaller: tuple[Array, Array]) -> Estimate:
    """By how much `superiority` grows from one measure to another on the same examples (DeLong).

    Args:
        larger: The first group under both measures, shape (m,) each.
        smaller: The second group under both, shape (n,) each.
    """
    m, n = len(larger[0]), len(smaller[0])
    if not m or not n:
        return Estimate.missing(m + n, "difference")
    (first_a, second_a), (first_b, second_b) = (
        _placements(*pair) for pair in zip(larger, smaller, strict=True)
    )
    first, second = first_b - first_a, second_b - second_a
    return Estimate.around(float(first.mean()), Z95 * _spread(first, second), m + n, "difference")


def _placements(larger: Array, smaller: Array) -> tuple[Array, Array]:
    """For each value of either group the share of the other that it is on the right side of."""

    def below(values: Array, others: Array) -> Array:
        ordered = np.sort(others)
        sides = [np.searchsorted(ordered, values, side) for side in ("left", "right")]
        return np.asarray((sides[0] + sides[1]) / (2 * len(ordered)))

    return below(larger, smaller), 1.0 - below(smaller, larger)


def _spread(first: Array, second: Array) -> float:
    parts = [float(np.var(x, ddof=1)) / len(x) if len(x) > 1 else math.nan for x in (first, second)]
    return math.sqrt(sum(parts))

"""Shares and medians with their uncertainty: a value, what it rests on, and a 95 % interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnuts_core.errors import ParameterError

Kind = Literal["clean", "attacked", "margin bound", "transfer", "verified"]

Z95 = 1.959963984540054
"""Two-sided 95 % point of the standard normal distribution."""


def wilson_interval(successes: int, n: int, z: float = Z95) -> tuple[float, float]:
    """The Wilson score interval of a binomial share (Wilson, 1927).

    Args:
        successes: How many of the n, in [0, n].
        n: How many in all, at least 1.
        z: Standard-normal point; the default gives 95 %.

    Returns:
        Lower and upper end, both in [0, 1].

    Raises:
        ParameterError: If n < 1 or successes lie outside [0, n].

    Example:
        >>> [round(end, 4) for end in wilson_interval(8, 10)]
        [0.4902, 0.9433]
    """
    if n < 1 or not 0 <= successes <= n:
        raise ParameterError(f"need 0 <= successes <= n and n >= 1, got successes={successes}, n={n}")
    share, z2 = successes / n, z * z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = z * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    # at 0 of n and n of n the share itself is an end, but for rounding
    return max(0.0, min(middle - half, share)), min(1.0, max(middle + half, share))


class Median(NamedTuple):
    """A median and its 95 % interval.

    Attributes:
        value: The median; NaN without values.
        low: Lower end of its interval, see `median_of`; NaN if there are too few values.
        high: Upper end, likewise.
        n: How many values.
    """

    value: float
    low: float
    high: float
    n: int


def median_of(values: NDArray[np.floating]) -> Median:
    """The median with its distribution-free 95 % interval, from order statistics.

    The interval is [x_(r), x_(n-r+1)] with the largest r for which a binomial(n, 1/2) falls below r with
    probability ≤ 2.5 %. Fewer than six values have no such r, and then the ends are NaN: even from the
    least to the greatest value covers less than 95 %. The range of what is measured, such as [0, 1] for a
    margin, would be no substitute: it is true before anything is measured, yet reads like a finding.

    Args:
        values: Finite numbers, shape (n,).

    Example:
        >>> median_of(np.arange(11.0))
        Median(value=5.0, low=1.0, high=9.0, n=11)
        >>> median_of(np.array([0.1, 0.2, 0.4]))
        Median(value=0.2, low=nan, high=nan, n=3)
    """
    from scipy.special import bdtr

    n = len(values)
    if not n:
        return Median(math.nan, math.nan, math.nan, 0)
    ascending = np.sort(values)
    below = bdtr(np.arange(n), n, 0.5)  # P(fewer than r of n) for r = 1, ..., n
    r = int(np.searchsorted(below, 0.025, side="right"))
    ends = (float(ascending[r - 1]), float(ascending[n - r])) if r else (math.nan, math.nan)
    return Median(float(np.median(ascending)), *ends, n)


@dataclass(frozen=True)
class Estimate:
    """A share of n examples, what kind of figure it is, and its 95 % Wilson interval.

    Attributes:
        kind: `clean` is exact on the n images; `attacked` was measured under an attack on that very
            model; `margin bound` and `transfer` are estimates from cached
            logits; only `verified` comes from an attack on the mixed classifier itself.
        successes: How many of the n.
        n: How many examples.
    """

    kind: Kind
    successes: int
    n: int

    @property
    def value(self) -> float:
        """The share, in [0, 1]."""
        return self.successes / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson interval, in [0, 1]."""
        return wilson_interval(self.successes, self.n)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{100 * self.value:.2f} % [{100 * low:.2f}, {100 * high:.2f}], n = {self.n:,}"

    @classmethod
    def of(cls, kind: Kind, right: NDArray[np.bool_]) -> Estimate:
        """The share of examples that are right.

        Args:
            kind: What kind of figure it is.
            right: One for each example, bool, shape (n,), n ≥ 1.
        """
        return cls(kind, int(np.count_nonzero(right)), right.size)

    def to_json(self) -> dict[str, Any]:
        """The estimate as plain JSON."""
        low, high = self.interval
        return {"kind": self.kind, "value": self.value, "n": self.n, "ci95": [low, high]}


def columns(name: str, figure: Estimate | None) -> dict[str, float | int | None]:
    """An estimate as columns of a data frame: its value, interval and n; None throughout where there is none.

    Args:
        name: The first column's name; the others are `name_low`, `name_high` and `name_n`.
        figure: The estimate, or None.

    Example:
        >>> list(columns("clean", Estimate("clean", 1, 2)))
        ['clean', 'clean_low', 'clean_high', 'clean_n']
    """
    names = (name, f"{name}_low", f"{name}_high", f"{name}_n")
    if figure is None:
        return dict.fromkeys(names)
    return dict(zip(names, (figure.value, *figure.interval, figure.n), strict=True))


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

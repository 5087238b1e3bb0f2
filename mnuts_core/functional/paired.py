"""Two classifiers on the same images: by how much one is more accurate, and whether chance explains it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnuts_core.errors import ParameterError
from mnuts_core.functional.statistics import Z95, Estimate, sign_verdict

_HALVINGS = 64
"""Of an interval of length 2 at most: more than float64 resolves."""


@dataclass(frozen=True)
class Paired:
    """How two classifiers do on the same images: a 2 × 2 table.

    Attributes:
        both: Images that both get right.
        only_first: Images that only the first gets right.
        only_second: Images that only the second gets right.
        neither: Images that neither gets right.

    Example:
        >>> print(Paired(both=880, only_first=40, only_second=20, neither=60))
        +2.00 points [+0.50, +3.60], McNemar p = 0.0135, n = 1,000
    """

    both: int
    only_first: int
    only_second: int
    neither: int

    @classmethod
    def of(cls, first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Paired:
        """The table of two classifiers.

        Args:
            first: Whether the first is right, one for each image, bool, shape (n,).
            second: Whether the second is, on the same images in the same order.

        Raises:
            ParameterError: If they are not two boolean vectors of one length.
        """
        if first.dtype != bool or second.dtype != bool or first.ndim != 1 or first.shape != second.shape:
            kinds = f"{first.dtype}{list(first.shape)} and {second.dtype}{list(second.shape)}"
            raise ParameterError(
                f"first and second must be boolean vectors of one length, got {kinds}: give one value for "
                "each image, the same images in both"
            )
        counts = (first & second, first & ~second, ~first & second, ~first & ~second)
        return cls(*(int(np.count_nonzero(which)) for which in counts))

    @property
    def n(self) -> int:
        """How many images."""
        return self.both + self.only_first + self.only_second + self.neither

    @property
    def difference(self) -> Estimate:
        """The first's accuracy minus the second's, with its paired interval; NaN of no images."""
        if not self.n:
            return Estimate.missing(0, "difference")
        return paired_difference(self.only_first, self.only_second, self.n)

    @property
    def clear(self) -> bool:
        """Whether the difference stands out of the noise: its interval leaves out 0."""
        return sign_verdict(self.only_first, self.only_second) != "open"

    @property
    def p_value(self) -> float:
        """The two-sided p of McNemar's exact test, see `mcnemar`."""
        return mcnemar(self.only_first, self.only_second)

    @property
    def points(self) -> str:
        """The difference in points with its interval, such as `+2.00 points [+0.50, +3.60]`."""
        difference = self.difference
        value, low, high = (_signed(100 * x) for x in (difference.value, *difference.interval))
        return f"{value} points [{low}, {high}]"

    def __str__(self) -> str:
        if not self.n:
            return "no images"
        return f"{self.points}, McNemar p = {self.p_value:.3g}, n = {self.n:,}"

    def to_json(self) -> dict[str, Any]:
        """The comparison as plain JSON."""
        return {
            "n": self.n,
            "both_right": self.both,
            "only_first_right": self.only_first,
            "only_second_right": self.only_second,
            "both_wrong": self.neither,
            "difference": self.difference.to_json(),
            "mcnemar_p": self.p_value,
        }


def paired_difference(better: int, worse: int, n: int) -> Estimate:
    """How many more of the same n examples one classifier gets right than another, as a share.

    The interval is Tango's score interval for paired proportions: all Δ with

        (better - worse - nΔ)² ≤ z² n (2q + Δ(1-Δ)),

    where q is the likeliest share of examples that only the other gets right, given Δ. It holds its 95 %
    where few examples tell the two apart, and lies above 0 exactly if `sign_verdict` is "shown".
    T. Tango (1998), "Equivalence test and confidence interval for the difference in proportions for the
    paired-sample design", Statistics in Medicine 17:891-908.

    Args:
        better: Examples that only the one gets right.
        worse: Examples that only the other gets right.
        n: How many examples in all, at least 1.

    Raises:
        ParameterError: If the counts are negative or do not fit.

    Example:
        >>> print(paired_difference(40, 20, 160))
        0.125 [0.03086, 0.2181], n = 160
    """
    if min(better, worse) < 0 or n < max(1, better + worse):
        raise ParameterError(
            "need better, worse >= 0, n >= better + worse and n >= 1, "
            f"got better={better}, worse={worse}, n={n}"
        )
    low, high = -_upper_end(worse, better, n), _upper_end(better, worse, n)
    return Estimate((better - worse) / n, low, high, n, "difference")


def _upper_end(better: int, worse: int, n: int) -> float:
    """The upper end of Tango's interval, by bisection between the difference itself and 1."""
    inside, outside = (better - worse) / n, 1.0
    for _ in range(_HALVINGS):
        delta = (inside + outside) / 2
        spread = 2 * _likeliest(better, worse, n, delta) + delta * (1 - delta)
        if (better - worse - n * delta) ** 2 <= Z95**2 * n * spread:
            inside = delta
        else:
            outside = delta
    return inside


def _likeliest(better: int, worse: int, n: int, delta: float) -> float:
    """The share of examples that only the other gets right, of most likelihood if the difference is delta."""
    b = (2 * n - better + worse) * delta - better - worse
    c = -worse * delta * (1 - delta)
    root = math.sqrt(max(0.0, b * b - 8 * n * c))
    if b > 0:  # the same root of 2n q² + b q + c = 0, without taking a number from one nearly as large
        return -2 * c / (root + b)
    return (root - b) / (4 * n)


def mcnemar(better: int, worse: int) -> float:
    """The two-sided p of McNemar's exact test: how likely so uneven a split is, if neither is more accurate.

    Of the examples that tell the two classifiers apart, each then speaks for either with probability 1/2, so
    that their number is binomial (McNemar, 1947, Psychometrika 12:153-157). 1 where no example does. It is
    more careful than the interval of `paired_difference`, which can exclude 0 where p is a little above 0.05.

    Args:
        better: Examples that only the one gets right.
        worse: Examples that only the other gets right.

    Example:
        >>> mcnemar(5, 0), mcnemar(0, 0)
        (0.0625, 1.0)
    """
    from scipy.special import bdtr

    return min(1.0, 2 * float(bdtr(min(better, worse), better + worse, 0.5)))


def _signed(value: float) -> str:
    """Two decimals with a sign, but for zero.

    Example:
        >>> _signed(1.5), _signed(-0.001)
        ('+1.50', '0.00')
    """
    rounded = round(value, 2) + 0.0  # -0.0 becomes 0.0
    return f"{rounded:+.2f}" if rounded else "0.00"

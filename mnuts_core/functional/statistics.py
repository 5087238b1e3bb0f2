"""Figures with their uncertainty: a value, how many examples it rests on, and a 95 % interval."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mnuts_core.errors import ParameterError

Accuracy = Literal[
    "clean", "attacked", "right by margin", "verified", "certified", "margin bound", "transfer"
]
"""Kinds of accuracy: `clean` is exact on the n images; `attacked` is right at all known points, an upper
bound; `right by margin` is right there whatever g says; `verified` comes from an attack on the mixed
classifier itself; `certified` is a lower bound, as far as a certificate of h holds. `margin bound` and
`transfer` are estimates of older configurations."""
Kind = Literal[Accuracy, "share", "median", "difference"]
"""What a figure is: an accuracy, another share of examples, or what its name says."""
Verdict = Literal["shown", "contrary", "open"]
"""What the data say of a claim: that it holds, that its opposite does, or that they cannot tell."""

Z95 = 1.959963984540054
"""Two-sided 95 % point of the standard normal distribution."""


@dataclass(frozen=True)
class Estimate:
    """A figure, what kind it is, its 95 % interval, and how many examples it rests on.

    It is made by `share`, `share_of`, `median`, and `paired_difference` (`mnuts_core/functional/paired.py`).

    Attributes:
        value: The figure; a share lies in [0, 1]. NaN if there is nothing to take it from.
        low: Lower end of the interval; NaN if there are too few examples for one.
        high: Upper end; NaN likewise.
        n: How many examples.
        kind: What kind of figure it is.
        count: How many of the n, where it is a share.
    """

    value: float
    low: float
    high: float
    n: int
    kind: Kind
    count: int | None = None

    @classmethod
    def missing(cls, n: int, kind: Kind) -> Estimate:
        """An estimate where the n examples give none: NaN."""
        return cls(math.nan, math.nan, math.nan, n, kind)

    @property
    def interval(self) -> tuple[float, float]:
        """Both ends of the 95 % interval."""
        return self.low, self.high

    @property
    def successes(self) -> int:
        """How many of the n, for a share.

        Raises:
            ParameterError: If the figure is no share.
        """
        if self.count is None:
            raise ParameterError(f"only a share counts successes, got a {self.kind}")
        return self.count

    @property
    def tally(self) -> str:
        """A share as a count.

        Example:
            >>> share(3, 4).tally, share(0, 0).tally
            ('3 of 4 (75.00 %)', '0 of 0')
        """
        return f"{self.successes:,} of {self.n:,}" + (f" ({100 * self.value:.2f} %)" if self.n else "")

    def __str__(self) -> str:
        if math.isnan(self.value):
            return f"NaN, n = {self.n:,}"
        if self.count is None:
            return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}], n = {self.n:,}"
        return f"{100 * self.value:.2f} % [{100 * self.low:.2f}, {100 * self.high:.2f}], n = {self.n:,}"

    def to_json(self) -> dict[str, Any]:
        """The estimate as plain JSON; a number that does not exist is null."""
        value, *ends = (None if math.isnan(x) else x for x in (self.value, *self.interval))
        return {"kind": self.kind, "value": value, "n": self.n, "ci95": ends}


def columns(name: str, figure: Estimate | None) -> dict[str, float | int | None]:
    """An estimate as columns of a data frame: its value, interval and n; None throughout where there is none.

    Args:
        name: The first column's name; the others are `name_low`, `name_high` and `name_n`.
        figure: The estimate, or None.

    Example:
        >>> list(columns("clean", share(1, 2, "clean")))
        ['clean', 'clean_low', 'clean_high', 'clean_n']
    """
    names = (name, f"{name}_low", f"{name}_high", f"{name}_n")
    if figure is None:
        return dict.fromkeys(names)
    return dict(zip(names, (figure.value, *figure.interval, figure.n), strict=True))


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
    value, z2 = successes / n, z * z
    middle = (value + z2 / (2 * n)) / (1 + z2 / n)
    half = z * math.sqrt(value * (1 - value) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    # at 0 of n and n of n the share itself is an end, but for rounding
    return max(0.0, min(middle - half, value)), min(1.0, max(middle + half, value))


def share(successes: int, n: int, kind: Kind = "share") -> Estimate:
    """A share of n examples with its Wilson interval; NaN of none.

    Args:
        successes: How many of the n.
        n: How many in all.
        kind: What kind of share it is.

    Raises:
        ParameterError: If successes lie outside [0, n].

    Example:
        >>> print(share(8, 10, "clean"))
        80.00 % [49.02, 94.33], n = 10
    """
    if successes == n == 0:
        return replace(Estimate.missing(0, kind), count=0)
    low, high = wilson_interval(successes, n)
    return Estimate(successes / n, low, high, n, kind, successes)


def share_of(right: NDArray[np.bool_], kind: Kind = "share") -> Estimate:
    """The share of examples that are right.

    Args:
        right: One for each example, bool, shape (n,).
        kind: What kind of share it is.
    """
    return share(int(np.count_nonzero(right)), right.size, kind)


def median(values: NDArray[np.floating]) -> Estimate:
    """The median with its distribution-free 95 % interval, from order statistics.

    The interval is [x_(r), x_(n-r+1)] with the largest r for which a binomial(n, 1/2) falls below r with
    probability ≤ 2.5 %. Fewer than six values have no such r, and then the ends are NaN: even from the
    least to the greatest value covers less than 95 %. The range of what is measured, such as [0, 1] for a
    margin, would be no substitute: it is true before anything is measured, yet reads like a finding.

    Args:
        values: Finite numbers, shape (n,).

    Example:
        >>> print(median(np.arange(11.0)))
        5 [1, 9], n = 11
        >>> print(median(np.array([0.1, 0.2, 0.4])))
        0.2 [nan, nan], n = 3
    """
    from scipy.special import bdtr

    n = len(values)
    if not n:
        return Estimate.missing(0, "median")
    ascending = np.sort(values)
    below = bdtr(np.arange(n), n, 0.5)  # P(fewer than r of n) for r = 1, ..., n
    r = int(np.searchsorted(below, 0.025, side="right"))
    low, high = (float(ascending[r - 1]), float(ascending[n - r])) if r else (math.nan, math.nan)
    return Estimate(float(np.median(ascending)), low, high, n, "median")


def sign_verdict(better: int, worse: int) -> Verdict:
    """Whether the changes go one way: the Wilson interval of the share of better ones against a half.

    This is McNemar's test of two classifiers on the same examples, at 95 %.

    Args:
        better: Examples that only the one gets right.
        worse: Examples that only the other gets right.
    """
    found = share(better, better + worse)
    if found.low > 0.5:
        return "shown"
    return "contrary" if found.high < 0.5 else "open"

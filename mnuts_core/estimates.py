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

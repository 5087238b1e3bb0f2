"""Whether one classifier is more accurate than another, asked again and again while images come in.

A p-value looked at repeatedly is soon below 0.05 by chance. A bettor's wealth is not: whoever starts with 1
and bets at fair odds that one of two equally accurate classifiers is better has at any time more than
20 with a probability of at most 1/20 (Ville's inequality), however often one looks and whenever one stops.
A. Ramdas, P. Grünwald, V. Vovk, G. Shafer (2023), "Game-theoretic statistics and safe anytime-valid
inference", Statistical Science, arXiv 2210.01948.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from mnuts_core.errors import ParameterError
from mnuts_core.functional.paired import Paired
from mnuts_core.text import counted

LEVEL = 0.05
"""How likely two classifiers of equal accuracy may be told apart, over all looks together."""
_LARGEST = 700.0
"""Logarithm of the largest wealth told: beyond, float64 ends."""


def wealth(better: int, worse: int) -> float:
    """The e-value against equal accuracy of two classifiers, valid at any time.

    Of the images that tell the two apart, each then speaks for either with probability 1/2, as in McNemar's
    test. The bets follow the share seen so far (Krichevsky and Trofimov, 1981), which is the mixture of all
    fixed shares over Jeffreys' prior:

        2^m · B(better + 1/2, worse + 1/2) / B(1/2, 1/2),   m = better + worse.

    It presupposes that the order of the images has nothing to do with which classifier is right.

    Args:
        better: Images so far that only the one gets right.
        worse: Images so far that only the other gets right.

    Raises:
        ParameterError: If a count is negative.

    Example:
        >>> [round(wealth(*counts), 2) for counts in ((0, 0), (1, 1), (8, 0), (9, 2))]
        [1.0, 0.5, 50.27, 2.59]
    """
    if min(better, worse) < 0:
        raise ParameterError(f"better and worse must be counts of images, got {better} and {worse}")
    m = better + worse
    log = m * math.log(2.0) + math.lgamma(better + 0.5) + math.lgamma(worse + 0.5) - math.lgamma(m + 1.0)
    return math.exp(min(log - math.log(math.pi), _LARGEST))


@dataclass(frozen=True)
class Look:
    """One look at two classifiers on the images that there are so far.

    Attributes:
        pair: How they do on these.
    """

    pair: Paired

    @property
    def e_value(self) -> float:
        """The wealth of the bettor, see `wealth`."""
        return wealth(self.pair.only_first, self.pair.only_second)

    @property
    def p_value(self) -> float:
        """A p that holds however often one looks: 1 / `e_value`, at most 1."""
        return min(1.0, 1.0 / self.e_value)

    @property
    def different(self) -> bool:
        """Whether equal accuracy is refuted, at `LEVEL` over all looks."""
        return self.e_value >= 1.0 / LEVEL

    def __str__(self) -> str:
        return (
            f"{self.pair.points} on the first {counted(self.pair.n, 'image')} (only one of the two right: "
            f"{self.pair.only_first:,} and {self.pair.only_second:,}), e-value {self.e_value:.3g}, "
            f"p at any time {self.p_value:.3g}"
        )

    def to_json(self) -> dict[str, Any]:
        """The look as plain JSON."""
        return {
            "different": self.different,
            "e_value": self.e_value,
            "p_at_any_time": self.p_value,
            "level": LEVEL,
            **self.pair.to_json(),
        }

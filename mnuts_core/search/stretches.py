"""Mixes by stretches of odds on which their figures stay the same, and those of them that lead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnuts_core.errors import ParameterError
from mnuts_core.functional.quantiles import SATURATED, UNRESOLVED
from mnuts_core.search.cell_margins import Array
from mnuts_core.search.grids import GridSpec
from mnuts_core.search.switches import Ends

SHORTEST = 1e-6
"""Stretches of odds shorter than this share of their upper end are passed over: float32 would miss them."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Mixes:
    """Mixes, one for each stretch of odds on which both figures stay the same; arrays of shape (n,).

    Attributes:
        clean: How many of the clean images that the search sees are right.
        attacked: How many of the attacked images are.
        odds: (1-α)/α in the middle of the stretch.
        cell: Place of the cell in the grid, counted through.
    """

    clean: Ints
    attacked: Ints
    odds: Array
    cell: Ints

    def at(self, chosen: NDArray[np.bool_] | Ints) -> Mixes:
        """Some of them."""
        return Mixes(self.clean[chosen], self.attacked[chosen], self.odds[chosen], self.cell[chosen])


def stretches_of(ends: Ends, grid: GridSpec, allowed: NDArray[np.bool_]) -> Mixes:
    """The mixes of one c, from sorted ends.

    Args:
        ends: Where rows and images begin and cease to be right.
        grid: The grid.
        allowed: For each p whether its cells may be chosen.
    """
    unit = 1 << 32  # a clean image counts 1, an attacked one so much: one sum for both
    columns = (ends.clean_from, ends.clean_until, ends.low, ends.high)
    steps = (1, -1, unit, -unit)
    cells = np.flatnonzero(np.tile(allowed, len(grid.s)))
    odds = np.concatenate([column[cells] for column in columns], axis=1)
    step = np.repeat(np.array(steps, np.int64), [column.shape[1] for column in columns])
    order = np.argsort(odds, axis=1)
    odds = np.take_along_axis(odds, order, axis=1).clip(max=1.0)
    start = np.full((len(cells), 1), ends.always + ends.clean_until.shape[1], np.int64)
    totals = np.concatenate([start, step[order]], axis=1).cumsum(axis=1)
    left = np.concatenate([np.zeros((len(cells), 1)), odds], axis=1)
    right = np.concatenate([odds, np.ones((len(cells), 1))], axis=1)
    middle = (left + right) / 2
    usable = (right - left > SHORTEST * right) & (middle >= UNRESOLVED) & (middle <= SATURATED)
    which, _ = usable.nonzero()
    found = totals[usable]
    return Mixes(
        clean=found & (unit - 1),
        attacked=found >> 32,
        odds=middle[usable],
        cell=cells[which] * len(grid.c) + ends.c,
    )


class Front:
    """Mixes as they come, without those that another leads by more than one image in both figures."""

    def __init__(self, n_clean: int, n_attacked: int) -> None:
        self._most_attacked = np.full(n_clean + 1, -1)  # at so much clean accuracy or more
        self._most_clean = np.full(n_attacked + 1, -1)
        self._kept: list[Mixes] = []
        self.n_mixes = 0

    def add(self, mixes: Mixes) -> None:
        """Take in the mixes of some cells."""
        self.n_mixes += len(mixes.odds)
        for most, at, value in (
            (self._most_attacked, mixes.clean, mixes.attacked),
            (self._most_clean, mixes.attacked, mixes.clean),
        ):
            np.maximum.at(most, at, value)
            most[::-1] = np.maximum.accumulate(most[::-1])
        self._kept.append(self._near(mixes))

    def mixes(self) -> Mixes:
        """All that are left.

        Raises:
            ParameterError: If there are none.
        """
        joined = Mixes(
            clean=np.concatenate([mixes.clean for mixes in self._kept]),
            attacked=np.concatenate([mixes.attacked for mixes in self._kept]),
            odds=np.concatenate([mixes.odds for mixes in self._kept]),
            cell=np.concatenate([mixes.cell for mixes in self._kept]),
        )
        if not len(joined.odds):
            raise ParameterError("no α of any cell is safely inside [1/2, 1]: take another grid")
        return self._near(joined)

    def _near(self, mixes: Mixes) -> Mixes:
        near = mixes.attacked >= self._most_attacked[mixes.clean] - 1
        near |= mixes.clean >= self._most_clean[mixes.attacked] - 1
        return mixes.at(near)

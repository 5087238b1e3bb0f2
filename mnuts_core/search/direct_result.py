"""What a direct search found: its choices and its frontier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mnuts_core.clamps import Clamp
from mnuts_core.errors import ParameterError
from mnuts_core.params import MixParams
from mnuts_core.search.cell_margins import Array
from mnuts_core.search.grids import GridSpec
from mnuts_core.search.result import MILD, CleanRows, edges_of, mildness
from mnuts_core.search.stretches import Ints, Mixes

ROUNDING = 1e-9
"""Accuracies that differ by less are equal."""


@dataclass(frozen=True)
class Choice:
    """One mix of a direct search.

    Attributes:
        params: Its parameters, α filled in.
        index: Its place in the grid, (s, p, c).
        quantile: Its odds (1-α)/α.
        clean: Clean accuracy on the images that the search sees.
        attacked: Attacked accuracy.
        edges: For each of s, p, c at whose grid's end it sits: "low" or "high".
    """

    params: MixParams
    index: tuple[int, int, int]
    quantile: float
    clean: float
    attacked: float
    edges: Mapping[str, str]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of the choice must know, one line each."""
        lines = []
        if self.edges:
            where = ", ".join(f"{axis} at its {end} end" for axis, end in self.edges.items())
            lines.append(f"the best mix sits on the grid's edge ({where}): search a wider grid")
        if not MILD[0] <= self.quantile <= MILD[1]:
            lines.append(f"q = {self.quantile:.3g} is extreme: α = {self.params.alpha:.8f}")
        return tuple(lines)


@dataclass(frozen=True, eq=False)
class DirectFrontier:
    """Mixes of which none is better in both accuracies, by ascending clean accuracy.

    Attributes:
        choices: The mixes, n of them.
    """

    choices: tuple[Choice, ...]

    @property
    def params(self) -> tuple[MixParams, ...]:
        """The parameters, α filled in."""
        return tuple(choice.params for choice in self.choices)

    @cached_property
    def clean(self) -> Array:
        """Clean accuracy on the images that the search sees, shape (n,)."""
        return np.array([choice.clean for choice in self.choices])

    @cached_property
    def attacked(self) -> Array:
        """Attacked accuracy, descending, shape (n,)."""
        return np.array([choice.attacked for choice in self.choices])

    @cached_property
    def alpha(self) -> Array:
        """α, shape (n,)."""
        return np.array([choice.params.alpha for choice in self.choices])

    @cached_property
    def quantile(self) -> Array:
        """The odds (1-α)/α, shape (n,)."""
        return np.array([choice.quantile for choice in self.choices])

    @cached_property
    def index(self) -> Ints:
        """Place in the grid, shape (n, 3)."""
        return np.array([choice.index for choice in self.choices])


@dataclass(frozen=True, eq=False)
class DirectSearch:
    """Both accuracies of every cell at every α, as far as a choice can depend on them.

    Attributes:
        grid: The candidates.
        clamp, ln_k, clean, max_accuracy_loss: As asked for.
        n_clean: Clean images that the search saw.
        n_attacked: Attacked images.
        n_mixes: How many mixes were compared: one for each cell and stretch of α with the same figures.
        left_out: How many cells were excluded, since M costs the robust model too much accuracy there.
        mixes: Those that no other leads by more than one image in both figures.
        optimistic: Whether the attacked figures rest on MMAA's points alone.
        notes: What a reader must know of the search, one line each.
    """

    grid: GridSpec
    clamp: Clamp
    ln_k: int
    clean: CleanRows
    max_accuracy_loss: float | None
    n_clean: int
    n_attacked: int
    n_mixes: int
    left_out: int
    mixes: Mixes
    optimistic: bool
    notes: tuple[str, ...]

    def clean_at_least(self, share: float) -> Choice:
        """The mix of the highest attacked accuracy, of those with at least a given clean accuracy.

        Among mixes within one image of the best, those with q in [1e-3, 0.95] come first, then the higher
        attacked accuracy, the higher clean one, and the milder numbers, as in `mnuts_core.search.result`.

        Args:
            share: In [0, 1], on the clean images that the search sees.

        Raises:
            ParameterError: If no mix reaches it; the message has the range.
        """
        share = _check_share("clean_at_least", share)
        kept = self.mixes.clean >= _least(share, self.n_clean)
        if not kept.any():
            top = self._choose(self.mixes.clean, self.mixes.attacked, np.ones(len(kept), bool))
            raise ParameterError(_unreachable("clean", share, top.clean, "attacked", top.attacked))
        return self._choose(self.mixes.attacked, self.mixes.clean, kept)

    def attacked_at_least(self, share: float) -> Choice:
        """The mix of the highest clean accuracy, of those with at least a given attacked accuracy.

        Args:
            share: In [0, 1].

        Raises:
            ParameterError: If no mix reaches it; the message has the range.
        """
        share = _check_share("attacked_at_least", share)
        kept = self.mixes.attacked >= _least(share, self.n_attacked)
        if not kept.any():
            top = self._choose(self.mixes.attacked, self.mixes.clean, np.ones(len(kept), bool))
            raise ParameterError(_unreachable("attacked", share, top.attacked, "clean", top.clean))
        return self._choose(self.mixes.clean, self.mixes.attacked, kept)

    @cached_property
    def frontier(self) -> DirectFrontier:
        """The mixes of which none is better in both accuracies; of equals the mildest."""
        order = np.lexsort((-self.mixes.attacked, -self.mixes.clean))
        best = np.maximum.accumulate(self.mixes.attacked[order])
        ahead = np.concatenate([[True], best[1:] > best[:-1]])
        choices = []
        for place in order[ahead][::-1].tolist():
            same = (self.mixes.clean == self.mixes.clean[place]) & (
                self.mixes.attacked == self.mixes.attacked[place]
            )
            choices.append(self._mildest(same))
        return DirectFrontier(tuple(choices))

    def _choose(self, wanted: Ints, other: Ints, kept: NDArray[np.bool_]) -> Choice:
        near = kept & (wanted >= wanted[kept].max() - 1)
        mild = near & (self.mixes.odds >= MILD[0]) & (self.mixes.odds <= MILD[1])
        near = mild if mild.any() else near
        for figure in (wanted, other):
            near &= figure == figure[near].max()
        return self._mildest(near)

    def _mildest(self, among: NDArray[np.bool_]) -> Choice:
        """Of mixes with the same figures the one of the mildest numbers."""
        places = np.flatnonzero(among)
        outside = (self.mixes.odds[places] < MILD[0]) | (self.mixes.odds[places] > MILD[1])

        def rank(number: int) -> tuple[float, ...]:
            place = places[number]
            index = self._index(place)
            return (float(outside[number]), *mildness(self.grid, index, float(self.mixes.odds[place])))

        place = int(places[min(range(len(places)), key=rank)])
        index, odds = self._index(place), float(self.mixes.odds[place])
        s, p, c = self.grid.at(index)
        params = MixParams(s=s, p=p, c=c, clamp=self.clamp, ln_k=self.ln_k, alpha=1.0 / (1.0 + odds))
        clean, attacked = int(self.mixes.clean[place]), int(self.mixes.attacked[place])
        return Choice(
            params,
            index=index,
            quantile=odds,
            clean=clean / self.n_clean,
            attacked=attacked / self.n_attacked,
            edges=edges_of(self.grid, index),
        )

    def _index(self, place: int) -> tuple[int, int, int]:
        i, j, k = (int(x) for x in np.unravel_index(self.mixes.cell[place], self.grid.shape))
        return i, j, k


def _check_share(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ParameterError(f"{name} must be a share in [0, 1], such as 0.95 for 95 %, got {value!r}")
    return float(value)


def _least(share: float, n: int) -> int:
    """The smallest count whose share reaches the one asked for."""
    return int(np.ceil(share * n - ROUNDING * n))


def _unreachable(figure: str, share: float, most: float, other: str, there: float) -> str:
    return (
        f"no mix of this grid has {figure} accuracy of at least {100 * share:.6g} %: the most is "
        f"{100 * most:.2f} %, at {100 * there:.2f} % {other} accuracy; ask for less or search another grid"
    )

"""What Algorithm 1 found: the whole table of a grid search, and how the best cell is chosen from it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from mnuts_core.clamps import Clamp
from mnuts_core.errors import ParameterError
from mnuts_core.functional.quantiles import (
    SATURATED,
    UNRESOLVED,
    QuantileMethod,
)
from mnuts_core.params import PARAMS, MixParams
from mnuts_core.remix.answers import PointRule
from mnuts_core.search.cell_margins import Array, CellMargins
from mnuts_core.search.grids import GridSpec

if TYPE_CHECKING:
    import pandas as pd

CleanRows = Literal["attacked", "all"]

MILD = (1e-3, 0.95)
"""Quantiles in here give an α that is neither 1/2 nor 1 in effect."""

TABLES = (
    "objective",
    "quantile",
    "alpha",
    "saturated",
    "accuracy_loss",
    "clean_changes",
    "attacked_changes",
)
"""Names of the result's tables."""


@dataclass(frozen=True)
class Cell:
    """One cell of the grid.

    Attributes:
        index: Place in the tables, (s, p, c).
        params: The parameters, α filled in.
        objective: Share of wrong clean examples that keep a margin ≥ quantile (lower is better).
        quantile: q, the (1-β)-quantile of the attacked margins; α = 1/(1+q).
    """

    index: tuple[int, int, int]
    params: MixParams
    objective: float
    quantile: float


@dataclass(frozen=True, eq=False)
class GridSearchResult:
    """The whole table of Algorithm 1; all tables have shape `(len(s), len(p), len(c))`.

    Attributes:
        grid: The candidates.
        beta: The level.
        clamp, ln_k, conditional, quantile_method, clean, points, max_accuracy_loss: As asked for.
        objective: Line 10 of Algorithm 1, in [0, 1].
        quantile: Line 9, q.
        alpha: 1/(1+q) (line 15).
        saturated: Where q > 1 - 3e-6 or q < 1e-12: float64 saturates, such cells are not trusted.
        accuracy_loss: How much accuracy M(h) has lost against h, the larger of clean and attacked,
            as a share (negative: a gain).
        clean_changes, attacked_changes: Share of examples whose prediction M changes (Assumption 4.2).
        n_clean: Clean examples that the search saw; n_wrong of them enter the objective.
        n_wrong: See n_clean.
        n_attacked: Attacked images; n_right of them give the quantile.
        n_right: See n_attacked.
        margins: Sorted margins of every cell, from which any other β is chosen.
    """

    grid: GridSpec
    beta: float
    clamp: Clamp
    ln_k: int
    conditional: bool
    quantile_method: QuantileMethod
    clean: CleanRows
    points: PointRule
    max_accuracy_loss: float | None
    objective: Array
    quantile: Array
    alpha: Array
    saturated: NDArray[np.bool_]
    accuracy_loss: Array
    clean_changes: Array
    attacked_changes: Array
    n_clean: int
    n_wrong: int
    n_attacked: int
    n_right: int
    margins: CellMargins = field(repr=False)

    @cached_property
    def _choice(self) -> tuple[tuple[int, int, int], tuple[str, ...]]:
        return choose(self)

    @cached_property
    def best(self) -> Cell:
        """The chosen cell (see `choose`)."""
        return self.cell(self._choice[0])

    @cached_property
    def ties(self) -> tuple[Cell, ...]:
        """All cells to choose from whose objective equals the best one's: the chosen one, then the milder."""
        chosen = self.best.index
        equal = _allowed(self) & (self.objective == self.objective[chosen])
        places = (_place(index) for index in np.argwhere(equal).tolist())
        others = sorted((i for i in places if i != chosen), key=lambda i: _mildness(self, i))
        return (self.best, *(self.cell(i) for i in others))

    def ranked(self, n: int) -> list[Cell]:
        """The n best cells to choose from: the chosen one, its ties, then the others by objective."""
        order = np.argsort(self.objective, axis=None, kind="stable")
        places = np.stack(np.unravel_index(order, self.grid.shape), axis=1).tolist()
        allowed, seen = _allowed(self), {cell.index for cell in self.ties}
        others = (place for place in map(_place, places) if allowed[place] and place not in seen)
        return list(islice(chain(self.ties, map(self.cell, others)), n))

    @cached_property
    def edges(self) -> dict[str, str]:
        """For each of s, p, c at whose grid's end the best cell sits: "low" or "high"."""
        return edges_of(self.grid, self.best.index)

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of the result must know, one line each."""
        if not self.edges:
            return self._choice[1]
        where = ", ".join(f"{axis} at its {end} end" for axis, end in self.edges.items())
        return (*self._choice[1], f"the optimum sits on the grid's edge ({where}): widen the grid")

    def cell(self, index: tuple[int, int, int]) -> Cell:
        """The cell at a place in the tables."""
        s, p, c = self.grid.at(index)
        params = MixParams(
            s=s,
            p=p,
            c=c,
            clamp=self.clamp,
            ln_k=self.ln_k,
            beta=self.beta,
            alpha=float(self.alpha[index]),
        )
        return Cell(index, params, float(self.objective[index]), float(self.quantile[index]))

    @property
    def admissible(self) -> NDArray[np.bool_]:
        """Cells that are neither saturated nor cost the robust model too much accuracy."""
        limit = np.inf if self.max_accuracy_loss is None else self.max_accuracy_loss + 1e-12
        return np.asarray(~self.saturated & (self.accuracy_loss <= limit))

    def widened_grid(self) -> GridSpec:
        """The grid to search next when the optimum sits on an edge."""
        return self.grid.widened(self.edges)

    def at_beta(self, beta: float) -> GridSearchResult:
        """The same search at another β, from the margins at hand."""
        beta = PARAMS["beta"].check(beta)
        if beta == self.beta:
            return self
        objective, quantile = self.margins.table(np.array([beta]), self.quantile_method)
        return replace(self, **level_tables(beta, objective[..., 0], quantile[..., 0]))

    def to_frame(self) -> pd.DataFrame:
        """One row a cell: s, p, c, objective, quantile, alpha, saturated, accuracy_loss, ..."""
        import pandas as pd

        s, p, c = np.meshgrid(self.grid.s, self.grid.p, self.grid.c, indexing="ij")
        tables = {"s": s, "p": p, "c": c}
        tables |= {name: getattr(self, name) for name in TABLES}
        return pd.DataFrame({name: table.ravel() for name, table in tables.items()})


def choose(result: GridSearchResult) -> tuple[tuple[int, int, int], tuple[str, ...]]:
    """The best cell of a table, deterministically, and what to warn of.

    Among admissible cells (unsaturated, no undue loss of accuracy) within one example of the smallest
    objective, those with q in [1e-3, 0.95] come first, then the smaller objective, then the milder
    numbers: q nearest to 0.3, smaller p, s nearest to 1, c nearest to 0. With `max_accuracy_loss=None`
    the paper's rule: the smallest objective of all cells; only exact ties go by mildness.
    """
    notes: list[str] = []
    plain, allowed = result.max_accuracy_loss is None, _allowed(result)
    left_out = int((~result.admissible & ~result.saturated).sum())
    if not plain and result.saturated.all():
        notes.append("every cell is saturated: none is to be trusted")
    elif not plain and not result.admissible.any():
        notes.append("no cell meets max_accuracy_loss: the best of the others is shown, which costs accuracy")
    elif not plain and left_out:
        notes.append(
            f"{left_out} of {allowed.size} cells excluded: there M lowers the robust model's accuracy by "
            f"more than {100 * (result.max_accuracy_loss or 0):g} points"
        )
    if flagged := int(result.saturated.sum()):
        notes.append(f"{flagged} of {allowed.size} cells are saturated (q > 1 - 3e-6 or q < 1e-12)")
    least = result.objective[allowed].min()
    slack = 0.0 if plain else 1.0 / result.n_wrong
    near = [
        _place(index) for index in np.argwhere(allowed & (result.objective <= least + slack + 1e-12)).tolist()
    ]
    if not plain:
        near = [i for i in near if MILD[0] <= result.quantile[i] <= MILD[1]] or near
    least = min(result.objective[index] for index in near)
    best = min(
        (index for index in near if result.objective[index] == least), key=lambda i: _mildness(result, i)
    )
    if not MILD[0] <= result.quantile[best] <= MILD[1]:
        notes.append(f"q = {result.quantile[best]:.3g} is extreme: α = {result.alpha[best]:.8f}")
    return best, tuple(notes)


def level_tables(beta: float, objective: Array, quantile: Array) -> dict[str, Any]:
    """The fields of a `GridSearchResult` that depend on β."""
    return {
        "beta": beta,
        "objective": objective,
        "quantile": quantile,
        "alpha": 1.0 / (1.0 + quantile),
        "saturated": (quantile > SATURATED) | (quantile < UNRESOLVED),
    }


def _allowed(result: GridSearchResult) -> NDArray[np.bool_]:
    """Cells to choose from: the admissible ones; if there are none the unsaturated, if none all."""
    everything = np.ones(result.grid.shape, bool)
    if result.max_accuracy_loss is None:
        return everything
    for mask in (result.admissible, ~result.saturated):
        if mask.any():
            return mask
    return everything


def _place(index: list[int]) -> tuple[int, int, int]:
    i, j, k = index
    return i, j, k


def check_loss(max_accuracy_loss: float | None) -> None:
    """Refuse a limit that is no share.

    Raises:
        ParameterError: If it lies outside [0, 1] and is not None.
    """
    if max_accuracy_loss is not None and not 0 <= max_accuracy_loss <= 1:
        raise ParameterError(f"max_accuracy_loss must lie in [0, 1] or be None, got {max_accuracy_loss!r}")


def _mildness(result: GridSearchResult, index: tuple[int, int, int]) -> tuple[float, ...]:
    return mildness(result.grid, index, float(result.quantile[index]))


def mildness(grid: GridSpec, index: tuple[int, int, int], quantile: float) -> tuple[float, ...]:
    """By what mixes with equal figures are ranked: smaller is milder, and no two are equal.

    Args:
        grid: The grid.
        index: The cell, (s, p, c).
        quantile: Its odds (1-α)/α.
    """
    q = max(quantile, 1e-300)
    s, p, c = grid.at(index)
    return (round(abs(math.log(q / 0.3)), 9), p, abs(math.log(s)), abs(c), *index)


def edges_of(grid: GridSpec, index: tuple[int, int, int]) -> dict[str, str]:
    """Which of s, p, c sits at an end of its range; an axis of one value has no ends."""
    return {
        axis: "low" if place == 0 else "high"
        for (axis, values), place in zip(grid.axes().items(), index, strict=True)
        if len(values) > 1 and place in (0, len(values) - 1)
    }

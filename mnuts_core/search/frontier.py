"""The β-frontier: the best cell of a finished search at every β at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mnuts_core.params import PARAMS, MixParams
from mnuts_core.search.cell_margins import Array
from mnuts_core.search.result import Cell, GridSearchResult, level_tables


def beta_grid(n: int = 200) -> Array:
    """`n` levels β from 0 to 1, denser towards 1, where the interesting ones are."""
    return 1.0 - np.linspace(1.0, 0.0, n) ** 2


@dataclass(frozen=True, eq=False)
class BetaFrontier:
    """The best cell for every β.

    Attributes:
        beta: Levels, ascending, shape (b,).
        objective: The chosen cell's objective, shape (b,), ascending.
        quantile: Its q, shape (b,).
        alpha: Its α, shape (b,).
        index: Its place in the tables, int64, shape (b, 3).
        params: Its parameters, α filled in, b of them.
    """

    beta: Array
    objective: Array
    quantile: Array
    alpha: Array
    index: NDArray[np.int64]
    params: tuple[MixParams, ...]


def beta_frontier(result: GridSearchResult, betas: Array | None = None) -> BetaFrontier:
    """The best cell at every β at once, from a finished search (section 5.1: re-running is marginal).

    Each point is what `grid_search` chooses at that β, unless the choice at a higher β has a smaller
    objective already, as can happen by one example where `choose` prefers mild numbers: a mix that keeps
    the higher level keeps the lower one too, so it stands for both, and the frontier is monotone.

    Args:
        result: A finished search, at any β.
        betas: Levels in [0, 1]; `beta_grid()` if None.

    Raises:
        ParameterError: If a level lies outside [0, 1].
    """
    betas = beta_grid() if betas is None else np.sort(np.atleast_1d(np.asarray(betas, np.float64)))
    for beta in betas:
        PARAMS["beta"].check(float(beta))
    objective, quantile = result.margins.table(betas, result.quantile_method)
    cells: list[Cell] = []
    for place in reversed(range(len(betas))):
        tables = level_tables(float(betas[place]), objective[..., place], quantile[..., place])
        cell = replace(result, **tables).best
        cells.append(cells[-1] if cells and cells[-1].objective < cell.objective else cell)
    cells.reverse()
    return BetaFrontier(
        beta=betas,
        objective=np.array([cell.objective for cell in cells]),
        quantile=np.array([cell.quantile for cell in cells]),
        alpha=np.array([cell.params.alpha for cell in cells]),
        index=np.array([cell.index for cell in cells]),
        params=tuple(cell.params for cell in cells),
    )

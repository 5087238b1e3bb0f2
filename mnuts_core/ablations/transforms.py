"""The transform itself: sensitivity to s, p, c (Fig. 9), what it costs h (Table 4), the clamp (Table 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mnuts_core.ablations.common import (
    chosen_mix,
    frame,
    grid_or_paper,
    grid_words,
    mix_columns,
    objective_columns,
)
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.clamps import CLAMPS, Clamp
from mnuts_core.errors import ParameterError
from mnuts_core.functional.statistics import columns, share_of
from mnuts_core.params import LN_ONLY, PARAMS, MixParams
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.search.algorithm1 import grid_search
from mnuts_core.search.grids import GridSpec
from mnuts_core.search.result import GridSearchResult

if TYPE_CHECKING:
    import pandas as pd


def fig9(
    bundle: LogitBundle, *, beta: float = PARAMS["beta"].default, grid: GridSpec | None = None
) -> pd.DataFrame:
    """Fig. 9 (D.1): the objective of Eq. 7 in every cell of the grid, α from the constraint.

    Args:
        bundle: A bundle with an attacked part.
        beta: Level β.
        grid: The grid; the paper's for CIFAR-10 if None.

    Returns:
        One row a cell: s, p, c, `objective` with its 95 % Wilson interval and `objective_n` (the clean
        images that h gets wrong), quantile, alpha, saturated, the transform's losses, `admissible`, `best`.
    """
    result = grid_search(bundle, grid_or_paper(grid), beta)
    table = result.to_frame()
    objectives = [objective_columns(value, result.n_wrong) for value in table["objective"]]
    for name in ("objective_low", "objective_high", "objective_n"):
        table[name] = [row[name] for row in objectives]
    table["admissible"] = result.admissible.ravel()
    table["best"] = np.arange(len(table)) == np.ravel_multi_index(result.best.index, result.grid.shape)
    return frame("fig9", bundle, table, beta=beta, grid=grid_words(result.grid))


def table4(
    bundle: LogitBundle,
    *,
    beta: float = PARAMS["beta"].default,
    grid: GridSpec | None = None,
    params: MixParams | None = None,
) -> pd.DataFrame:
    """Table 4: accuracy of h, LN h and M(h), clean and at the attacked points (Assumption 4.2).

    Args:
        bundle: A bundle with an attacked part.
        beta: Level of the search for M.
        grid: Its grid; the paper's for CIFAR-10 if None.
        params: M of this mix instead of a search.

    Returns:
        One row for each classifier: `clean` and `attacked` (at the points that were found against
        LN∘h) with intervals and n, and the share of examples whose
        prediction differs from h's.
    """
    mix = chosen_mix(bundle, beta, grid, params)
    engine = RemixEngine(bundle)
    found: dict[str, tuple[Any, Any]] = {"h": (engine.rob_right, np.zeros_like(engine.rob_right))}
    for name, params_of in (("LN h", LN_ONLY), ("M(h)", mix)):
        found[name] = engine.right(params_of).cpu().numpy(), engine.changed(params_of).cpu().numpy()
    rows, n = [], bundle.n_clean
    for name, (right, changed) in found.items():
        figures = columns("clean", share_of(right[:n], "clean"))
        figures |= columns("attacked", share_of(right[n:], "attacked"))
        changes = {"clean_changes": changed[:n].mean(), "attacked_changes": changed[n:].mean()}
        rows.append({"classifier": name, **figures, **changes})
    return frame(
        "table4", bundle, rows, mix=mix_columns(mix), beta=beta, grid=grid_words(grid_or_paper(grid))
    )


def table7(
    bundle: LogitBundle,
    *,
    beta: float = PARAMS["beta"].default,
    grid: GridSpec | None = None,
    widen: int = 3,
) -> pd.DataFrame:
    """Table 7 (D.2): the best s, c, p, α and objective for each clamping function, and none (`linear`).

    Without a clamp c is held at 0, as in the paper. The grid is widened where an optimum sits on its edge,
    since the clamps have their optima in different places.

    Args:
        bundle: A bundle with an attacked part.
        beta: Level β.
        grid: The first grid; the paper's for CIFAR-10 if None.
        widen: How many times to widen at most.

    Returns:
        One row for each clamp: the mix's parameters, `objective` with interval and n, `quantile`, how many
        cells are saturated, at which `edges` it still sits, and the mix's figures.
    """
    if not isinstance(widen, int) or widen < 0:
        raise ParameterError(f"widen must be an integer of at least 0, got {widen!r}")
    engine, cells, rows = RemixEngine(bundle), grid_or_paper(grid), []
    for clamp in CLAMPS:
        own = GridSpec(s=cells.s, p=cells.p, c=np.zeros(1), name=cells.name) if clamp == "linear" else cells
        result = _widened(bundle, own, beta, clamp, widen)
        best = result.best
        remix = engine.remix(best.params)
        rows.append(
            {
                "clamp": clamp,
                **mix_columns(best.params),
                **objective_columns(best.objective, result.n_wrong),
                "quantile": best.quantile,
                "saturated_cells": int(result.saturated.sum()),
                "cells": result.grid.size,
                "edges": ", ".join(f"{axis} {end}" for axis, end in result.edges.items()),
                **columns("clean", remix.clean),
                **columns("by_margin", remix.by_margin),
                **columns("attacked", remix.attacked),
            }
        )
    return frame("table7", bundle, rows, beta=beta, grid=grid_words(cells), widen=widen)


def _widened(bundle: LogitBundle, grid: GridSpec, beta: float, clamp: Clamp, widen: int) -> GridSearchResult:
    result = grid_search(bundle, grid, beta, clamp=clamp)
    for _ in range(widen):
        if not result.edges:
            break
        result = grid_search(bundle, result.widened_grid(), beta, clamp=clamp)
    return result

"""The comparison's numbers in Python: what its page shows, computed by the core, as data frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.errors import MnutsError
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.search.algorithm1 import grid_search
from mnuts_core.search.grids import GridSpec
from mnuts_core.views import comparison, transfer_matrix
from mnuts_core.views.equal_terms import on_equal_terms
from mnuts_core.views.transfer_matrix import Best
from mnuts_dashboards.compare.state import EQUAL, CompareState

if TYPE_CHECKING:
    import pandas as pd


def frames(bundles: Mapping[str, LogitBundle], state: CompareState) -> dict[str, pd.DataFrame]:
    """The comparison's tables: `facts`, `medians`, `best` and `transfers`.

    Args:
        bundles: Those that the state names, in their order.
        state: The settings.
    """
    counted = on_equal_terms(bundles) if state.points == EQUAL else dict(bundles)
    engines = {name: RemixEngine(bundle) for name, bundle in counted.items()}
    best = best_of_each(counted, state)
    params = {name: found.params for name, found in best.items()}
    medians = {name: comparison.margin_medians(engine, params.get(name)) for name, engine in engines.items()}
    cells = transfer_matrix.transfer_matrix(engines, params, state.alpha)
    summaries = {name: comparison.summary(engine) for name, engine in engines.items()}
    return {
        "facts": comparison.summaries_frame(summaries),
        "medians": comparison.medians_frame(medians),
        "best": transfer_matrix.best_frame(best),
        "transfers": transfer_matrix.transfers_frame(cells),
    }


def best_of_each(bundles: Mapping[str, LogitBundle], state: CompareState) -> dict[str, Best]:
    """What Algorithm 1 finds on each bundle on which it finds anything."""
    found: dict[str, Best] = {}
    for name, bundle in bundles.items():
        try:
            result = grid_search(bundle, GridSpec.paper(state.grid), state.beta, clamp=state.clamp)
        except MnutsError:
            continue
        found[name] = transfer_matrix.best_of(result)
    return found

"""What α, β and the temperature trade: Figure 8 and Table 10."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from mnuts_core.ablations.common import chosen_mix, frame, grid_or_paper, grid_words, mix_columns
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.functional.statistics import columns, share
from mnuts_core.params import IDENTITY, PARAMS, MixParams
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.search.algorithm1 import grid_search
from mnuts_core.search.frontier import beta_frontier
from mnuts_core.search.grids import GridSpec
from mnuts_core.views.tradeoff import Curve, alpha_curve, best_place, frontier_curve, plateau_curve

if TYPE_CHECKING:
    import pandas as pd

PAPER_BETAS = (1.0, 0.96, 0.93, 0.8, 0.0)
"""Levels of Fig. 8."""
PAPER_TEMPERATURES = (0.0, 0.5, 1.0)
"""Temperatures of Table 10."""


def fig8(
    bundle: LogitBundle,
    *,
    beta: float = PARAMS["beta"].default,
    grid: GridSpec | None = None,
    params: MixParams | None = None,
) -> pd.DataFrame:
    """Fig. 8: clean accuracy against both robust estimates, with and without the transform.

    Curves: `Mixed, T = 1` and `Mixed, T = 0` over α; `MixedNUTS` over α with one transform held; and
    `MixedNUTS, Algorithm 1` at the paper's levels β = 1, 0.96, 0.93, 0.8 and 0, s, p, c searched anew for
    each. The paper's ordinate is accuracy under an adaptive attack; here it is an estimate, named as such.
    TRADES is left out: it would need a training run for each point.

    Args:
        bundle: A bundle with an attacked part.
        beta: Level of the search for the transform that is held.
        grid: Grid of both searches; the paper's for CIFAR-10 if None.
        params: Transform and temperature to hold instead of a search.

    Returns:
        One row a point: `curve`, `beta` (where it gave α), the mix's parameters, and `clean`,
        `attacked`, `by_margin` with `_low`, `_high` (95 % Wilson) and `_n`.
    """
    held = chosen_mix(bundle, beta, grid, params)
    engine, cells = RemixEngine(bundle), grid_or_paper(grid)
    rows = [
        row
        for name, mix in (
            ("Mixed, T = 1", IDENTITY.with_(temperature=1.0)),
            ("Mixed, T = 0", IDENTITY),
            ("MixedNUTS", held),
        )
        for row in _points(bundle, name, alpha_curve(engine, mix), mix)
    ]
    found = beta_frontier(grid_search(bundle, cells), np.array(PAPER_BETAS))
    curve = frontier_curve(engine, found)
    for place, (level, mix) in enumerate(zip(found.beta, found.params, strict=True)):
        point = Curve(*(getattr(curve, name)[[place]] for name in Curve.__dataclass_fields__))
        rows += _points(bundle, "MixedNUTS, Algorithm 1", point, mix, float(level))
    return frame("fig8", bundle, rows, held=mix_columns(held), beta=beta, grid=grid_words(cells))


def table10(
    bundle: LogitBundle,
    *,
    beta: float = PARAMS["beta"].default,
    grid: GridSpec | None = None,
    params: MixParams | None = None,
) -> pd.DataFrame:
    """Table 10 (D.4): the temperature T of g, 0, 0.5 and 1, with α set so that clean accuracy stays.

    The clean accuracy to keep is that of the mix at T = 0. For each T, α is, of all in [1/2, 1] at which
    clean accuracy is at least that, one at which the accuracy by margin is highest. The bound sees T only
    through α, since it takes g to be always wrong; attacked accuracy sees T itself.

    Args:
        bundle: A bundle with an attacked part.
        beta: Level of the search for s, p, c.
        grid: Its grid; the paper's for CIFAR-10 if None.
        params: s, p, c and α of this mix instead of a search.

    Returns:
        One row for each T: the mix's parameters, `clean`, `attacked` and `by_margin` with intervals; no
        figures where no α reaches the clean accuracy.
    """
    mix = chosen_mix(bundle, beta, grid, params).with_(temperature=0.0)
    engine = RemixEngine(bundle)
    target, rows = engine.remix(mix).clean, []
    for temperature in PAPER_TEMPERATURES:
        scaled = mix.with_(temperature=temperature)
        curve = plateau_curve(engine, scaled)
        place = best_place(curve, "by_margin", "clean", target.value)
        scaled = scaled.with_(alpha=None if place is None else float(curve.alpha[place]))
        remix = None if place is None else engine.remix(scaled)
        row = mix_columns(scaled)
        row |= columns("clean", None if remix is None else remix.clean)
        row |= columns("by_margin", None if remix is None else remix.by_margin)
        row |= columns("attacked", None if remix is None else remix.attacked)
        rows.append(row)
    settings = {"kept_clean": target.to_json(), "beta": beta, "grid": grid_words(grid_or_paper(grid))}
    return frame("table10", bundle, rows, **settings)


def _points(
    bundle: LogitBundle, name: str, curve: Curve, mix: MixParams, beta: float | None = None
) -> Iterator[dict[str, Any]]:
    n, m = bundle.n_clean, bundle.n_adv
    points = zip(curve.alpha, curve.clean, curve.attacked, curve.by_margin, strict=True)
    for alpha, clean, attacked, bound in points:
        yield {
            "curve": name,
            "beta": beta,
            **mix_columns(mix.with_(alpha=float(alpha))),
            **columns("clean", share(round(clean * n), n, "clean")),
            **columns("by_margin", share(round(bound * m), m, "right by margin")),
            **columns("attacked", share(round(attacked * m), m, "attacked")),
        }

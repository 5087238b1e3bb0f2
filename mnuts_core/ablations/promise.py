"""What Algorithm 1's level β promises of accuracy under attack, and what the pool leaves of it: D.9."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mnuts_core.ablations.common import frame, grid_or_paper, grid_words, mix_columns, objective_columns
from mnuts_core.bundles.attacked import at_any_point
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.functional.statistics import columns, share_of
from mnuts_core.params import PARAMS
from mnuts_core.remix.answers import PointRule
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.search.algorithm1 import grid_search
from mnuts_core.search.grids import GridSpec

if TYPE_CHECKING:
    import pandas as pd

RULES: tuple[PointRule, ...] = ("mmaa", "pool")


def promise(
    bundle: LogitBundle, *, beta: float = PARAMS["beta"].default, grid: GridSpec | None = None
) -> pd.DataFrame:
    """D.9, before and after: Algorithm 1 on MMAA's points alone, the paper's rule, and on the pool.

    Eq. 7 promises that of the attacked images that LN∘h gets right a share β stays right whatever g says. By
    MMAA's points alone, found against LN∘h, that is kept at these points only; attacks on mixes find others.

    Args:
        bundle: A bundle with an attacked part; without attacks on mixes both rows are the same.
        beta: Level β.
        grid: The grid; the paper's for CIFAR-10 if None.

    Returns:
        Two rows, by the points that Algorithm 1 saw: the mix; `objective`; `promised`, β times the share of
        the images that LN∘h gets right at these points; and at all points of the pool `by_margin` and
        `attacked`, what is right whatever g says, and right at all; `kept`: `by_margin` among the images that
        LN∘h gets right there, to be compared with β; and `optimistic`, whether the pool holds MMAA's points
        alone.
    """
    cells, engine = grid_or_paper(grid), RemixEngine(bundle)
    rows = [_row(engine, cells, beta, points) for points in RULES]
    return frame("promise", bundle, rows, beta=beta, grid=grid_words(cells))


def _row(engine: RemixEngine, grid: GridSpec, beta: float, points: PointRule) -> dict[str, Any]:
    found = grid_search(engine.bundle, grid, beta, points=points)
    remix, pool = engine.remix(found.best.params), engine.bundle.require_attacked()
    wrong = pool.rob_logits.argmax(axis=1) != pool.labels
    right = ~at_any_point(wrong, pool.of, pool.n_images)
    assert remix.on_images is not None  # the search has looked
    held = remix.on_images.held(remix.threshold)
    return {
        "points": points,
        **mix_columns(found.best.params),
        **objective_columns(found.best.objective, found.n_wrong),
        "promised": beta * found.n_right / found.n_attacked,
        **columns("kept", share_of(held[right])),
        **columns("by_margin", remix.by_margin),
        **columns("attacked", remix.attacked),
        "optimistic": remix.optimistic,
    }

"""Trade-off curves: clean accuracy against accuracy under attack, for every α or every β at once.

One pass gives each example's interval of odds (see `stretches`), and sorting the ends gives the accuracy at
every α.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from mnuts_core.functional.quantiles import least_kept
from mnuts_core.params import PARAMS, MixParams
from mnuts_core.remix.answers import Remix
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.search.direct_result import DirectFrontier
from mnuts_core.search.frontier import BetaFrontier
from mnuts_core.search.result import GridSearchResult
from mnuts_core.views.margins import Array
from mnuts_core.views.stretches import right_at_all_points, right_between

Figure = Literal["clean", "attacked", "by_margin"]
"""The accuracies of a curve."""


@dataclass(frozen=True, eq=False)
class Curve:
    """A curve in the trade-off plane; arrays of shape (n,).

    Attributes:
        alpha: Mixing weights, in [1/2, 1].
        clean: Clean accuracy of the mix, in [0, 1].
        attacked: Share of the attacked images right at all of their points; NaN without an attacked part.
        by_margin: Share of them right by margin at all of these; NaN likewise.
    """

    alpha: Array
    clean: Array
    attacked: Array
    by_margin: Array


def alpha_grid(n: int = 161) -> Array:
    """About n weights from 1 down to 1/2, dense at both ends of the odds (1-α)/α and even between.

    Algorithm 1 often lands at α = 0.99 and above, and sharp transforms have margins next to 1: an even
    grid would step over both.
    """
    even = np.linspace(0.0, 1.0, n - 2 * (n // 3))
    end = np.logspace(-6, -1, n // 3)
    return 1.0 / (1.0 + np.unique(np.concatenate([even, end, 1.0 - end])))


def alpha_curve(engine: RemixEngine, params: MixParams, alphas: ArrayLike | None = None) -> Curve:
    """The mix at every α, the transform and temperature held (as a slider of α would show it).

    Args:
        engine: The engine of a bundle.
        params: Transform and temperature; β and α are ignored.
        alphas: Weights in [1/2, 1]; `alpha_grid()` if None.

    Raises:
        ParameterError: If a weight lies outside [1/2, 1].
    """
    grid = alpha_grid() if alphas is None else np.atleast_1d(np.asarray(alphas, np.float64))
    for alpha in grid.tolist():
        PARAMS["alpha"].check(alpha)
    return Curve(grid, *_shares(engine, params, (1.0 - grid) / grid))


def _shares(engine: RemixEngine, params: MixParams, odds: Array) -> tuple[Array, Array, Array]:
    """Clean accuracy, attacked accuracy and accuracy by margin at each of the odds."""
    n, own = engine.n_clean, right_between(engine, params)
    clean = own.rows(slice(n)).share_right(odds)
    if engine.pool is None:
        return clean, np.full(len(odds), np.nan), np.full(len(odds), np.nan)
    images = right_at_all_points(engine, params, own)
    held = np.sort(engine.pool.least_margins(engine.all_margins(params), engine.all_right(params)))
    by_margin = (len(held) - np.searchsorted(held, least_kept(odds), side="left")) / engine.bundle.n_adv
    return clean, images.share_right(odds), by_margin


def frontier_curve(
    engine: RemixEngine,
    frontier: BetaFrontier | DirectFrontier,
    temperature: float = 0.0,
    progress: Callable[[float], None] | None = None,
) -> Curve:
    """The mixes of a frontier in the trade-off plane: clean accuracy there is that of all clean images.

    Args:
        engine: The engine of the bundle that was searched.
        frontier: The best cell for every β, or for every clean accuracy.
        temperature: T of the standard model, which the search does not look at.
        progress: Called with the share done; what it raises ends the work.
    """
    by_transform: dict[MixParams, list[int]] = {}
    for place, params in enumerate(frontier.params):
        shared = params.with_(alpha=None, beta=1.0, temperature=temperature)
        by_transform.setdefault(shared, []).append(place)
    table = np.full((3, len(frontier.params)), np.nan)
    for done, (params, places) in enumerate(by_transform.items()):
        if progress is not None:
            progress(done / len(by_transform))
        table[:, places] = _shares(engine, params, frontier.quantile[places])
    return Curve(frontier.alpha, *table)


class Plane(NamedTuple):
    """The trade-off plane, for one transform.

    Attributes:
        current: The α-curve of the current transform.
        point: The current mix.
    """

    current: Curve
    point: Remix


def plane(engine: RemixEngine, remix: Remix) -> Plane:
    """The α-curve of the current transform and the current point on it."""
    return Plane(alpha_curve(engine, remix.params), remix)


class Frontier(NamedTuple):
    """A frontier of a whole grid in the trade-off plane.

    Attributes:
        curve: Its points, those that move.
        params: The mix at each point, its α filled in.
    """

    curve: Curve
    params: tuple[MixParams, ...]


def frontier(
    engine: RemixEngine,
    found: BetaFrontier | DirectFrontier,
    progress: Callable[[float], None] | None = None,
) -> Frontier:
    """The frontier of a whole grid; only points that move are kept.

    Args:
        engine: The engine of the bundle that was searched.
        found: The best cell for every β, or for every clean accuracy.
        progress: Called with the share done; what it raises ends the work.
    """
    curve = frontier_curve(engine, found, progress=progress)
    table = np.stack([curve.clean, curve.attacked, curve.by_margin])
    moved = np.ones(table.shape[1], bool)
    moved[1:] = (np.diff(table, axis=1) != 0).any(axis=0)
    params = tuple(params for params, kept in zip(found.params, moved, strict=True) if kept)
    return Frontier(Curve(curve.alpha[moved], *table[:, moved]), params)


class Sensitivity(NamedTuple):
    """The objective of Algorithm 1 over the grid (Fig. 9), at one β.

    Attributes:
        objective: Shape (len(s), len(p), len(c)), in [0, 1]; lower is better. NaN in cells that are left
            out: saturated, or costing the robust model too much accuracy.
        s, p, c: The candidates.
        at: The current (s, p, c).
        best: The (s, p, c) that the search chooses.
    """

    objective: Array
    s: Array
    p: Array
    c: Array
    at: tuple[float, float, float]
    best: tuple[float, float, float]


def sensitivity(result: GridSearchResult, params: MixParams) -> Sensitivity:
    """The objective over a finished search's grid, at the parameters' β.

    Args:
        result: The search, at any β.
        params: β, and the place to mark.
    """
    here, grid = result.at_beta(params.beta), result.grid
    best = here.best.params
    return Sensitivity(
        np.where(here.admissible, here.objective, np.nan),
        *(grid.s, grid.p, grid.c),
        at=(params.s, params.p, params.c),
        best=(best.s, best.p, best.c),
    )


RESOLVED = 1e-12
"""Stretches of odds shorter than this are passed over: α in float64 could hardly land inside."""

SAME = 1e-9
"""Shares of counted examples that differ by less are equal."""


def plateau_curve(engine: RemixEngine, params: MixParams) -> Curve:
    """The mix at one α from the middle of each stretch of α on which its predictions stay the same.

    Args:
        engine: The engine of a bundle.
        params: Transform and temperature; β and α are ignored.

    Returns:
        The curve, α descending from 1 to 1/2: every pair of figures that some α reaches, but for odds at
        which two stretches meet.
    """
    found = right_between(engine, params)
    if engine.further is not None:
        found = found.and_further(right_between(engine.further, params))
    margins = engine.all_margins(params)[engine.n_clean :]
    ends = np.unique(np.concatenate([found.low, found.high, margins]))
    ends = np.concatenate([[0.0], ends[(ends > 0) & (ends < 1)], [1.0]])
    middle = (ends[1:] + ends[:-1])[np.diff(ends) > RESOLVED] / 2
    return alpha_curve(engine, params, 1.0 / (1.0 + np.concatenate([[0.0], middle, [1.0]])))


def best_place(curve: Curve, wanted: Figure, kept: Figure, least: float) -> int | None:
    """Where on a curve one figure is highest while another is at least a given one.

    Args:
        curve: From `plateau_curve`.
        wanted: The figure that shall be high.
        kept: The one to keep.
        least: The least of it, in [0, 1].

    Returns:
        The place; among equals the one with more of the figure to keep, then the larger α. None if no α
        keeps it.
    """
    keeping = getattr(curve, kept)
    allowed = keeping >= least - SAME
    if not allowed.any():
        return None
    order = np.lexsort((curve.alpha, keeping, np.where(allowed, getattr(curve, wanted), -np.inf)))
    return int(order[-1])

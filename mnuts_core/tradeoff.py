"""Trade-off curves: clean accuracy against the two robust estimates, for every α or every β at once.

For a fixed transform and temperature, an example is right exactly while the odds `t = (1-α)/α` lie in
one interval: `t·(a_y - a_i) + (b_y - b_i) ≥ 0` for every class i, with a = σ(g/T), b = σ(M(h)). So one
pass gives each example's interval, and sorting the ends gives the accuracy at every α.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from mnuts_core.frontier import BetaFrontier
from mnuts_core.params import PARAMS, MixParams
from mnuts_core.quantiles import TIE, least_kept
from mnuts_core.remix import STD, RemixEngine

Array = NDArray[np.float64]

TRIFLE = 1e-300
"""Makes of 0 what is larger than 0, and leaves every other number as it is."""


@dataclass(frozen=True, eq=False)
class Curve:
    """A curve in the trade-off plane; arrays of shape (n,).

    Attributes:
        alpha: Mixing weights, in [1/2, 1].
        clean: Clean accuracy of the mix, in [0, 1].
        margin_bound: The margin-bound estimate, in [0, 1]; NaN without an attacked part.
        transfer: The transfer estimate, in [0, 1]; NaN likewise.
    """

    alpha: Array
    clean: Array
    margin_bound: Array
    transfer: Array


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
    """Clean accuracy, margin bound and transfer at each of the odds."""
    low, high, closed = right_between(engine, params)
    n = engine.n_clean
    clean = _share_right(low[:n], high[:n], closed[:n], odds)
    if not engine.bundle.n_adv:
        return clean, np.full(len(odds), np.nan), np.full(len(odds), np.nan)
    margins = engine.margins(params).margin[n:].cpu().numpy()
    right = engine.right(params)[n:].cpu().numpy()
    held = np.sort(margins[right])
    bound = (len(held) - np.searchsorted(held, least_kept(odds), side="left")) / len(margins)
    return clean, bound, _share_right(low[n:], high[n:], closed[n:], odds)


def right_between(engine: RemixEngine, params: MixParams) -> tuple[Array, Array, NDArray[np.bool_]]:
    """For every row the interval of odds `t = (1-α)/α` at which the mix predicts the label.

    Returns:
        Lowest and highest odds, shape (R,) each (empty where lowest > highest), and whether the upper
        end belongs to it: a tie goes to the standard model (`mnuts_core.ties`).
    """
    if params.temperature == 0.0:
        low, high, closed = _hard_interval(engine, params)
    else:
        low, high = _soft_interval(
            engine.std_probabilities(params.temperature),
            engine.rob_probabilities(params),
            engine.labels,
            engine.std_class,
        )
        closed = torch.ones_like(low, dtype=torch.bool)
    return low.cpu().numpy(), high.cpu().numpy(), closed.cpu().numpy()


def _hard_interval(engine: RemixEngine, params: MixParams) -> tuple[Tensor, Tensor, Tensor]:
    """T = 0: ŷ_std from odds `p₁ - p[ŷ_std]` on, ŷ_rob below them."""
    switch = (engine.margins(params).deficit[:, STD].double() - TIE).clamp_min(0.0)
    std_right = engine.std_class == engine.labels
    rob_right = engine.vote(params) == engine.labels
    never, always = torch.full_like(switch, torch.inf), torch.full_like(switch, torch.inf)
    zero = torch.zeros_like(switch)
    low = torch.where(rob_right, zero, torch.where(std_right, switch, never))
    high = torch.where(std_right, always, torch.where(rob_right, switch, -never))
    return low, high, std_right


def _soft_interval(std: Tensor, rob: Tensor, labels: Tensor, std_class: Tensor) -> tuple[Tensor, Tensor]:
    """T > 0: the intersection over classes i of `t·(a_y - a_i) ≥ b_i - b_y`.

    Ties: y needs `TIE` less if it is ŷ_std, else `TIE` more than ŷ_std and a trifle more than the classes
    before it, which only tells at t = 0.
    """
    own, voted = labels.unsqueeze(1), std_class.unsqueeze(1)
    slope = std.gather(1, own) - std
    need = rob - rob.gather(1, own)
    need += TRIFLE * (torch.arange(rob.shape[1], device=rob.device) < own).to(need)
    need.scatter_add_(1, voted, TIE * (own != voted).to(need)).sub_(TIE * (own == voted).to(need))
    bound = need / slope
    inf = torch.tensor(torch.inf, dtype=bound.dtype, device=bound.device)
    low = torch.where(slope > 0, bound, -inf).amax(dim=1)
    high = torch.where(slope < 0, bound, inf).amin(dim=1)
    impossible = ((slope == 0) & (need > 0)).any(dim=1)
    return torch.where(impossible, inf, low.clamp_min(0.0)), torch.where(impossible, -inf, high)


def _share_right(low: Array, high: Array, closed: NDArray[np.bool_], odds: Array) -> Array:
    """The share of examples whose interval holds each of the odds."""
    possible = np.where(closed, low <= high, low < high)
    low, high, closed = low[possible], high[possible], closed[possible]
    begun = np.searchsorted(np.sort(low), odds, side="right")
    ended = np.searchsorted(np.sort(high[closed]), odds, side="left")
    ended += np.searchsorted(np.sort(high[~closed]), odds, side="right")
    return np.asarray((begun - ended) / len(possible))


def frontier_curve(
    engine: RemixEngine,
    frontier: BetaFrontier,
    temperature: float = 0.0,
    progress: Callable[[float], None] | None = None,
) -> Curve:
    """The mixes that Algorithm 1 chooses at each β, in the trade-off plane.

    Args:
        engine: The engine of the bundle that was searched.
        frontier: The best cell for every β.
        temperature: T of the standard model, which the search does not look at.
        progress: Called with the share done; what it raises ends the work.
    """
    by_transform: dict[MixParams, list[int]] = {}
    for place, params in enumerate(frontier.params):
        shared = params.with_(alpha=None, beta=1.0, temperature=temperature)
        by_transform.setdefault(shared, []).append(place)
    table = np.full((3, len(frontier.beta)), np.nan)
    for done, (params, places) in enumerate(by_transform.items()):
        if progress is not None:
            progress(done / len(by_transform))
        table[:, places] = _shares(engine, params, frontier.quantile[places])
    return Curve(frontier.alpha, *table)

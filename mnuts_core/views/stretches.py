"""Of rows and images, the interval of odds `t = (1-α)/α` at which a mix gets each one right.

For a fixed transform and temperature, an example is right exactly while t lies in one interval:
`t·(a_y - a_i) + (b_y - b_i) ≥ 0` for every class i, with a = σ(g/T), b = σ(M(h)).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnuts_core.functional.mixing import ROUNDING, lead_over_std
from mnuts_core.functional.quantiles import TIE, TRIFLE
from mnuts_core.params import MixParams
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.remix.rows import STD, Rows
from mnuts_core.views.margins import Array


class Stretches(NamedTuple):
    """Of rows or images, each one's interval of odds `t = (1-α)/α` at which the mix predicts the label.

    Attributes:
        low: Lowest odds, shape (R,).
        high: Highest odds, shape (R,); the interval is empty where they are below the lowest.
        closed: Whether the upper end belongs to it: a tie goes to the standard model
            (`mnuts_core.functional.mixing`).
    """

    low: Array
    high: Array
    closed: NDArray[np.bool_]

    def rows(self, chosen: slice) -> Stretches:
        """Some of them."""
        return Stretches(self.low[chosen], self.high[chosen], self.closed[chosen])

    def and_further(self, other: Stretches) -> Stretches:
        """These and then others."""
        joined = [np.concatenate(columns) for columns in zip(self, other, strict=True)]
        return Stretches(joined[0], joined[1], joined[2].astype(bool))

    def share_right(self, odds: Array) -> Array:
        """The share of them whose interval holds each of the odds."""
        possible = np.where(self.closed, self.low <= self.high, self.low < self.high)
        low, high, closed = self.low[possible], self.high[possible], self.closed[possible]
        begun = np.searchsorted(np.sort(low), odds, side="right")
        ended = np.searchsorted(np.sort(high[closed]), odds, side="left")
        ended += np.searchsorted(np.sort(high[~closed]), odds, side="right")
        return np.asarray((begun - ended) / len(possible))


def right_at_all_points(engine: RemixEngine, params: MixParams, own: Stretches) -> Stretches:
    """Each attacked image's interval: where those of all of its points overlap.

    Args:
        engine: The engine of a bundle with an attacked part.
        params: Transform and temperature; β and α are ignored.
        own: The intervals of the engine's own rows.
    """
    assert engine.pool is not None  # the caller has looked
    if engine.further is not None:
        other = right_between(engine.further, params)
        own = own.and_further(other)
    low = engine.pool.by_image(np.maximum, own.low)
    high = engine.pool.by_image(np.minimum, own.high)
    # closed where every point's interval that ends there is
    open_at = engine.pool.by_image(np.minimum, np.where(own.closed, np.inf, own.high))
    closed = high < open_at
    return Stretches(low, high, closed)


def right_between(engine: Rows, params: MixParams) -> Stretches:
    """For every row the interval of odds `t = (1-α)/α` at which the mix predicts the label.

    Args:
        engine: An engine, for its own rows, or other rows.
        params: Transform and temperature; β and α are ignored.
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
    return Stretches(low.cpu().numpy(), high.cpu().numpy(), closed.cpu().numpy())


def _hard_interval(engine: Rows, params: MixParams) -> tuple[Tensor, Tensor, Tensor]:
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
    _resolve(bound, std, rob, own, voted)
    inf = torch.tensor(torch.inf, dtype=bound.dtype, device=bound.device)
    low = torch.where(slope > 0, bound, -inf).amax(dim=1)
    high = torch.where(slope < 0, bound, inf).amin(dim=1)
    impossible = ((slope == 0) & (need > 0)).any(dim=1)
    return torch.where(impossible, inf, low.clamp_min(0.0)), torch.where(impossible, -inf, high)


def _resolve(bound: Tensor, std: Tensor, rob: Tensor, own: Tensor, voted: Tensor) -> None:
    """Bounds next to odds of 1 where both models are next to certain: the last float on the label's side.

    There ŷ_std holds against class i, the label or else M(h)'s, from odds `1 - x` on, where x is what it may
    lag behind at odds of 1, `TIE` less the lead of i, over `a_ŷ - a_i`.

    Args:
        bound: Those of `_soft_interval`, shape (R, K); changed in place.
        std: `σ(g/T)`, likewise.
        rob: `σ(M(h))`, likewise.
        own: Labels, shape (R, 1).
        voted: ŷ_std, likewise.
    """
    rows = ((std.gather(1, voted) > 0.5) & (rob.gather(1, voted) < 0.5)).squeeze(1).nonzero().squeeze(1)
    std, rob, own, voted = std[rows], rob[rows], own[rows], voted[rows]
    right = own == voted
    other = torch.where(right, rob.argmax(dim=1, keepdim=True), own)
    lead = lead_over_std(std, rob, (1.0, 1.0), other, voted)
    x = (TIE - lead) / (std.gather(1, voted) - std.gather(1, other))
    odds = 1.0 - x
    above, below = (torch.nextafter(odds, torch.full_like(odds, end)) for end in (torch.inf, -torch.inf))
    least = torch.where(1.0 - odds > x, above, odds)
    most = torch.where(1.0 - odds < x, below, odds)
    near = ((lead.abs() < ROUNDING) & (rob.gather(1, other) > 0.5)).squeeze(1)
    place = torch.where(right, other, voted)[near]
    bound[rows[near].unsqueeze(1), place] = torch.where(right, least, most)[near]

"""The transform in stages, each remembered: LN → clamp(c) → power(p) → scale and softmax(s) → margins.

A move of one slider redoes only the stages after the parameter that changed. Two facts make that exact
and fast:

* Every clamp is monotone, or (GELU) falls first and rises later. So among logits sorted once, the two
  largest after clamp and power sit at the ends of the row, whatever p and s are.
* With t the powered logits, t₁ ≥ t₂ the largest, the margin is
  `(1 - exp(-s(t₁ - t₂))) / Σᵢ exp(s(tᵢ - t₁))`: one pass of exponentials, nothing cancels.

Where most classes are too far behind to change that sum, they are left out (`mnuts_core.remix.kernels`) and
nothing is remembered.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

import torch
from torch import Tensor

from mnuts_core.clamps import CLAMP_RECORDS, Clamp, clamp_logits
from mnuts_core.functional.transform import signed_power
from mnuts_core.params import LARGEST_LOGIT, VARIANCE_FLOOR
from mnuts_core.remix.kernels import (
    ENDS,
    FROM_CLASSES,
    LOG2_E,
    clamp_in_order,
    find_contenders,
    log_in_place,
    needs_exact_clamp,
    sum_of_contenders,
)

T = TypeVar("T")

LARGE = ("normed", "clamped", "powered")
"""Stages that hold (R, K) arrays keep their last value only."""
KEPT = 4
"""The others keep a few, so that the plain mix, shown beside any other, costs nothing."""

WORTH = (0.2, 0.4, 0.8)
"""Up to which share of the logits leaving out the rest beats remembering: where s moved, p, c (or more)."""


@dataclass(frozen=True)
class Clamped:
    """After the clamp: what depends on (ln_k, c, clamp).

    Attributes:
        first, second: The two largest clamped logits, shape (R,).
        watched: The clamped logits of the watched classes, shape (R, J).
        log_rest: log|v| of all other classes, shape (R, K - 2).
        signs: Numbers with the sign of v, shape (R, K - 2), or None where no v is negative.
    """

    first: Tensor
    second: Tensor
    watched: Tensor
    log_rest: Tensor
    signs: Tensor | None


@dataclass(frozen=True)
class Powered:
    """After the power, relative to the largest: what depends on p too. All entries are ≤ 0.

    Attributes:
        second: t₂ - t₁, shape (R,).
        watched: t_watched - t₁, shape (R, J).
        rest: tᵢ - t₁ of the other classes, shape (R, K - 2).
    """

    second: Tensor
    watched: Tensor
    rest: Tensor


@dataclass(frozen=True)
class Margins:
    """After scale and softmax: probabilities of M(h) as far as mixing needs them.

    Attributes:
        margin: Confidence margin (Definition 2.1) in [0, 1], shape (R,).
        top: Largest probability, shape (R,).
        deficit: `p₁ - p[j]` of each watched class, in [0, 1], shape (R, J).
    """

    margin: Tensor
    top: Tensor
    deficit: Tensor


class StagedTransform:
    """The transform M(s, p, c) on fixed logits, stage by stage, the last values of each stage kept.

    Args:
        logits: Raw logits h(x), shape (R, K), floating.
        watched: Class ids to follow, int64, shape (R, J): say, the label and the other model's class.
        device: Where to compute.
        dtype: float64 (exact) or float32.
    """

    def __init__(
        self,
        logits: Tensor,
        watched: Tensor,
        *,
        device: torch.device | None = None,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        raw = logits.to(device, torch.float64).clamp(-LARGEST_LOGIT, LARGEST_LOGIT)
        self._raw, order = raw.sort(dim=-1, descending=True, stable=True)
        self._first_class, self._last_class = order[:, 0].clone(), order[:, -1].clone()
        place = torch.empty_like(order)
        ranks = torch.arange(raw.shape[1], device=raw.device).expand_as(place)
        self._watched_place = place.scatter_(1, order, ranks).gather(1, watched.to(raw.device))
        self.dtype, self.device = dtype, self._raw.device
        self._memo: dict[str, OrderedDict[object, object]] = {}
        self._spaces: dict[str, Tensor] = {}
        self._asked: tuple[object, ...] = ()

    @property
    def plain_class(self) -> Tensor:
        """The class that the logits themselves predict, int64, shape (R,)."""
        return self._first_class

    @property
    def plain_tie(self) -> Tensor:
        """Whether the two largest of the logits themselves are equal, bool, shape (R,)."""
        return self._raw[:, 0] == self._raw[:, 1]

    def normed(self, ln_k: int) -> Tensor:
        """LN(h), classes sorted from the largest to the smallest, shape (R, K)."""
        return self._remember("normed", ln_k, lambda: self._compute_normed(ln_k))

    def top_class(self, ln_k: int, c: float, clamp: Clamp) -> Tensor:
        """The class that M(h) predicts, int64, shape (R,): p and s do not matter to it.

        It is the largest logit's, unless GELU's far tail lifts the smallest one above it (D.8.2). Where the
        margin is 0 others are as large: see `mnuts_core.functional.mixing`.
        """

        def compute() -> Tensor:
            first, last = self.normed(ln_k)[:, 0], self.normed(ln_k)[:, -1]
            return torch.where(overtaken(first, last, c, clamp), self._last_class, self._first_class)

        return self._remember("top_class", (ln_k, c, clamp), compute)

    def clamped(self, ln_k: int, c: float, clamp: Clamp, p: float = 1.0) -> Clamped:
        """The clamp stage, as precise as a power needs it."""
        exact = needs_exact_clamp(c, p)
        key = (ln_k, c, clamp, exact)
        return self._remember("clamped", key, lambda: self._compute_clamped(ln_k, c, clamp, exact=exact))

    def powered(self, ln_k: int, c: float, clamp: Clamp, p: float) -> Powered:
        """The power stage."""
        key = (ln_k, c, clamp, p)
        return self._remember(
            "powered", key, lambda: self._compute_powered(self.clamped(ln_k, c, clamp, p), p)
        )

    def margins(self, ln_k: int, c: float, clamp: Clamp, p: float, s: float) -> Margins:
        """The scale stage: margins and the watched classes' deficits."""
        key = (ln_k, c, clamp, p, s)
        return self._remember("margins", key, lambda: self._compute_margins(ln_k, c, clamp, p, s))

    def _remember(self, stage: str, key: object, compute: Callable[[], T]) -> T:
        memo = self._memo.setdefault(stage, OrderedDict())
        if key not in memo:
            if stage in LARGE:
                memo.clear()  # first, so that two never take memory together
            memo[key] = compute()
            while len(memo) > KEPT:
                memo.popitem(last=False)
        memo.move_to_end(key)
        return cast(T, memo[key])

    def _compute_normed(self, ln_k: int) -> Tensor:
        if ln_k == 0:
            return self._raw.to(self.dtype)
        top = self._raw[:, :ln_k]
        scale = (top.var(dim=1, correction=1) + VARIANCE_FLOOR).rsqrt()
        return ((self._raw - top.mean(dim=1, keepdim=True)) * scale.unsqueeze(1)).to(self.dtype)

    def _compute_clamped(self, ln_k: int, c: float, clamp: Clamp, *, exact: bool) -> Clamped:
        z = self.normed(ln_k)
        v = clamp_in_order(z, c, clamp, self._space("clamped", z), exact=exact)
        rest = v[:, 2:]
        return Clamped(
            first=v[:, 0].clone(),
            second=v[:, 1].clone(),
            watched=clamp_logits(z.gather(1, self._watched_place) + c, clamp),
            log_rest=log_in_place(torch.abs(rest, out=self._space("logarithm", rest))),
            signs=None if CLAMP_RECORDS[clamp].nonnegative else rest,
        )

    def _compute_powered(self, stage: Clamped, p: float) -> Powered:
        first = signed_power(stage.first, p)
        rest = torch.mul(stage.log_rest, p * LOG2_E, out=self._space("powered", stage.log_rest)).exp2_()
        if stage.signs is not None:
            rest.copysign_(stage.signs)
        return Powered(
            second=signed_power(stage.second, p) - first,
            watched=signed_power(stage.watched, p) - first.unsqueeze(1),
            rest=rest.sub_(first.unsqueeze(1)),
        )

    def _compute_margins(self, ln_k: int, c: float, clamp: Clamp, p: float, s: float) -> Margins:
        before, self._asked = self._asked, (ln_k, c, clamp, p)
        worth = WORTH[0 if before == self._asked else 1 if before[:3] == self._asked[:3] else 2]
        short = self._without_tails(ln_k, c, clamp, p, s, worth)
        if short is not None:
            return short
        stage = self.powered(ln_k, c, clamp, p)
        return _margins(s, stage.second, stage.watched, self._sum_of_rest(stage, s))

    def _without_tails(
        self, ln_k: int, c: float, clamp: Clamp, p: float, s: float, worth: float
    ) -> Margins | None:
        """The margins from the classes that matter alone; None where more than `worth` of them do."""
        z = self.normed(ln_k)
        if z.shape[1] < FROM_CLASSES:
            return None
        ends = clamp_logits(z[:, list(ENDS)] + c, clamp)
        first, second = signed_power(ends.topk(2, dim=1).values, p).unbind(dim=1)
        few = find_contenders(z, first, c, clamp, p, s)
        if few.share > worth:
            return None
        watched = signed_power(clamp_logits(z.gather(1, self._watched_place) + c, clamp), p)
        rest = sum_of_contenders(z, first, c, clamp, p, s, few.groups)
        return _margins(s, second - first, watched - first.unsqueeze(1), rest)

    def _sum_of_rest(self, stage: Powered, s: float) -> Tensor:
        """`Σ exp(s(tᵢ - t₁))` over all classes but the first two, shape (R,)."""
        return torch.mul(stage.rest, s * LOG2_E, out=self._space("scaled", stage.rest)).exp2_().sum(dim=1)

    def _space(self, stage: str, like: Tensor) -> Tensor:
        """Memory for a stage's (R, K) result, always the same: fresh pages cost more than arithmetic."""
        if stage not in self._spaces:
            self._spaces[stage] = torch.empty(like.shape, dtype=like.dtype, device=like.device)
        return self._spaces[stage]


def overtaken(first: Tensor, last: Tensor, c: float, clamp: Clamp) -> Tensor:
    """Whether the clamp puts the smallest layer-normed logit above the largest, bool.

    Args:
        first: Largest layer-normed logits, any shape.
        last: Smallest ones, the same shape.
        c: Bias.
        clamp: Clamping function; only one that is not monotone does it.
    """
    return clamp_logits(last + c, clamp) > clamp_logits(first + c, clamp)


def _margins(s: float, second: Tensor, watched: Tensor, rest: Tensor) -> Margins:
    """The scale stage from t₂ - t₁, t_watched - t₁, and the sum over all but the two largest."""
    runner_up = s * second
    total = 1.0 + runner_up.exp() + rest
    return Margins(
        margin=-torch.expm1(runner_up) / total,
        top=1.0 / total,
        deficit=-torch.expm1(s * watched) / total.unsqueeze(1),
    )

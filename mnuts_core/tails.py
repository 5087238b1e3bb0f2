"""The softmax's sum without the classes that are too far behind to change it.

With t the powered logits and t₁ the largest, class i adds `exp(s(tᵢ - t₁))` to a sum that is at least 1.
Once that is below 1e-18 / K, all such classes together do not reach float64's rounding of 1e-16. In sorted
rows they are the end of the row, and where it begins is told beforehand: every clamp but softplus keeps
`clamp(x) ≤ max(x, 0)`. With many classes and a high power that leaves a few per cent of the work.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from mnuts_core.inplace import FAR_TAIL, LOG2_E, clamp_in_order, clamp_in_place, log_in_place
from mnuts_core.params import Clamp

FROM_CLASSES = 32
"""With fewer classes there is nothing to gain."""
FAR = 42.0
"""exp(-42) is 6e-19."""
SLACK = 1e-12
"""Relative error that the place where a row's end begins is allowed to have; it only keeps more classes."""
BLOCK = 1 << 17
"""Logits worked on at a time: they fit in a core's cache."""


class Group(NamedTuple):
    """Rows whose first `width` classes suffice; `rows` has shape (G,), int64."""

    rows: Tensor
    width: int


class Contenders(NamedTuple):
    """Rows in groups by how many of their classes matter.

    Attributes:
        groups: Each row is in one of them.
        share: What share of all (R, K) logits has to be computed.
    """

    groups: tuple[Group, ...]
    share: float


def find_contenders(z: Tensor, first: Tensor, c: float, clamp: Clamp, p: float, s: float) -> Contenders:
    """Which classes can matter to a row's sum.

    Args:
        z: Layer-normed logits, shape (R, K), each row sorted from the largest to the smallest.
        first: Largest powered logit t₁ of each row, shape (R,).
        c: Bias.
        clamp: Clamping function.
        p: Power.
        s: Scale.
    """
    classes = z.shape[1]
    if clamp == "softplus" or z.dtype != torch.float64:
        return Contenders((), 1.0)
    least = first - (FAR + math.log(classes)) / s  # a powered logit below it does not matter
    bound = least.clamp_min(0.0).pow(1.0 / p) * (1.0 - SLACK)  # nor a clamped one below this
    last = torch.where(bound > 0, bound - c - SLACK * abs(c), -torch.inf)
    widths = sorted({2, max(2, classes // 32), classes // 8, classes // 3, classes})
    beyond = [
        z[:, width] > last for width in widths[:-1]
    ]  # whether the class after the first `width` matters
    within = [torch.ones_like(beyond[0]), *beyond, torch.zeros_like(beyond[0])]
    groups = tuple(
        Group((wider & ~still).nonzero().squeeze(1), width)
        for (wider, still), width in zip(pairwise(within), widths, strict=True)
    )
    work = sum(len(group.rows) * group.width for group in groups)
    return Contenders(groups, work / max(1, z.numel()))


def sum_of_contenders(
    z: Tensor, first: Tensor, c: float, clamp: Clamp, p: float, s: float, groups: tuple[Group, ...]
) -> Tensor:
    """`Σ exp(s(tᵢ - t₁))` over all classes but the two with the largest t, shape (R,), within rounding.

    Args:
        z: As for `find_contenders`; so are the next five.
        first: Largest powered logits.
        c: Bias.
        clamp: Clamping function.
        p: Power.
        s: Scale.
        groups: What `find_contenders` found.
    """
    total = torch.zeros_like(first)
    for rows, width in _blocks(groups):
        if width == z.shape[1]:
            part = z.index_select(0, rows)
            v = clamp_in_order(part, c, clamp, part.new_empty(part.shape))[:, 2:]
        else:  # the largest is positive here and all that matter lie on the rising side: the order holds
            v = z[:, 2:width].index_select(0, rows).add_(c)
            clamp_in_place(v, clamp, far=c < FAR_TAIL)
        t = log_in_place(v.abs()).mul_(p * LOG2_E).exp2_().copysign_(v)
        t.sub_(first[rows].unsqueeze(1)).mul_(s * LOG2_E)
        total[rows] = t.exp2_().sum(dim=1)
    return total


def _blocks(groups: tuple[Group, ...]) -> Iterator[Group]:
    for rows, width in groups:
        if width > 2 and len(rows):
            for some in torch.split(rows, max(1, BLOCK // width)):
                yield Group(some, width)

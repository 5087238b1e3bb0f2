"""The transform's arithmetic in place, on rows of logits sorted from the largest to the smallest."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from mnuts_core.clamps import CLAMP_RECORDS, Clamp, clamp_in_place, clamp_logits

FAR_TAIL = -2.5
"""Below this c all classes lie so far below zero that each is clamped with full relative precision."""
STEEP = 0.65
"""Below this power the fast clamp's error shows near v = 0: (1e-15)^0.65 is 2e-10."""

LOG2_E = math.log2(math.e)
"""exp(x) = exp2(x · log₂e): torch's exp2 takes half the time of its exp."""

ENDS = (0, 1, -2, -1)
"""The columns of sorted rows among which the two largest clamped logits are."""


def needs_exact_clamp(c: float, p: float) -> bool:
    """Whether a clamped logit's absolute error of 1e-15 can show: where all are tiny, or the power is steep.

    Args:
        c: Bias.
        p: Power; the least that is to come.
    """
    return c < FAR_TAIL or p < STEEP


def clamp_in_order(z: Tensor, c: float, clamp: Clamp, out: Tensor, *, exact: bool) -> Tensor:
    """clamp(z + c), the two largest of each row in its first two places.

    They come from the ends of the row, see `ClampRecord`. All others only enter the sum of exponentials,
    where an absolute error of 1e-15, as the fast way has it, seldom shows.

    Args:
        z: Layer-normed logits, shape (R, K), each row sorted from the largest to the smallest.
        c: Bias.
        clamp: Clamping function.
        out: Memory for the result, shape (R, K).
        exact: Whether it does here, see `needs_exact_clamp`.
    """
    v, ends = torch.add(z, c, out=out), list(ENDS)
    clamp_in_place(v, clamp, exact=exact)
    v[:, ends] = clamp_logits(z[:, ends] + c, clamp)
    _swap(v, 0, -1, v[:, -1] > v[:, 0])
    _swap(v, 1, -1, v[:, -1] > v[:, 1])
    if v.shape[1] > 2:
        _swap(v, 1, -2, v[:, -2] > v[:, 1])
    return v


def log_in_place(v: Tensor) -> Tensor:
    """The natural logarithm; NumPy's is three times as fast as torch's on the CPU."""
    if v.device.type != "cpu":
        return v.log_()
    with np.errstate(divide="ignore"):  # log 0 = -inf, whose power is 0 again
        np.log(v.numpy(), out=v.numpy())
    return v


def _swap(v: Tensor, left: int, right: int, mask: Tensor) -> None:
    """Swap two columns in the masked rows (few or none): where GELU's far tail overtakes."""
    rows = mask.nonzero().squeeze(1)
    if rows.numel():
        kept = v[rows, left].clone()
        v[rows, left] = v[rows, right]
        v[rows, right] = kept


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
    if not CLAMP_RECORDS[clamp].below_relu or z.dtype != torch.float64:
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
    total, exact = torch.zeros_like(first), needs_exact_clamp(c, p)
    for rows, width in _blocks(groups):
        if width == z.shape[1]:
            part = z.index_select(0, rows)
            v = clamp_in_order(part, c, clamp, part.new_empty(part.shape), exact=exact)[:, 2:]
        else:  # the largest is positive here and all that matter lie on the rising side: the order holds
            v = z[:, 2:width].index_select(0, rows).add_(c)
            clamp_in_place(v, clamp, exact=exact)
        t = log_in_place(v.abs()).mul_(p * LOG2_E).exp2_().copysign_(v)
        t.sub_(first[rows].unsqueeze(1)).mul_(s * LOG2_E)
        total[rows] = t.exp2_().sum(dim=1)
    return total


def _blocks(groups: tuple[Group, ...]) -> Iterator[Group]:
    for rows, width in groups:
        if width > 2 and len(rows):
            for some in torch.split(rows, max(1, BLOCK // width)):
                yield Group(some, width)

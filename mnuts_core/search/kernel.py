"""Algorithm 1's inner loop: margins of M(h) in every cell of a grid, a block of examples at a time.

The margin needs `Σ exp(s(tᵢ - t₁))` over all classes, t = |v|^p · sgn v. The leading classes are taken as
they are. Over the many others, one smooth function of v is summed for each s and p: a Chebyshev series
stands for it, whose terms are summed over the classes once for all cells of a c (the moments). So a cell
costs a product with a few moments instead of an exponential for each class.

A series is fitted for each block, range of classes and cell, and its error is measured at twice as many
nodes as it has terms. Where it exceeds `TOLERANCE`, exponentials are summed after all; where a range is
too far behind to matter, nothing is.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnuts_core.clamps import Clamp, clamp_logits
from mnuts_core.devices import one_thread
from mnuts_core.functional.transform import signed_power
from mnuts_core.remix.kernels import LOG2_E, clamp_in_order, log_in_place, needs_exact_clamp
from mnuts_core.search.grids import GridSpec

Array = NDArray[np.float64]

ROWS_PER_THREAD = 512
"""Fewer rows than this are not worth a thread of their own."""
BLOCK = 1 << 19
"""Logits in a block."""
CELLS = 64
"""So many cells of one c are worked on together."""
ANSWERS = 1 << 21
"""So many margins at most are in work."""
HEAD = 8
"""So many leading classes are always taken as they are: they differ most between examples."""
WIDEN = 2.6
"""A range of classes ends at this many times the place where it begins."""
FROM_CLASSES = 48
"""With fewer classes exponentials cost less than series."""
TERMS = 24
"""Terms of a series."""
ROOT = 3.0
"""Next to v = 0, where |v|^p has no derivatives, the series is one in |v|^(1/3)."""
NEAR_ZERO = 0.1
"""Next to v = 0 means that the smallest |v| is less than this share of the largest."""
TOLERANCE = 1e-10
"""Relative error of the sum that series may cause."""
LARGEST_EXPONENT = 300.0
"""No series is tried for exponents above it."""
RESOLUTION = 2.0**-53
"""Margins below this are 0: probabilities near each other in float64 do not differ by less, and no α < 1
could make use of them."""


def sort_classes(logits: Tensor) -> Tensor:
    """Each row from the largest logit to the smallest; on the CPU NumPy sorts ten times as fast as torch."""
    if logits.device.type != "cpu":
        return logits.sort(dim=1, descending=True).values
    return torch.from_numpy(np.sort(logits.neg().numpy(), axis=1)).neg_()


def distinct_rows(normed: Tensor) -> tuple[Tensor, NDArray[np.int64]]:
    """Rows with sorted classes, those that come out equal kept once.

    So examples whose logits are the same but for their order have the same margin to the last bit.

    Args:
        normed: Layer-normed logits, shape (R, K).

    Returns:
        The rows, shape (U, K), U ≤ R, so ordered that neighbours are alike, and which of them each given
        row is, shape (R,).
    """
    z = sort_classes(normed)
    weights = 1.0 / torch.arange(1, z.shape[1] + 1, dtype=z.dtype, device=z.device)
    marks = (z * weights).sum(dim=1).cpu().numpy()
    _, chosen, which = np.unique(marks, return_index=True, return_inverse=True)
    if len(chosen) < len(z) and not torch.equal(z[chosen][which], z):  # equal marks of unequal rows
        chosen = marks.argsort(kind="stable")
        which = chosen.argsort()
    return z[chosen], which


def fill_in_threads(
    z: Tensor,
    grid: GridSpec,
    clamp: Clamp,
    table: Array,
    progress: Callable[[float], None] | None = None,
    rivals: Tensor | None = None,
) -> None:
    """`fill_margins`, the rows shared out among threads, which never wait for each other.

    Args:
        z: See `fill_margins`.
        grid: The cells.
        clamp: Clamping function.
        table: Takes the margins, shape (s, p, c, R).
        progress: Called with the share done, in (0, 1]; what it raises ends the work.
        rivals: See `fill_margins`.
    """
    threads = max(1, min(torch.get_num_threads(), len(z) // ROWS_PER_THREAD)) if z.device.type == "cpu" else 1
    stop = threading.Event()
    ends = np.linspace(0, len(z), threads + 1).astype(int).tolist()

    def work(number: int) -> None:
        here = slice(ends[number], ends[number + 1])
        against = None if rivals is None else rivals[here]
        try:
            with one_thread():
                for share in fill_margins(z[here], grid, clamp, torch.from_numpy(table[..., here]), against):
                    if stop.is_set():
                        return
                    if number == 0 and progress is not None:  # one speaks for all: their shares are equal
                        progress(share)
        except BaseException:
            stop.set()
            raise

    with ThreadPoolExecutor(threads) as pool:
        jobs = [pool.submit(work, number) for number in range(threads)]
    for job in jobs:
        job.result()


def fill_margins(
    z: Tensor, grid: GridSpec, clamp: Clamp, table: Tensor, rivals: Tensor | None = None
) -> Iterator[float]:
    """Compute the margins of all rows in every cell.

    Args:
        z: Layer-normed logits, float64, shape (R, K), as `distinct_rows` returns them.
        grid: The cells.
        clamp: Clamping function.
        table: Takes the margins, shape (s, p, c, R); its device may be another.
        rivals: Of each row the layer-normed logit of some class, shape (R,): then not the margin is computed,
            but how far that class's probability is below the largest.

    Yields:
        The share done, in (0, 1].
    """
    scales, powers = (torch.tensor(axis, device=z.device) for axis in (grid.s, grid.p))
    at_once = max(1, CELLS // len(scales))
    rows = max(1, min(BLOCK // z.shape[1], ANSWERS // (len(scales) * min(at_once, len(powers)))))
    blocks = [slice(start, start + rows) for start in range(0, len(z), rows)]
    steps, done = len(blocks) * len(grid.c) * len(grid.p), 0
    for some in blocks:
        by_class = z[some].T.contiguous()
        for k, c in enumerate(grid.c.tolist()):
            exact = needs_exact_clamp(c, float(min(grid.p)))
            block = _Block(by_class, c, clamp, None if rivals is None else rivals[some], exact=exact)
            for start in range(0, len(powers), at_once):
                margins = block.margins(scales, powers[start : start + at_once])
                for j, of_power in enumerate(margins.unbind(dim=1), start):
                    table[:, j, k, some] = of_power
                    done += 1
                    yield done / steps


class _Part(NamedTuple):
    """The classes of a range with v > 0 (sign 1) or v ≤ 0 (sign -1), as a series sees them.

    Its variable, |v| or its root, runs from low to high; moments has shape (TERMS, B).
    """

    number: int
    sign: float
    root: bool
    low: float
    high: float
    moments: Tensor


class _Block:
    """Some rows after the clamp; in all arrays classes come first, then the B rows."""

    def __init__(self, z: Tensor, c: float, clamp: Clamp, rivals: Tensor | None, *, exact: bool) -> None:
        self.rivals = None if rivals is None else clamp_logits(rivals + c, clamp)
        self.v = clamp_in_order(z.T, c, clamp, torch.empty_like(z).T, exact=exact).T
        self.log2 = log_in_place(self.v.abs()).mul_(LOG2_E)
        self.ranges = _ranges(len(z))
        self.parts = [part for number in range(1, len(self.ranges)) for part in self._parts(number)]

    def margins(self, scales: Tensor, powers: Tensor) -> Tensor:
        """Margins at all scales and powers, shape (S, P, B)."""
        first, second = (torch.stack([signed_power(v, p) for p in powers.tolist()]) for v in self.v[:2])
        total, exact = self._sum_of_series(first, scales, powers)
        for number, j in exact.any(dim=1).nonzero().tolist():
            t = torch.mul(self.log2[self.ranges[number]], float(powers[j])).exp2_()
            t.copysign_(self.v[self.ranges[number]]).sub_(first[j]).mul_(LOG2_E)
            which, at_once = exact[number, :, j].nonzero().squeeze(1), max(1, BLOCK // max(1, t.numel()))
            for some in torch.split(which, at_once):
                total[some, j] += (scales[some].view(-1, 1, 1) * t).exp2_().sum(dim=1)
        less = torch.expm1(scales.view(-1, 1, 1) * (second - first))
        total.add_(less).add_(2.0)  # 1 for the first class, 1 + less for the second
        if self.rivals is not None:
            rivals = torch.stack([signed_power(self.rivals, p) for p in powers.tolist()])
            less = torch.expm1(scales.view(-1, 1, 1) * (rivals - first))
        margins = less.neg() / total
        return margins.masked_fill_(margins < RESOLUTION, 0.0)

    def _sum_of_series(self, first: Tensor, scales: Tensor, powers: Tensor) -> tuple[Tensor, Tensor]:
        """What series give of the sum, (S, P, B), and where exponentials are needed, bool, (ranges, S, P)."""
        shape = (len(scales), len(powers))
        exact = torch.zeros((len(self.ranges), *shape), dtype=torch.bool)
        exact[0] = True
        if not self.parts:
            return first.new_zeros((*shape, first.shape[1])), exact
        series, error, least, most = _fit(self.parts, scales, powers)
        behind = scales.view(-1, 1) * first.amin(dim=1)  # (S, P): how far the first class is above t = 0
        far_below = behind < -LARGEST_EXPONENT  # exp(s·t) is 0 for all classes of some row
        for part, coefficients, wrong, low, high in zip(self.parts, series, error, least, most, strict=True):
            classes = self.v[self.ranges[part.number]].shape[0] * len(self.parts)
            enough = TOLERANCE * torch.maximum(behind.exp() / classes, low / len(self.parts))
            needless = high - behind < math.log(TOLERANCE / classes)
            good = (wrong <= enough) & (high <= LARGEST_EXPONENT) & ~far_below
            exact[part.number] |= (~(good | needless)).cpu()
            coefficients[~good | needless] = 0.0
        for part, coefficients in zip(self.parts, series, strict=True):
            coefficients[exact[part.number].to(first.device)] = 0.0
        moments = torch.cat([part.moments for part in self.parts])
        total = (series.permute(1, 2, 0, 3).flatten(0, 1).flatten(1) @ moments).view(*shape, -1)
        exponents = (scales.view(-1, 1, 1) * first).clamp_min_(-LARGEST_EXPONENT)  # no series below
        return total.mul_(exponents.mul_(-LOG2_E).exp2_()), exact

    def _parts(self, number: int) -> Iterator[_Part]:
        v, log2 = self.v[self.ranges[number]], self.log2[self.ranges[number]]
        lowest, highest = float(v.min()), float(v.max())
        mixed = lowest <= 0.0 < highest
        if highest > 0.0:
            yield _part(number, 1.0, 0.0 if mixed else lowest, highest, v, log2, v > 0 if mixed else None)
        if lowest <= 0.0:
            yield _part(number, -1.0, 0.0 if mixed else -highest, -lowest, v, log2, v <= 0 if mixed else None)


def _ranges(classes: int) -> list[slice]:
    """Ranges of classes after the first two; all but the first may be left to series."""
    if classes < FROM_CLASSES:
        return [slice(2, classes)]
    ends = [2, HEAD]
    while ends[-1] * WIDEN < classes:
        ends.append(int(ends[-1] * WIDEN))
    return [slice(start, end) for start, end in pairwise([*ends, classes])]


def _part(
    number: int, sign: float, low: float, high: float, v: Tensor, log2: Tensor, mask: Tensor | None
) -> _Part:
    root = low < NEAR_ZERO * high
    if root:
        low, high = low ** (1.0 / ROOT), high ** (1.0 / ROOT)
    variable = (log2 / ROOT).exp2_() if root else v.abs()
    scale = 4.0 / (high - low) if high > low else 0.0
    twice = variable.sub_((low + high) / 2).mul_(scale)  # 2y, y in [-1, 1]
    return _Part(number, sign, root, low, high, _moments(twice, mask))


def _moments(twice: Tensor, mask: Tensor | None) -> Tensor:
    """Chebyshev polynomials T₀ to T_n of y, each summed over the classes (of the mask), from 2y."""
    before = torch.ones_like(twice) if mask is None else mask.to(twice.dtype)
    now = (before * twice).mul_(0.5)
    moments = [before.sum(dim=0), now.sum(dim=0)]
    for n in range(2, TERMS):
        # T(n) = 2y T(n-1) - T(n-2), in place, with the signs + + - - so that nothing is negated
        before.addcmul_(twice, now, value=-1.0 if n % 2 == 0 else 1.0)
        before, now = now, before
        moments.append(now.sum(dim=0) if n % 4 < 2 else now.sum(dim=0).neg_())
    return torch.stack(moments)


def _fit(parts: list[_Part], scales: Tensor, powers: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Series for exp(s·t) on each part.

    Returns:
        Coefficients, shape (parts, S, P, TERMS); the error, the smallest value of exp(s·t), and the largest
        s·t, each of shape (parts, S, P).
    """
    y, values, fit = (array.to(scales) for array in _nodes(TERMS))
    facts = [(part.sign, float(part.root), part.low, part.high) for part in parts]
    sign, root, low, high = torch.tensor(facts, dtype=y.dtype).to(y).unsqueeze(2).unbind(dim=1)
    variable = (low + (high - low) * (1.0 + y) / 2).clamp_min_(0.0)
    v = torch.where(root > 0, variable**ROOT, variable)
    t = sign.unsqueeze(2) * v.unsqueeze(2) ** powers  # (parts, nodes, P)
    exponents = scales.view(-1, 1, 1) * t.transpose(1, 2).unsqueeze(1)  # (parts, S, P, nodes)
    most = exponents.amax(dim=3)
    wanted = exponents.clamp_max_(LARGEST_EXPONENT).exp_()
    series = wanted @ fit
    error = (series @ values - wanted).abs_().amax(dim=3)
    return series, 2.0 * error, wanted.amin(dim=3), most


@cache
def _nodes(terms: int) -> tuple[Tensor, Tensor, Tensor]:
    """Twice as many Chebyshev nodes as terms, the terms there (terms, nodes), and the fit (nodes, terms)."""
    angles = (torch.arange(2 * terms, dtype=torch.float64) + 0.5) * (math.pi / (2 * terms))
    values = torch.cos(torch.arange(terms, dtype=torch.float64).unsqueeze(1) * angles)
    fit = values.T / terms
    fit[:, 0] /= 2.0
    return angles.cos(), values, fit

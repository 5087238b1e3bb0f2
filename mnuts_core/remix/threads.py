"""Large bundles: the staged transform on shares of the rows, each share in a thread of its own.

Rows have nothing to do with each other, so the threads meet once an answer, not once an operation as
torch's own do: a busy machine costs little more than one thread would.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar, cast

import torch
from torch import Tensor

from mnuts_core.clamps import Clamp
from mnuts_core.devices import one_thread
from mnuts_core.remix.stages import KEPT, Margins, StagedTransform

SHARE = 250_000
"""A thread's share holds so many logits at least."""
MAX_THREADS = 4

T = TypeVar("T")


class SharedStages:
    """What `StagedTransform` answers, within rounding, computed in several threads.

    Args:
        logits: Raw logits h(x), shape (R, K), floating, on the CPU.
        watched: Class ids to follow, int64, shape (R, J).
        dtype: float64 (exact) or float32.
        threads: How many shares, at least 1.
    """

    def __init__(
        self, logits: Tensor, watched: Tensor, *, dtype: torch.dtype = torch.float64, threads: int
    ) -> None:
        self.device, self.dtype = logits.device, dtype
        shares = zip(torch.tensor_split(logits, threads), torch.tensor_split(watched, threads), strict=True)
        self._parts = [StagedTransform(rows, classes, dtype=dtype) for rows, classes in shares]
        self._answers: OrderedDict[object, object] = OrderedDict()

    @property
    def plain_class(self) -> Tensor:
        """See `StagedTransform.plain_class`."""
        return torch.cat([part.plain_class for part in self._parts])

    @property
    def plain_tie(self) -> Tensor:
        """See `StagedTransform.plain_tie`."""
        return torch.cat([part.plain_tie for part in self._parts])

    def normed(self, ln_k: int) -> Tensor:
        """See `StagedTransform.normed`."""
        return torch.cat(self._each(lambda part: part.normed(ln_k)))

    def top_class(self, ln_k: int, c: float, clamp: Clamp) -> Tensor:
        """See `StagedTransform.top_class`."""
        ask = lambda part: part.top_class(ln_k, c, clamp)
        return self._once((ln_k, c, clamp), lambda: torch.cat(self._each(ask)))

    def margins(self, ln_k: int, c: float, clamp: Clamp, p: float, s: float) -> Margins:
        """See `StagedTransform.margins`."""
        ask = lambda part: part.margins(ln_k, c, clamp, p, s)
        return self._once((ln_k, c, clamp, p, s), lambda: _joined(self._each(ask)))

    def _once(self, key: object, compute: Callable[[], T]) -> T:
        """The last answers are kept: waking a thread for the same answer takes longer than moving β may."""
        if key not in self._answers:
            self._answers[key] = compute()
            while len(self._answers) > 2 * KEPT:
                self._answers.popitem(last=False)
        self._answers.move_to_end(key)
        return cast(T, self._answers[key])

    def _each(self, ask: Callable[[StagedTransform], T]) -> list[T]:
        def work(part: StagedTransform) -> T:
            with one_thread():
                return ask(part)

        others = [_pool().submit(work, part) for part in self._parts[1:]]
        return [work(self._parts[0]), *(job.result() for job in others)]


def _joined(shares: list[Margins]) -> Margins:
    return Margins(
        margin=torch.cat([share.margin for share in shares]),
        top=torch.cat([share.top for share in shares]),
        deficit=torch.cat([share.deficit for share in shares]),
    )


def make_stages(
    logits: Tensor, watched: Tensor, *, device: torch.device, dtype: torch.dtype
) -> StagedTransform | SharedStages:
    """The staged transform, in as many threads as the logits are worth and the CPU has cores.

    Args:
        logits: Raw logits h(x), shape (R, K), floating.
        watched: Class ids to follow, int64, shape (R, J).
        device: Where to compute; a GPU needs no threads.
        dtype: float64 (exact) or float32.
    """
    threads = min(MAX_THREADS, _cores(), logits.numel() // SHARE)
    if device.type != "cpu" or threads < 2:
        return StagedTransform(logits, watched, device=device, dtype=dtype)
    return SharedStages(logits, watched, dtype=dtype, threads=threads)


def _cores() -> int:
    """Cores that this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)  # Linux only
    return len(allowed(0)) if allowed else os.cpu_count() or 1


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="mnuts-rows")

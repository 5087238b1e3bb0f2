"""How many passes models make: images that went forward through them, and gradients that came back.

Passes are what an attack costs whatever machine it runs on, so they are what two attacks are compared by.
They are counted where every model is asked (`models.predict.ask`), by its name: an attack need not know.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import torch
from torch import Tensor


class Passes(NamedTuple):
    """Passes, in images: ten images in one batch are ten.

    Attributes:
        forward: Images that were answered.
        backward: Images whose gradient was computed.
    """

    forward: float = 0
    backward: float = 0

    def plus(self, other: Passes) -> Passes:
        """Both together."""
        return Passes(self.forward + other.forward, self.backward + other.backward)

    def over(self, n: float) -> Passes:
        """The share of one of n."""
        return Passes(self.forward / n, self.backward / n)

    def rounded(self) -> dict[str, float]:
        """As files keep them: by name, to a hundredth."""
        return {name: round(count, 2) for name, count in self._asdict().items()}


class Counter:
    """The passes of each model while it counts."""

    def __init__(self) -> None:
        self._of: dict[str, Passes] = {}

    def add(self, name: str, passes: Passes) -> None:
        """Count passes of one model."""
        self._of[name] = self._of.get(name, Passes()).plus(passes)

    def mean(self, names: Iterable[str]) -> Passes:
        """The mean over some models: one pass through a mix is one through each of its two.

        Args:
            names: The models' names; one that was never asked made none.
        """
        of = [self._of.get(name, Passes()) for name in names]
        return Passes(*(sum(column) for column in zip(*of, strict=True))).over(len(of))


_COUNTERS: ContextVar[tuple[Counter, ...]] = ContextVar("counters", default=())


@contextmanager
def counted() -> Iterator[Counter]:
    """Count the passes of all models that are asked in the block; blocks may stand in one another."""
    counter = Counter()
    token = _COUNTERS.set((*_COUNTERS.get(), counter))
    try:
        yield counter
    finally:
        _COUNTERS.reset(token)


def count_pass(name: str, points: Tensor) -> None:
    """Count a forward pass, and the backward pass once it comes.

    Args:
        name: The model's name.
        points: What the model is given, shape (N, C, H, W): no leaf, if its gradient is wanted.
    """
    if torch.compiler.is_compiling():  # a graph counts nothing, and torch 2.11 cannot look up context
        return
    counters, n = _COUNTERS.get(), len(points)
    for counter in counters:
        counter.add(name, Passes(forward=n))
    if counters and points.requires_grad:

        def came_back(_: Tensor) -> None:
            for counter in counters:
                counter.add(name, Passes(backward=n))

        points.register_hook(came_back)  # type: ignore[no-untyped-call]

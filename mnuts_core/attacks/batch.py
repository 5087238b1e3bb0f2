"""What a component of an adaptive attack is given: one batch, the mix, and the plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from mnuts_core.attacks.plan import Plan
from mnuts_core.export.classifier import MixedClassifier

Tick = Callable[[], None]
"""Called at each forward pass of an attack; to cancel, raise an exception in it."""


class Batch(NamedTuple):
    """Images that the mix gets right, and all that an attack on them needs.

    Attributes:
        mix: The mixed classifier, in evaluation mode, its parameters frozen.
        images: Clean images in [0, 1], float32, contiguous, shape (N, C, H, W).
        labels: True classes, int64, shape (N,).
        indices: The examples' numbers, which seed their random starts, on the CPU, shape (N,).
        plan: Attack and strength.
        classes: K, the model's number of classes.
        tick: Called at each forward pass.
    """

    mix: MixedClassifier
    images: Tensor
    labels: Tensor
    indices: Tensor
    plan: Plan
    classes: int
    tick: Tick = lambda: None

    @property
    def n_targets(self) -> int:
        """Other classes that targeted attacks drive at."""
        return self.plan.n_targets(self.classes)

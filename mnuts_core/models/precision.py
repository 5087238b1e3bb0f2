"""Whether gradients in bfloat16 pay on this machine: measured for a second, on the very models."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from mnuts_core.devices import clock
from mnuts_core.models.inputs import PRECISIONS, Model, Precision, in_precision
from mnuts_core.models.predict import ask

PAYS = 1.25
"""By so much must bfloat16 be faster: what it finds is looked at again in float32."""
IMAGES = 32
"""A batch of the measurement at most."""
SECONDS = 1.0
"""How long it goes on; each precision has at least two turns."""


class Measured(NamedTuple):
    """What was measured.

    Attributes:
        precision: What to take.
        speedup: How many times as fast as in float32 gradients are in bfloat16; 0 where they fail.
    """

    precision: Precision
    speedup: float

    def __str__(self) -> str:
        """In words.

        Example:
            >>> str(Measured("bfloat16", 2.034))
            'gradients in bfloat16: 2.03 times as fast as in float32, as measured'
            >>> str(Measured("full", 0.0))
            'gradients in float32: a model fails in bfloat16'
        """
        words = "float32" if self.precision == "full" else self.precision
        if not self.speedup:
            return f"gradients in {words}: a model fails in bfloat16"
        than = "" if self.precision != "full" else "in bfloat16 they are "
        return f"gradients in {words}: {than}{self.speedup:.2f} times as fast as in float32, as measured"


def measure_precision(models: Sequence[tuple[str, Model]], images: Tensor) -> Measured:
    """Time gradients of some models in both precisions, in turn, so that a busy machine slows down both.

    Args:
        models: By what messages call them, in evaluation mode, on the images' device.
        images: Images in [0, 1], float32; a few are enough.
    """
    batch, best = images[:IMAGES], dict.fromkeys(PRECISIONS, float("inf"))
    with torch.enable_grad():
        try:
            for precision in PRECISIONS:
                _gradients(models, batch, precision)  # the first pass of its kind is slow
        except Exception:  # a layer that has no bfloat16: float32 it is, and any other fault shows there, too
            return Measured("full", 0.0)
        until, rounds = time.perf_counter() + SECONDS, 0
        while rounds < 2 or time.perf_counter() < until:
            for precision in PRECISIONS:
                best[precision] = min(best[precision], _gradients(models, batch, precision))
            rounds += 1
    speedup = best["full"] / best["bfloat16"]
    return Measured("bfloat16" if speedup >= PAYS else "full", speedup)


def _gradients(models: Sequence[tuple[str, Model]], images: Tensor, precision: Precision) -> float:
    """The seconds that gradients of all models take."""
    start = clock(images.device)
    for name, model in models:
        leaf = images.detach().clone().requires_grad_()
        logits = in_precision(lambda points: ask(name, model, points), precision, images.device)(leaf)  # noqa: B023
        torch.autograd.grad(logits.sum(), leaf)
    return clock(images.device) - start

"""Whether gradients in bfloat16 pay on this machine: measured for a second, on the very models.

No list of processors knows: on AVX-512 units that multiply bfloat16 one machine was 2.5 times as fast as in
float32, and another 1.35 times slower.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mnuts_core.devices import WITHOUT_FLOAT64, clock
from mnuts_core.functional.mixing import sound
from mnuts_core.functional.statistics import share
from mnuts_core.models.inputs import PRECISIONS, Model, Precision, frozen, in_precision, laid_out, prepared
from mnuts_core.models.predict import ask, predicted

PAYS = 1.25
"""By so much must bfloat16 be faster: what it finds is looked at again in float32."""
OFTEN = 0.05
"""Rounding to bfloat16 changes a class more rarely than this where nothing is wrong."""
SECONDS = 1.0
"""How long the measurement goes on, in turns: each precision has two at least and `TURNS` at most."""
TURNS = 12
ON_CPU, ON_GPU = 32, 512
"""Images of the measurement: what a large batch takes follows from a small one on a CPU, but not on a GPU."""
COMPARED = 4
"""So many images are answered in both precisions at least, however slow the models are."""


class Reduced(NamedTuple):
    """How a model's answers in bfloat16 differ from those in float32.

    Attributes:
        lost: Images with a number that is not finite, in bfloat16 alone.
        other: Images of another class.
        n: Images.
    """

    lost: int
    other: int
    n: int

    @classmethod
    def of(cls, plain: Tensor, reduced: Tensor) -> Reduced:
        """Compare logits of the same images, both of shape (N, K).

        Args:
            plain: In float32.
            reduced: In bfloat16, as `in_precision` gives them.
        """
        lost = int((sound(plain) & ~sound(reduced)).sum())
        other = int((sound(reduced) & (predicted(reduced) != predicted(plain))).sum())
        return cls(lost, other, len(plain))

    @property
    def same_function(self) -> bool:
        """Whether the differences are no more than rounding makes."""
        return not self.lost and share(self.other, self.n).low <= OFTEN


class Measured(NamedTuple):
    """What was measured.

    Attributes:
        precision: What to take.
        speedup: How many times as fast as in float32 gradients are in bfloat16; 0 where there is a fault.
        fault: Why bfloat16 is out of the question; empty if it is not.
    """

    precision: Precision
    speedup: float = 0.0
    fault: str = ""

    def __str__(self) -> str:
        """In words.

        Example:
            >>> str(Measured("bfloat16", 2.034))
            'gradients in bfloat16: 2.03 times as fast as in float32, as measured'
            >>> str(Measured("full", 0.9))
            'gradients in float32: in bfloat16 they are 0.90 times as fast, as measured'
            >>> str(Measured("full", fault="rob_model fails in bfloat16"))
            'gradients in float32: rob_model fails in bfloat16'
        """
        if self.precision == "bfloat16":
            return f"gradients in bfloat16: {self.speedup:.2f} times as fast as in float32, as measured"
        why = self.fault or f"in bfloat16 they are {self.speedup:.2f} times as fast, as measured"
        return f"gradients in float32: {why}"


def measure_precision(
    models: Sequence[tuple[str, Model]],
    images: Tensor,
    device: str | torch.device = "cpu",
    *,
    channels_last: bool = False,
) -> Measured:
    """Time gradients of some models in both precisions, in turn, so that a busy machine slows down both.

    Args:
        models: By what messages call them; moved to the device, and else left as they are.
        images: A batch as they will be asked for, in [0, 1]; on a CPU a few of it are taken.
        device: Where to compute.
        channels_last: See `prepared`.

    Returns:
        bfloat16 where it is `PAYS` times as fast at least and gives the answers of float32, else float32.

    """
    where = torch.device(device)
    if where.type in WITHOUT_FLOAT64:
        return Measured("full", fault=f"bfloat16 is not offered on {where.type}")
    with ExitStack() as stack:
        for _, model in models:
            stack.enter_context(prepared(model, where, channels_last=channels_last))
            if isinstance(model, nn.Module):
                stack.enter_context(frozen(model))
        batch = laid_out(images[:ON_GPU].float().to(where), channels_last)
        if (failing := _failing(models, batch[:1])) is not None:
            return Measured("full", fault=f"{failing} fails in bfloat16")
        n = _affordable(models, batch)
        for name, model in models:
            some = batch[: max(n, COMPARED)]
            plain, reduced = (_answers(name, model, some, precision) for precision in PRECISIONS)
            if not Reduced.of(plain, reduced).same_function:
                return Measured("full", fault=f"{name} gives other answers in bfloat16")
        return _raced(models, batch[:n])


def _failing(models: Sequence[tuple[str, Model]], images: Tensor) -> str | None:
    """The model that gives no gradients in bfloat16, as where a layer has none."""
    for name, model in models:
        try:
            _gradients([(name, model)], images, "bfloat16")
        except Exception:  # whatever it is: float32 it will be, and what fails there, too, is told there
            return name
    return None


def _affordable(models: Sequence[tuple[str, Model]], batch: Tensor) -> int:
    """How many of the images are taken: twice as many until a pass takes an eighth of `SECONDS`."""
    if batch.device.type != "cpu":
        return len(batch)
    _gradients(models, batch[:1], "full")  # the first pass of its kind is slow
    n, most = 1, min(ON_CPU, len(batch))
    while n < most and _gradients(models, batch[:n], "full") < SECONDS / 8:
        n = min(2 * n, most)
    return n


def _answers(name: str, model: Model, images: Tensor, precision: Precision) -> Tensor:
    with torch.no_grad():
        return in_precision(lambda points: ask(name, model, points), precision, images.device)(images)


def _raced(models: Sequence[tuple[str, Model]], images: Tensor) -> Measured:
    """The measurement itself: the best turn of each precision counts."""
    best = dict.fromkeys(PRECISIONS, float("inf"))
    until, turns = time.perf_counter() + SECONDS, 0
    while turns < 2 or (turns < TURNS and time.perf_counter() < until):
        for precision in PRECISIONS:
            best[precision] = min(best[precision], _gradients(models, images, precision))
        turns += 1
    speedup = best["full"] / best["bfloat16"]
    return Measured("bfloat16" if speedup >= PAYS else "full", speedup)


def _gradients(models: Sequence[tuple[str, Model]], images: Tensor, precision: Precision) -> float:
    """The seconds that gradients of all models take."""
    start = clock(images.device)
    with torch.enable_grad():
        for name, model in models:
            leaf = images.detach().clone().requires_grad_()
            logits = in_precision(lambda points: ask(name, model, points), precision, images.device)(leaf)  # noqa: B023
            torch.autograd.grad(logits.sum(), leaf)
    return clock(images.device) - start

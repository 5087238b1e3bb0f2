"""What a build will take: memory, time and disk, from a few passes on this device."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import NamedTuple

import psutil
import torch
from torch import Tensor, nn

from mnuts_core.devices import clock
from mnuts_core.models.predict import ask
from mnuts_core.pipeline.doctor.case import Case, Side
from mnuts_core.pipeline.doctor.findings import Finding, error, ok, warning
from mnuts_core.text import counted

SECONDS = 4.0
"""How long one model's passes may take in all."""
N_IMAGES = 32
LONG = 24 * 3600
"""A build that takes longer is worth another thought."""
COPIES = 16
"""Tensors of the size of the images that APGD holds beside the model's own."""
GIB = 2.0**30


class Pace(NamedTuple):
    """What one image costs a model.

    Attributes:
        forward: Seconds of a pass without gradients.
        gradient: Seconds of a pass there and back; 0 where none is asked for.
        kept: Bytes that are kept for the way back.
        images: In the batch that was measured.
    """

    forward: float
    gradient: float
    kept: float
    images: int


def resources(case: Case) -> Iterator[Finding]:
    """Memory and time that the build will take, and the disk that it needs."""
    yield from disk(case)
    if case.both is None:
        return
    climbs = case.plan.attack.climbed(len(case.class_names)) is not None
    std, rob = (measure(side, gradients=climbs and side.is_robust) for side in case.both)
    yield from _memory(case, rob)
    yield from _time(case, std, rob)


def measure(side: Side, *, gradients: bool) -> Pace:
    """Time passes of one model; as many images at once as `SECONDS` allow.

    Args:
        side: The model.
        gradients: Whether to go back, too.
    """
    first = min(_forward(side, side.images[:1]) for _ in range(3))
    n = max(1, min(N_IMAGES, len(side.images), int(SECONDS / 8 / max(first, 1e-6))))
    images, forward = side.images[:n], min(_forward(side, side.images[:n]) for _ in range(2))
    if not gradients:
        return Pace(forward / n, 0.0, 0.0, n)
    try:
        gradient, kept = min(_there_and_back(side, images) for _ in range(2))
    except RuntimeError:  # no way back: said elsewhere
        return Pace(forward / n, 0.0, 0.0, n)
    return Pace(forward / n, gradient / n, kept / n, n)


def _forward(side: Side, images: Tensor) -> float:
    start = clock(images.device)
    side.ask(images)
    return clock(images.device) - start


def _there_and_back(side: Side, images: Tensor) -> tuple[float, float]:
    """Seconds, and bytes that are kept meanwhile besides the weights."""
    weights = {p.untyped_storage().data_ptr() for p in _parameters(side)}
    kept: dict[int, int] = {}

    def pack(value: Tensor) -> Tensor:
        storage = value.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return value

    start = clock(images.device)
    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(pack, lambda value: value):
        leaf = images.detach().clone().requires_grad_()
        logits = ask(side.name, side.model, leaf)
        size = sum(kept.values())
        torch.autograd.grad(logits.sum(), leaf)
    return clock(images.device) - start, float(size)


def _parameters(side: Side) -> list[nn.Parameter]:
    return list(side.model.parameters()) if isinstance(side.model, nn.Module) else []


def _memory(case: Case, rob: Pace) -> Iterator[Finding]:
    """Whether a batch's gradients fit."""
    batch = case.plan.batch_size
    one = case.images[0].numel() * case.images.element_size()
    needed = batch * (rob.kept + COPIES * one)
    where, free = _free(case.device)
    seen = f"a batch of {batch} takes about {needed / GIB:.2g} GiB, {free / GIB:.3g} GiB are free {where}"
    if needed > free:
        fits = int(batch * free / needed * 0.8)
        yield error("memory", seen, "the build will run out of memory", f"give --batch-size {max(1, fits)}")
    elif needed > 0.7 * free:
        yield warning(
            "memory", seen, "it may not fit beside other programs", f"give --batch-size {batch // 2}"
        )
    else:
        yield ok("memory", seen)


def _free(device: torch.device) -> tuple[str, float]:
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return f"on {torch.cuda.get_device_name(device)}", float(free + cached)
    return "on this machine", float(psutil.virtual_memory().available)


def _time(case: Case, std: Pace, rob: Pace) -> Iterator[Finding]:
    """How long the build takes at most: images that fall are attacked no further."""
    plan, k = case.plan, len(case.class_names)
    passes = plan.attack.passes(k)
    there = max(passes.forward - passes.backward, 0) * rob.forward
    back = passes.backward * (rob.gradient or 3 * rob.forward)
    clean, attacked = plan.n_clean * (std.forward + rob.forward), plan.n_adv * (there + back + std.forward)
    kind = (
        f"{passes.backward:,.0f} gradients of {1000 * rob.gradient:.3g} ms"
        if passes.backward
        else (f"{passes.forward:,.0f} passes of {1000 * rob.forward:.3g} ms")
    )
    seen = (
        f"models on {counted(plan.n_clean, 'clean image')}: about {_words(clean)}; attack on {plan.n_adv:,}: "
        f"at most {_words(attacked)} ({kind} an image, measured on {rob.images} at a time on "
        f"{_name(case.device)})"
    )
    if clean + attacked > LONG:
        yield warning(
            "time",
            seen,
            "a build that is killed resumes, but this is long",
            "attack fewer images (--n-adv), take a GPU or several (torchrun), see docs/models.md#speed",
        )
    else:
        yield ok("time", seen)


def _name(device: torch.device) -> str:
    return device.type if device.type != "cpu" else f"cpu, {counted(torch.get_num_threads(), 'thread')}"


def _words(seconds: float) -> str:
    """A duration in words.

    Example:
        >>> _words(3.21), _words(150), _words(9000)
        ('3.2 s', '2.5 min', '2.5 h')
    """
    for limit, unit, words in ((90, 1, "s"), (5400, 60, "min"), (float("inf"), 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.2g} {words}" if seconds / unit < 10 else f"{seconds / unit:.0f} {words}"
    return ""


def disk(case: Case) -> Iterator[Finding]:
    """Whether the bundle, and as much again for its work folder, fits where it is to be written."""
    plan = case.plan
    if plan.folder is None:
        return
    k, pixels = len(case.class_names), case.images[0].numel() if plan.with_images else 0
    needed = 2 * (plan.n_clean + plan.n_adv) * (2 * 4 * k + 16 + pixels)
    free = shutil.disk_usage(plan.folder).free
    seen = f"bundle and work folder take about {needed / 2**20:.3g} MiB, {free / GIB:.3g} GiB are free"
    if needed > free:
        yield error("disk", seen, "the build will stop when the disk is full", "give --out on another disk")
    else:
        yield ok("disk", seen)

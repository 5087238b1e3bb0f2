"""Where to compute: `auto` takes the GPU when there is one.

Apple's `mps` has no float64, in which this project transforms, mixes and compares. So models run there, and
nothing else does, as in the authors' code: images, labels, logits and the state of every attack have their
home on the CPU (`home_of`); whoever asks a model hands it the images where its weights are (`handed_to`), and
brings its answer back. Gradients follow the same way. Random numbers are drawn on the CPU anyway. bfloat16
is not offered there. Of the rule only what a stand-in for such a device shows is tested: it was never run on
a Mac.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from mnuts_core.errors import ParameterError

DEVICES = "auto, cpu, cuda, cuda:N or mps"
WITHOUT_FLOAT64 = ("mps",)
"""Kinds of devices on which models run and nothing else does."""


def resolve_device(device: str | torch.device = "auto") -> torch.device:
    """The torch device for a name.

    Args:
        device: `auto` (CUDA if there is one, else the CPU), `cpu`, `cuda`, `cuda:1`, `mps`, ...

    Returns:
        Where models are to run. For the place of everything else, ask `home_of`.

    Raises:
        ParameterError: If the name is unknown, or a GPU is asked for that is not there.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except (RuntimeError, TypeError):
        raise ParameterError(f"device must be {DEVICES}, got {device!r}") from None
    if resolved.type == "cuda" and not torch.cuda.is_available():
        raise ParameterError(f"device {device!r} was asked for, but torch sees no GPU: use auto or cpu")
    if resolved.type == "cuda" and (resolved.index or 0) >= (there := torch.cuda.device_count()):
        raise ParameterError(
            f"device {device!r} was asked for, but torch sees {there} GPU(s), from cuda:0 on"
        )
    if resolved.type == "mps" and not torch.backends.mps.is_available():
        raise ParameterError(f"device {device!r} was asked for, but torch sees no Apple GPU: use auto or cpu")
    if resolved.type not in ("cpu", "cuda", "mps"):
        raise ParameterError(f"device must be {DEVICES}, got {device!r}: float64 is needed")
    return resolved


def home_of(device: str | torch.device) -> torch.device:
    """Where images, labels, logits and arithmetic stand while models run on a device.

    Args:
        device: Where models run.

    Returns:
        The device itself, or the CPU if it has no float64.

    Example:
        >>> home_of("cuda:1"), home_of("mps")
        (device(type='cuda', index=1), device(type='cpu'))
    """
    where = torch.device(device)
    return torch.device("cpu") if where.type in WITHOUT_FLOAT64 else where


def at_home(tensor: Tensor) -> Tensor:
    """The tensor where there is float64: itself, or a copy on the CPU, through which gradients flow."""
    return tensor.cpu() if tensor.device.type in WITHOUT_FLOAT64 else tensor


def handed_to(model: object, images: Tensor) -> Tensor:
    """The images where a model can take them: themselves, or a copy on the device of its weights.

    They are moved to a device that has no float64, and to no other: elsewhere images and models that stand
    apart are somebody's mistake.

    Args:
        model: Images → logits; of a function that is no `nn.Module` nobody knows where it runs.
        images: On any device.
    """
    weights = next(iter(model.parameters()), None) if isinstance(model, nn.Module) else None
    if weights is None or weights.device.type not in WITHOUT_FLOAT64:
        return images
    return images.to(weights.device)


def clock(device: torch.device) -> float:
    """The time, in seconds, when all that the device was given is done.

    Args:
        device: Where it is computed.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one CPU thread inside the block.

    For tensors of a few megabytes a second thread gains little on an idle machine, and costs a
    multiple on a busy one, where each of thousands of small operations waits for it.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)

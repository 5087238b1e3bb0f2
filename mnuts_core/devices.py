"""Where to compute: `auto` takes the GPU when there is one; and whether bfloat16 is faster there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from mnuts_core.errors import ParameterError


def resolve_device(device: str | torch.device = "auto") -> torch.device:
    """The torch device for a name.

    Args:
        device: `auto` (CUDA if there is one, else the CPU), `cpu`, `cuda`, `cuda:1`, ...

    Raises:
        ParameterError: If the name is unknown, or a GPU is asked for that is not there.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except (RuntimeError, TypeError):
        raise ParameterError(f"device must be auto, cpu, cuda or cuda:N, got {device!r}") from None
    if resolved.type == "cuda" and not torch.cuda.is_available():
        raise ParameterError(f"device {device!r} was asked for, but torch sees no GPU: use auto or cpu")
    if resolved.type == "cuda" and (resolved.index or 0) >= (there := torch.cuda.device_count()):
        raise ParameterError(
            f"device {device!r} was asked for, but torch sees {there} GPU(s), from cuda:0 on"
        )
    if resolved.type not in ("cpu", "cuda"):
        raise ParameterError(f"device must be auto, cpu, cuda or cuda:N, got {device!r}: float64 is needed")
    return resolved


def pays_in_bfloat16(device: str | torch.device) -> bool:
    """Whether convolutions under bfloat16 autocast are faster on a device than in float32.

    They are where a matrix unit takes bfloat16: on GPUs from compute capability 8.0 on, and on CPUs with
    AMX. AVX-512's bfloat16 alone does not pay: the networks here took 1.35 times as long as in float32.

    Args:
        device: A name as `resolve_device` takes it.
    """
    where = resolve_device(device)
    if where.type == "cuda":
        return torch.cuda.get_device_capability(where) >= (8, 0)
    get = getattr(torch.cpu, "get_capabilities", None)  # older versions of torch have none
    return get is not None and bool(get().get("amx_bf16", False))


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

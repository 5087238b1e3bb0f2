"""Where to compute: `auto` takes the GPU when there is one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from mnuts_core.errors import ParameterError


def resolve_device(device: str | torch.device = "auto") -> torch.device:
    """The torch device for a name.

    Args:
        device: `auto` (CUDA if there is one, else the CPU), `cpu`, `cuda`, `cuda:1`, ...

    Raises:
        ParameterError: If the name is unknown or CUDA is asked for where there is none.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
    except (RuntimeError, TypeError):
        raise ParameterError(f"device must be auto, cpu, cuda or cuda:N, got {device!r}") from None
    if resolved.type == "cuda" and not torch.cuda.is_available():
        raise ParameterError(f"device {device!r} was asked for, but torch sees no GPU: use auto or cpu")
    if resolved.type not in ("cpu", "cuda"):
        raise ParameterError(f"device must be auto, cpu, cuda or cuda:N, got {device!r}: float64 is needed")
    return resolved


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

"""A stand-in for one CUDA GPU on a machine without one: tensors that say `cuda:0` and keep its rules.

Each is a wrapper around a tensor of the CPU. In C++ it counts as one on `meta`, in Python on `cuda:0`: so
both sides take it for a stranger to the CPU, and autograd asks no driver for it. Every operation passes
`rules.compute`, where a mix of devices raises, as does in `names` a random generator of the other device;
what is left is computed on the tensors within, convolutions in TF32 unless that is switched off. No stand-in
shows a GPU's own rounding, its speed, its memory, or what its kernels lack, and other processes know nothing
of it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn

from tests.fake_cuda.names import Generator, Names
from tests.fake_cuda.rules import OnCuda, Rules

ANSWERS: dict[str, Any] = {
    "_lazy_init": None,
    "is_available": True,
    "is_bf16_supported": True,
    "device_count": 1,
    "current_device": 0,
    "get_device_capability": (9, 0),
    "get_device_name": "stand-in",
    "mem_get_info": (70 * 2**30, 80 * 2**30),
    "memory_reserved": 0,
    "memory_allocated": 0,
    "synchronize": None,
    "set_device": None,
    "set_rng_state": None,
}
"""What `torch.cuda` says of it."""


def _apply(module: nn.Module, convert: Callable[[Tensor], Tensor], recurse: bool = True) -> nn.Module:
    """`Module._apply`, by which modules move: a parameter stays itself, as it does on a GPU."""
    for child in module.children() if recurse else ():
        child._apply(convert)
    for name, weights in module._parameters.items():
        if weights is None:
            continue
        gradient, weights.grad = weights.grad, None
        with torch.no_grad():
            moved = nn.Parameter(convert(weights.detach()), weights.requires_grad)
            gradient = None if gradient is None else convert(gradient)
        try:
            torch.utils.swap_tensors(weights, moved)
        except RuntimeError:  # a graph that is still there has saved it
            module._parameters[name] = weights = moved
        weights.grad = gradient
    for name, buffer in module._buffers.items():
        module._buffers[name] = None if buffer is None else convert(buffer)
    return module


@contextmanager
def _rules() -> Iterator[None]:
    with Names(), Rules():
        yield


def _run_by_rules(run: Callable[[threading.Thread], None]) -> Callable[[threading.Thread], None]:
    """Modes belong to a thread: new ones get them, too."""

    def run_by_rules(thread: threading.Thread) -> None:
        with _rules():
            run(thread)

    return run_by_rules


@contextmanager
def fake_cuda() -> Iterator[None]:
    """Have one GPU for a while, in this process."""
    optimizer = sys.modules["torch.optim.optimizer"]  # torch.optim hides it
    types = [*optimizer._foreach_supported_types, OnCuda]
    with ExitStack() as stack:
        patch = lambda owner, **given: stack.enter_context(mock.patch.multiple(owner, **given))
        patch(torch, Generator=Generator)
        patch(optimizer, _foreach_supported_types=types)
        patch(threading.Thread, run=_run_by_rules(threading.Thread.run))
        patch(torch.cuda, **{name: lambda *_, value=value, **__: value for name, value in ANSWERS.items()})
        patch(torch.cuda, get_rng_state=lambda *_: torch.get_rng_state())
        patch(nn.Module, _apply=_apply)
        stack.enter_context(_rules())
        yield

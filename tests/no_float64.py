"""A stand-in for Apple's `mps` on a machine without one: tensors on the CPU that keep its rules.

Inside `fake_mps()` a tensor that was moved to `mps` says that it is there, mixes with no tensor of the CPU
but numbers, and takes part in nothing that gives float64. It cannot show what a Mac computes otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

MPS = torch.device("mps")


class OnMps(Tensor):
    """A tensor that counts as one on `mps`."""

    __torch_function__ = torch._C._disabled_torch_function_impl


class _Rules(TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func == Tensor.device.__get__ and isinstance(args[0], OnMps):
            return MPS
        if func in (Tensor.to, Tensor.cpu):
            return _moved(func, args, kwargs)
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        there = [isinstance(tensor, OnMps) for tensor in tensors if tensor.dim() or isinstance(tensor, OnMps)]
        if not any(there):
            return func(*args, **kwargs)
        if not all(there):
            raise RuntimeError(f"{func.__name__}: expected all tensors to be on the same device, mps and cpu")
        return tree_map(_on_mps, func(*args, **kwargs))


def _moved(func: Any, args: Any, kwargs: Any) -> Tensor:
    tensor, *more = args
    words = [*more, *kwargs.values()]
    devices = [torch.device(word) for word in words if isinstance(word, str | torch.device)]
    devices += [MPS if isinstance(word, OnMps) else word.device for word in words if isinstance(word, Tensor)]
    where = torch.device("cpu") if func is Tensor.cpu else (devices or [None])[0]
    dtypes = [word for word in words if isinstance(word, torch.dtype)]
    dtypes += [word.dtype for word in words if isinstance(word, Tensor)]
    if where == MPS or (where is None and isinstance(tensor, OnMps)):
        return _on_mps(tensor if not dtypes else tensor.to(dtypes[0]))
    plain = tensor.as_subclass(Tensor) if isinstance(tensor, OnMps) else tensor
    return func(plain, *more, **kwargs)


def _on_mps(value: Any) -> Any:
    if not isinstance(value, Tensor):
        return value
    if value.dtype == torch.float64:
        raise TypeError(
            "Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support it"
        )
    return value if isinstance(value, OnMps) else value.as_subclass(OnMps)


@contextmanager
def fake_mps(*modules: nn.Module) -> Iterator[None]:
    """Have an `mps` for a while, and the weights of some modules on it.

    Args:
        modules: They stay there, and are of no use afterwards.
    """
    with _Rules():
        for module in modules:
            for part in module.modules():
                for name, weights in part._parameters.items():
                    if weights is not None:
                        part._parameters[name] = nn.Parameter(weights.data.to(MPS), requires_grad=False)
                for name, buffer in part._buffers.items():
                    part._buffers[name] = None if buffer is None else buffer.to(MPS)
        yield

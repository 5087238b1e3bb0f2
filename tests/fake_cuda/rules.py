"""Tensors of the stand-in, and the rules of two devices that each operation is held to."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing

CUDA, CPU, WITHIN = torch.device("cuda", 0), torch.device("cpu"), torch.device("meta")
"""The device that there seems to be, the real one, and the one that C++ takes it for."""
aten = torch.ops.aten
CROSSING = {aten.copy_.default, aten._to_copy.default, aten.copy.default, aten._foreach_copy_.default}
"""What takes numbers from one device to another."""
INDEXING = {aten.index.Tensor, aten.index_put.default, aten.index_put_.default, aten._index_put_impl_.default}
SCALAR_VALUES = {aten.masked_fill.Tensor, aten.masked_fill_.Tensor}
"""Besides pointwise operations: what takes a tensor of the CPU without dimensions."""
CONVOLUTIONS = {aten.convolution.default, aten.convolution_backward.default}


class OnCuda(Tensor):
    """A tensor that counts as one on `cuda:0`; `inner` has its numbers."""

    inner: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, inner: Tensor) -> OnCuda:
        made: OnCuda = Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls,
            inner.size(),
            strides=inner.stride(),
            storage_offset=inner.storage_offset(),
            dtype=inner.dtype,
            layout=inner.layout,
            device=WITHIN,
        )
        made.inner = inner
        return made

    device = property(lambda self: CUDA)  # type: ignore[assignment]
    is_cuda = property(lambda self: True)  # type: ignore[assignment]
    is_cpu = is_meta = property(lambda self: False)  # type: ignore[assignment]

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return compute(func, args, kwargs or {})

    def numpy(self, *, force: bool = False) -> Any:
        if force:
            return self.detach().cpu().numpy()
        raise TypeError(
            "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host "
            "memory first."
        )

    def __array__(self, *_: object, **__: object) -> Any:
        return self.numpy()

    def tolist(self) -> Any:
        return self.inner.tolist()

    def get_device(self) -> int:
        return 0

    def __repr__(self, **_: object) -> str:
        return f"{self.inner!r} on {CUDA}"

    def __format__(self, spec: str) -> str:
        return format(self.item() if self.dim() == 0 else repr(self), spec)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if id(self) not in memo:
            made: Tensor = OnCuda(self.inner.clone())
            memo[id(self)] = (
                nn.Parameter(made, self.requires_grad) if isinstance(self, nn.Parameter) else made
            )
        twin: Tensor = memo[id(self)]
        return twin


def is_there(device: Any) -> bool:
    """Whether a device is the GPU."""
    return device is not None and torch.device(device).type in (CUDA.type, WITHIN.type)


def compute(func: Any, args: Any, kwargs: Any) -> Any:
    """An operation of ATen by the rules of two devices."""
    tensors: list[Tensor] = []
    each((args, tuple(kwargs.values())), tensors.append)
    there = any(isinstance(tensor, OnCuda) for tensor in tensors)
    if not there and not is_there(kwargs.get("device")):
        return func(*args, **kwargs)
    if "device" in kwargs:
        there = is_there(kwargs["device"]) if kwargs["device"] is not None else there
        kwargs = kwargs | {"device": CPU}
    if func not in CROSSING:
        _check_mix(func, args, kwargs, tensors)
    within = _in_tf32 if func in CONVOLUTIONS and torch.backends.cudnn.allow_tf32 else _inner
    found = func(*each(args, within), **{name: each(value, within) for name, value in kwargs.items()})
    written = _written(func)
    if written == 1 and torch.Tag.inplace_view not in func.tags:
        return kwargs.get("out", args[0])
    if not there:
        return found
    made = each(found, _outer)
    return return_and_correct_aliasing(func, args, kwargs, made) if written else made


@cache
def _written(func: Any) -> int:
    """How many of its results are arguments that it writes into."""
    return sum(each.alias_info is not None and each.alias_info.is_write for each in func._schema.returns)


def _check_mix(func: Any, args: Any, kwargs: Any, tensors: list[Tensor]) -> None:
    """Refuse what a GPU would: tensors of both devices in one operation."""
    here = [tensor for tensor in tensors if not isinstance(tensor, OnCuda)]
    if not here or len(here) == len(tensors):
        return
    if func in INDEXING:
        owner, _, *values = args
        if not isinstance(owner, OnCuda):
            raise RuntimeError(
                "indices should be either on cpu or on the same device as the indexed tensor (cpu)"
            )
        if not values or isinstance(values[0], OnCuda) or values[0].dim() == 0:
            return  # a CUDA tensor may be indexed by numbers of the CPU
    scalars = torch.Tag.pointwise in func.tags or func in SCALAR_VALUES
    written = kwargs.get("out", args[0] if _written(func) else None)
    if scalars and all(tensor.dim() == 0 and tensor is not written for tensor in here):
        return
    raise RuntimeError(
        f"Expected all tensors to be on the same device, but found at least two devices, {CUDA} and cpu! "
        f"({func})"
    )


def each(value: Any, change: Callable[[Tensor], Any]) -> Any:
    """The same with each tensor changed, in lists, too; torch's own `tree_map` takes ten times as long."""
    if isinstance(value, Tensor):
        return change(value)
    return type(value)(each(part, change) for part in value) if isinstance(value, list | tuple) else value


def _inner(tensor: Tensor) -> Tensor:
    return tensor.inner if isinstance(tensor, OnCuda) else tensor


def _in_tf32(tensor: Tensor) -> Tensor:
    """What convolutions in float32 see unless they are forbidden to: ten bits of the fraction."""
    inner = _inner(tensor)
    if inner.dtype != torch.float32:
        return inner
    return ((inner.view(torch.int32) + 0x1000) & ~0x1FFF).view(torch.float32)


def _outer(tensor: Tensor) -> Tensor:
    return tensor if isinstance(tensor, OnCuda) else OnCuda(tensor)


class Rules(TorchDispatchMode):
    """What makes tensors on the GPU out of nothing, or out of those of the CPU."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return compute(func, args, kwargs or {})

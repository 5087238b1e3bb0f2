"""A stand-in for one CUDA GPU on a machine without one: tensors that say `cuda:0`, keep its rules, and compute here.

Each is a wrapper around a tensor of the CPU. In C++ it counts as one on `meta`, in Python on `cuda:0`: so
both sides take it for a stranger to the CPU, and autograd asks no driver for it. Every operation passes
`_compute`, where a mix of devices raises, as does a random generator of the other device; what is left
is computed on the tensors within. Rules only: no stand-in shows a GPU's rounding, its speed, its memory,
or what its kernels lack.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_leaves, tree_map

CUDA, CPU, WITHIN = torch.device("cuda", 0), torch.device("cpu"), torch.device("meta")
"""The device that there seems to be, the real one, and the one that C++ takes it for."""
aten = torch.ops.aten
CROSSING = {aten.copy_.default, aten._to_copy.default, aten.copy.default, aten._foreach_copy_.default}
"""What takes numbers from one device to another."""
INDEXING = {aten.index.Tensor, aten.index_put.default, aten.index_put_.default, aten._index_put_impl_.default}
SCALAR_VALUES = {aten.masked_fill.Tensor, aten.masked_fill_.Tensor}
"""Besides pointwise operations: what takes a tensor of the CPU without dimensions."""
MADE_OF_DATA = {torch.tensor, torch.as_tensor, torch.asarray, torch.scalar_tensor, Tensor.new_tensor}
REDUCED = {F.linear, F.conv1d, F.conv2d, F.conv3d, torch.matmul, Tensor.matmul, Tensor.__matmul__, torch.mm}
REDUCED |= {torch.bmm, torch.addmm, torch.conv1d, torch.conv2d, torch.conv3d, torch.einsum}
IN_FLOAT32 = {F.softmax, F.log_softmax, F.cross_entropy, F.nll_loss, F.kl_div, Tensor.softmax, torch.softmax}
"""What autocast computes in the lower precision, and in float32; the lists in torch are longer."""
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
        return _compute(func, args, kwargs or {})

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


class Generator(torch._C.Generator):
    """A generator of the CPU that says where it was asked to be."""

    def __new__(cls, device: Any = "cpu") -> Generator:
        made: Generator = super().__new__(cls)
        made.where = CUDA if _there(device) else CPU
        return made

    def __init__(self, device: Any = "cpu") -> None:
        super().__init__()

    where: torch.device
    device = property(lambda self: self.where)  # type: ignore[assignment]


def _there(device: Any) -> bool:
    """Whether a device is the GPU."""
    return device is not None and torch.device(device).type in (CUDA.type, WITHIN.type)


def _compute(func: Any, args: Any, kwargs: Any) -> Any:
    """An operation of ATen by the rules of two devices."""
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
    there = any(isinstance(tensor, OnCuda) for tensor in tensors)
    if not there and not _there(kwargs.get("device")):
        return func(*args, **kwargs)
    if "device" in kwargs:
        there = _there(kwargs["device"]) if kwargs["device"] is not None else there
        kwargs = kwargs | {"device": CPU}
    if func not in CROSSING:
        _check_mix(func, args, kwargs, tensors)
    found = func(*tree_map(_inner, args), **tree_map(_inner, kwargs))
    written = _written(func)
    if written == 1 and torch.Tag.inplace_view not in func.tags:
        return kwargs.get("out", args[0])
    if not there:
        return found
    made = tree_map(_outer, found)
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
        owner, indices, *values = args
        if not isinstance(owner, OnCuda):
            raise RuntimeError("indices should be either on cpu or on the same device as the indexed tensor (cpu)")
        if not values or isinstance(values[0], OnCuda) or values[0].dim() == 0:
            return  # a CUDA tensor may be indexed by numbers of the CPU
    scalars = torch.Tag.pointwise in func.tags or func in SCALAR_VALUES
    written = tree_leaves(kwargs.get("out")) + ([args[0]] if func._schema.is_mutable and not kwargs.get("out") else [])
    if scalars and all(tensor.dim() == 0 and not any(tensor is one for one in written) for tensor in here):
        return
    raise RuntimeError(
        f"Expected all tensors to be on the same device, but found at least two devices, {CUDA} and cpu! ({func})"
    )


def _check_generator(func: Any, args: Any, kwargs: Any) -> None:
    """Refuse a generator of the other device. It has to be done here: C++ hands on another Python object."""
    generator = kwargs.get("generator")
    if generator is None:
        return
    there = any(isinstance(arg, OnCuda) for arg in args) if kwargs.get("device") is None else _there(kwargs["device"])
    device = CUDA if there else CPU
    if generator.device.type != device.type:
        raise RuntimeError(
            f"Expected a '{device.type}' device type for generator but found '{generator.device.type}' ({func})"
        )


def _inner(value: Any) -> Any:
    return value.inner if isinstance(value, OnCuda) else value


def _outer(value: Any) -> Any:
    return OnCuda(value) if isinstance(value, Tensor) and not isinstance(value, OnCuda) else value


class _Move(torch.autograd.Function):
    """To the other device, and its gradient back."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:
        if isinstance(tensor, OnCuda):
            return tensor.inner.clone()
        return OnCuda(tensor.clone())

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        return _Move.apply(gradient)


class _Rules(TorchDispatchMode):
    """What makes tensors on the GPU out of nothing, or out of those of the CPU."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _compute(func, args, kwargs or {})


class _Names(TorchFunctionMode):
    """Hands C++ the device that it knows, where Python says `cuda`."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        _check_generator(func, args, kwargs)
        if func in MOVES:
            return _moved(func, *args, **kwargs)
        if func in MADE_OF_DATA:
            return _of_data(func, args, dict(kwargs))
        if torch.is_autocast_enabled(CUDA.type):
            args, kwargs = _autocast(func, args, kwargs)
        if _there(kwargs.get("device")):
            kwargs = kwargs | {"device": WITHIN}
        return func(*args, **kwargs)


MOVES = {Tensor.to, Tensor.cpu, Tensor.cuda, Tensor.type_as}


def _moved(func: Any, tensor: Tensor, *more: Any, **options: Any) -> Tensor:
    """`Tensor.to` and its kin."""
    words = [*more, *(options.pop(name) for name in ("device", "dtype", "other") if name in options)]
    where, dtype = tensor.device, tensor.dtype
    if func in (Tensor.cpu, Tensor.cuda):
        where, words = (CPU if func is Tensor.cpu else CUDA), []
    for word in words:
        if isinstance(word, Tensor):
            where, dtype = word.device, word.dtype
        elif isinstance(word, torch.dtype):
            dtype = word
        elif word is not None and not isinstance(word, bool):
            where = torch.device(word)
    if _there(where) != isinstance(tensor, OnCuda):
        tensor = _Move.apply(tensor)
        options.pop("copy", None)
    return tensor.to(dtype, **options)


def _of_data(func: Any, args: Any, kwargs: Any) -> Tensor:
    """A tensor of numbers, made here and moved where it was asked for."""
    where = kwargs.pop("device", None)
    if func is Tensor.new_tensor:
        owner, *args = args
        where, kwargs, func = where or owner.device, {"dtype": owner.dtype} | kwargs, torch.tensor
    data = args[0]
    if isinstance(data, Tensor):
        moved = _moved(Tensor.to, data, where, kwargs.get("dtype"))
        return moved.detach().clone() if func is torch.tensor else moved
    made: Tensor = func(*args, **kwargs)
    return _moved(Tensor.to, made, where)


def _autocast(func: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
    if func not in REDUCED | IN_FLOAT32:
        return args, kwargs
    dtype = torch.get_autocast_dtype(CUDA.type) if func in REDUCED else torch.float32

    def cast(value: Any) -> Any:
        fits = isinstance(value, OnCuda) and value.is_floating_point() and value.dtype != torch.float64
        return value.to(dtype) if fits else value

    return tree_map(cast, args), tree_map(cast, kwargs)


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
    with _Names(), _Rules():
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

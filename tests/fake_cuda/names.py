"""What Python says of a device, in words that C++ knows: where tensors are made and moved; and autocast."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from tests.fake_cuda.rules import CPU, CUDA, WITHIN, OnCuda, each, is_there

MOVES = {Tensor.to, Tensor.cpu, Tensor.cuda, Tensor.type_as}
MADE_OF_DATA = {torch.tensor, torch.as_tensor, torch.asarray, torch.scalar_tensor, Tensor.new_tensor}
REDUCED = {F.linear, F.conv1d, F.conv2d, F.conv3d, torch.matmul, Tensor.matmul, Tensor.__matmul__, torch.mm}
REDUCED |= {torch.bmm, torch.addmm, torch.conv1d, torch.conv2d, torch.conv3d, torch.einsum}
IN_FLOAT32 = {F.softmax, F.log_softmax, F.cross_entropy, F.nll_loss, F.kl_div, Tensor.softmax, torch.softmax}
"""What autocast computes in the lower precision, and in float32; the lists in torch are longer."""


class Generator(torch._C.Generator):
    """A generator of the CPU that says where it was asked to be."""

    def __new__(cls, device: Any = "cpu") -> Generator:
        made: Generator = super().__new__(cls)
        made.where = CUDA if is_there(device) else CPU
        return made

    def __init__(self, device: Any = "cpu") -> None:
        super().__init__()

    where: torch.device
    device = property(lambda self: self.where)  # type: ignore[assignment]


class Names(TorchFunctionMode):
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
        if is_there(kwargs.get("device")):
            kwargs = kwargs | {"device": WITHIN}
        return func(*args, **kwargs)


def _check_generator(func: Any, args: Any, kwargs: Any) -> None:
    """Refuse a generator of the other device. It has to be done here: C++ hands on another Python object."""
    generator, asked = kwargs.get("generator"), kwargs.get("device")
    if generator is None:
        return
    there = is_there(asked) if asked is not None else any(isinstance(arg, OnCuda) for arg in args)
    wanted, found = (CUDA if there else CPU).type, generator.device.type
    if found != wanted:
        raise RuntimeError(f"Expected a '{wanted}' device type for generator but found '{found}' ({func})")


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
    if is_there(where) != isinstance(tensor, OnCuda):
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
    """The arguments in the dtype that autocast computes an operation in."""
    if func not in REDUCED | IN_FLOAT32:
        return args, kwargs
    dtype = torch.get_autocast_dtype(CUDA.type) if func in REDUCED else torch.float32

    def cast(tensor: Tensor) -> Tensor:
        fits = isinstance(tensor, OnCuda) and tensor.is_floating_point() and tensor.dtype != torch.float64
        return tensor.to(dtype) if fits else tensor

    return each(args, cast), {name: each(value, cast) for name, value in kwargs.items()}

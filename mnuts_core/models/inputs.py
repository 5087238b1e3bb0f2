"""What every attack does first: check its arguments, and make the model ready on the right device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from mnuts_core.devices import WITHOUT_FLOAT64
from mnuts_core.errors import ParameterError

Precision = Literal["full", "bfloat16"]
"""What gradients are computed in: the images' dtype, or bfloat16 by autocast."""
PRECISIONS: tuple[Precision, ...] = get_args(Precision)


def check_images(images: object) -> Tensor:
    """The images in contiguous memory, if they are pixels in [0, 1].

    Args:
        images: Should be float32 or float64, shape (N, C, H, W), N ≥ 1, finite.

    Raises:
        ParameterError: If they are not.
    """
    if not isinstance(images, Tensor) or images.dtype not in (torch.float32, torch.float64):
        kind = f"dtype {images.dtype}" if isinstance(images, Tensor) else type(images).__name__
        raise ParameterError(
            f"images must be a torch.Tensor of dtype float32 or float64, got {kind}: "
            "divide 8-bit pixels by 255"
        )
    if images.ndim != 4 or not images.numel():
        raise ParameterError(
            f"images must have shape (N, C, H, W) with N of at least 1, got {tuple(images.shape)}"
        )
    low, high = (float(v) for v in images.aminmax())
    if not (low >= 0.0 and high <= 1.0):  # NaN fails this too
        raise ParameterError(
            f"images must lie in [0, 1], got {low:g} to {high:g}: give pixels, and let the model normalise"
        )
    return images.detach().contiguous()


def check_count(name: str, value: object, least: int) -> int:
    """The value, if it is an integer of at least `least`.

    Raises:
        ParameterError: If it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ParameterError(f"{name} must be an integer of at least {least}, got {value!r}")
    return value


def check_indices(indices: object, n: int) -> Tensor:
    """The examples' numbers, int64 on the CPU; 0, 1, ... if None.

    Raises:
        ParameterError: If they are not n non-negative integers.
    """
    if indices is None:
        return torch.arange(n)
    integer = isinstance(indices, Tensor) and not (indices.is_floating_point() or indices.is_complex())
    if not isinstance(indices, Tensor) or not integer or indices.shape != (n,) or (n and indices.min() < 0):
        raise ParameterError(
            f"indices must be an integer torch.Tensor of shape ({n},) without negative numbers, "
            f"got {indices!r}"
        )
    return indices.cpu().long()


def check_precision(precision: object, dtype: torch.dtype, device: torch.device | None = None) -> None:
    """Check how gradients are to be computed for images of a dtype.

    Args:
        precision: Should be one of `PRECISIONS`.
        dtype: Of the images.
        device: Where models run, if it is known.

    Raises:
        ParameterError: If the precision is unknown, or autocast does not reduce this dtype, or is not offered
            on this device.
    """
    if precision not in PRECISIONS:
        raise ParameterError(f"precision must be one of {', '.join(PRECISIONS)}, got {precision!r}")
    if precision != "full" and dtype != torch.float32:
        raise ParameterError(f"precision {precision!r} needs float32 images, got {dtype}: use 'full'")
    if precision != "full" and device is not None and device.type in WITHOUT_FLOAT64:
        raise ParameterError(f"precision must be 'full' on {device.type}, got {precision!r}")


def in_precision(
    model: Callable[[Tensor], Tensor], precision: Precision, device: torch.device
) -> Callable[[Tensor], Tensor]:
    """The model as it gives gradients: itself, or under autocast with its logits back in float32.

    Args:
        model: Images → logits.
        precision: `"full"` or `"bfloat16"`.
        device: Where it runs.
    """
    if precision == "full":
        return model

    def reduced(images: Tensor) -> Tensor:
        with torch.autocast(device.type, torch.bfloat16):
            logits = model(images)
        return logits.float()

    return reduced


def laid_out(images: Tensor, channels_last: bool) -> Tensor:
    """The images in NHWC order in memory, or as they are; the shape stays (N, C, H, W)."""
    return images.contiguous(memory_format=torch.channels_last) if channels_last else images


@contextmanager
def prepared(
    model: Callable[[Tensor], Tensor], device: torch.device, *, channels_last: bool = False
) -> Iterator[None]:
    """Have the model on the device and in evaluation mode for a while, if it is an `nn.Module`.

    Afterwards each of its modules is back in its own mode; device and memory layout stay. On CUDA the
    block computes float32 as float32 (no TF32) and with cuDNN's deterministic algorithms.

    Args:
        model: Images → logits.
        device: Where to.
        channels_last: Lay its weights out as NHWC.
    """
    with ExitStack() as stack:
        if device.type == "cuda":
            cudnn = torch.backends.cudnn
            flags = {"enabled": cudnn.enabled, "deterministic": True, "allow_tf32": False}
            stack.enter_context(cudnn.flags(**flags))
        if isinstance(model, nn.Module):
            stack.callback(_set_modes, {module: module.training for module in model.modules()})
            model.to(device).eval()
            if channels_last:
                model.to(memory_format=torch.channels_last)
        yield


@contextmanager
def frozen(model: nn.Module) -> Iterator[None]:
    """Have no gradients of a model's parameters computed for a while."""
    wanted = {parameter: parameter.requires_grad for parameter in model.parameters()}
    try:
        for parameter in wanted:  # one by one: a TorchScript module refuses it for the whole
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter, before in wanted.items():
            parameter.requires_grad_(before)


def _set_modes(modes: dict[nn.Module, bool]) -> None:
    for module, mode in modes.items():
        module.training = mode


Model = Callable[[Tensor], Tensor]
"""Images (N, C, H, W) → logits (N, K)."""


Progress = Callable[[int, int], None]
"""Called with (work done, work in all); to cancel, raise an exception in it."""

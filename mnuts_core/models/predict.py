"""What every pipeline does with a base model: ask it, check what it answers, and say which model it is.

A base model may be anything: whatever it answers is checked here, on every batch, and nowhere else. `ask`
checks all that costs no wait for the device: the kind, shape and dtype of an answer. Whether its numbers are
finite is left to those who compare them anyway: `sound` says of which images they are, `predicted` counts an
image without finite numbers as none of the classes, and `refuse_unsound` stops with the images' numbers.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mnuts_core.bundles.manifest import ModelCard
from mnuts_core.bundles.tensors import content_digest
from mnuts_core.devices import handed_to, home_of, resolve_device
from mnuts_core.errors import ParameterError, Stopped
from mnuts_core.functional.mixing import sound
from mnuts_core.io.untrusted import brief
from mnuts_core.models.inputs import Model, laid_out, prepared
from mnuts_core.models.passes import count_pass

DTYPES = (torch.float32, torch.float64)
"""What a model may answer in."""
BASE_MODELS = ("std_model", "rob_model")
"""What messages call g and h, and what their passes are counted by."""
NO_CLASS = -1
"""Stands for the class of an image that is answered with NaN or infinity: equal to no label."""
NAMED = 5
"""How many images a message names."""


def ask(name: str, model: Model, images: Tensor, classes: int | None = None) -> Tensor:
    """A model's logits of one batch, shape (N, K), once they are known to be logits of these images.

    The model gets a copy of the images, and gives a copy of its answer: it may change what it is given,
    or use one buffer for all its answers, and spoil nothing. Gradients flow through both.

    Args:
        name: What to call the model in a message.
        model: Images → logits.
        images: Shape (N, C, H, W); a leaf that wants its gradient, or not.
        classes: K; any from 2 on if None.

    Returns:
        The logits, not necessarily finite, on the images' device, wherever the model runs. Their dtype is
        float32 or float64, that of the images, or what autocast makes of it where the caller has switched
        that on.

    Raises:
        ParameterError: If the model fails, or answers anything else.
    """
    points = images.clone()
    count_pass(name, points)
    try:
        logits = model(handed_to(model, points))
    except (ParameterError, Stopped):
        raise
    except (Exception, SystemExit) as error:  # code of the user's own may raise anything
        raise ParameterError(
            f"{name} must take images of shape {tuple(images.shape)} and dtype {images.dtype} on "
            f"{images.device}, but it failed: {brief(error)}{_hint(model, images)}"
        ) from error
    _check_answer(name, logits, images, classes)
    return (logits if logits.requires_grad else logits.clone()).to(images.device)


def _hint(model: Model, images: Tensor) -> str:
    """What a model that failed has about it that may be why."""
    if not isinstance(model, nn.Module):
        return ""
    dtypes = {weights.dtype for weights in model.parameters() if weights.is_floating_point()}
    if others := dtypes - {images.dtype}:
        return f" (its weights are {', '.join(sorted(map(_name_of, others)))}: convert them with .float())"
    if any(part.training for part in model.modules()):
        return " (it is in training mode, in spite of .eval())"
    return ""


def _check_answer(name: str, logits: object, images: Tensor, classes: int | None) -> None:
    k = "K" if classes is None else str(classes)
    wanted = f"{name} must return logits of shape ({len(images)}, {k})" + (", K ≥ 2" if k == "K" else "")
    if not isinstance(logits, Tensor):
        raise ParameterError(f"{wanted}, got {_kind(logits)}: wrap it so that it returns the logits alone")
    if logits.layout is not torch.strided or logits.ndim != 2 or len(logits) != len(images):
        came = f"shape {tuple(logits.shape)}" if logits.layout is torch.strided else str(logits.layout)
        raise ParameterError(f"{wanted}, one row for each image, got {came}")
    if logits.shape[1] != classes and (classes is not None or logits.shape[1] < 2):
        raise ParameterError(f"{wanted}, one column for each class, got shape {tuple(logits.shape)}")
    if logits.is_meta:
        raise ParameterError(f"{wanted}, got a tensor without values, on the device meta: load its weights")
    if logits.dtype not in _dtypes(images):
        raise ParameterError(
            f"{name} must answer in float32 or float64, got {_name_of(logits.dtype)}: convert its weights or "
            "its logits with .float()"
        )


def _dtypes(images: Tensor) -> tuple[torch.dtype, ...]:
    kind = images.device.type
    if not images.is_floating_point():  # stand-ins for images, such as row numbers, promise no precision
        return (*DTYPES, torch.float16, torch.bfloat16)
    reduced = (torch.get_autocast_dtype(kind),) if torch.is_autocast_enabled(kind) else ()
    return (*DTYPES, images.dtype, *reduced)


def _kind(value: object) -> str:
    """What came, in words: a tuple of 2, a dict with logits, a NoneType."""
    if isinstance(value, dict):
        return f"a {type(value).__name__} with {', '.join(map(str, list(value)[:NAMED])) or 'nothing in it'}"
    return f"a {type(value).__name__}" + (f" of {len(value)}" if isinstance(value, (tuple, list)) else "")


def _name_of(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def predicted(logits: Tensor) -> Tensor:
    """The predicted classes, int64, shape (N,); `NO_CLASS` where a row is not finite, so never right.

    Args:
        logits: Shape (N, K).
    """
    return logits.argmax(dim=1).where(sound(logits), NO_CLASS)


def refuse_unsound(name: str, unsound: Tensor, numbers: Tensor, where: str = "for") -> None:
    """Stop where a model has answered with numbers that are not finite; waits for the device.

    Args:
        name: What to call the model.
        unsound: Of which images, bool, shape (N,).
        numbers: The images' numbers, shape (N,), for the message.
        where: How the images come in: `for` them, or `at points near` them.

    Raises:
        ParameterError: If there are any; it names the first of them.
    """
    rows = numbers.cpu()[unsound.cpu()].tolist()
    if rows:
        raise ParameterError(
            f"{name} must return finite logits, got NaN or infinity {where} {len(rows)} of {len(numbers)} "
            f"images in a batch (rows {listed(rows)}, counted from 0): leave them out, or fix the model"
        )


def listed(numbers: list[int]) -> str:
    """The first few numbers.

    Example:
        >>> listed([3, 5, 8, 13, 21, 34])
        '3, 5, 8, 13, 21, ...'
    """
    return ", ".join(map(str, numbers[:NAMED])) + (", ..." if len(numbers) > NAMED else "")


def count_classes(name: str, model: Model, images: Tensor) -> int:
    """K: how many classes a model has, from a pass over the given images.

    Args:
        name: What to call it.
        model: Images → logits.
        images: A few images, on the model's device.

    Raises:
        ParameterError: If it does not answer with logits.
    """
    with torch.no_grad():
        return int(ask(name, model, images).shape[1])


def check_gradients(name: str, model: Model, images: Tensor, remedy: str) -> None:
    """Check that gradients flow through a model, from its logits back to the images.

    Args:
        name: The argument's name, for the message.
        model: Images → logits.
        images: A few images, on the model's device.
        remedy: What to do where none flow.

    Raises:
        ParameterError: If the logits do not hang on the images by operations that can be differentiated.
    """
    with torch.enable_grad():
        leaf, gradient = images.detach().clone().requires_grad_(), None
        reason = "they do not reach the images (torch.no_grad or detach inside?)"
        try:
            logits = ask(name, model, leaf)
            if logits.requires_grad:  # perhaps only by its own parameters
                (gradient,) = torch.autograd.grad(logits.sum(), leaf, allow_unused=True)
        except Exception as error:  # such as numpy() of a tensor that wants gradients
            reason = f"computing them failed: {brief(error.__cause__ or error)}"
    if gradient is None:
        raise ParameterError(f"{name} must let gradients through to its images, but {reason}: {remedy}")


def predict(
    model: Model,
    images: Tensor,
    *,
    batch_size: int = 256,
    device: str | torch.device = "auto",
    channels_last: bool = False,
    name: str = "model",
    classes: int | None = None,
    numbers: Tensor | None = None,
    where: str = "for",
) -> Tensor:
    """The model's raw logits, shape (N, K), on the CPU, from a pass in evaluation mode without gradients.

    Args:
        model: Images → logits; an `nn.Module` is moved to the device.
        images: Shape (N, C, H, W), in [0, 1], in the model's dtype.
        batch_size: Images at a time.
        device: `"auto"` (CUDA if there is one), or a torch device, for the model.
        channels_last: Lay images and weights out as NHWC.
        name: What to call the model in a message.
        classes: K; that of the first batch if None.
        numbers: The images' numbers for a message; 0, 1, ... if None.
        where: See `refuse_unsound`.

    Raises:
        ParameterError: If an answer is no logits, or holds numbers that are not finite in float32.
    """
    device, parts = resolve_device(device), []
    home = home_of(device)
    numbers = torch.arange(len(images)) if numbers is None else numbers
    with prepared(model, device, channels_last=channels_last), torch.no_grad():
        for rows in torch.split(torch.arange(len(images)), batch_size):
            batch = laid_out(images[rows].to(home), channels_last)
            logits = ask(name, model, batch, classes).cpu()
            refuse_unsound(name, ~sound(logits.float()), numbers[rows], where)
            classes = logits.shape[1]
            parts.append(logits)
    return torch.cat(parts)


def model_card(spec: str, model: nn.Module) -> ModelCard:
    """A model's card: its spec, how many parameters it has, and the digest of its weights.

    Args:
        spec: What loads the model, such as `demo:digits/rob`.
        model: The model; its state, parameters and buffers, goes into the digest.
    """
    tensors = {key: value for key, value in model.state_dict().items() if isinstance(value, Tensor)}
    return ModelCard(
        spec=spec,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        digest=content_digest({key: _as_array(value) for key, value in tensors.items()}),
    )


def _as_array(value: Tensor) -> NDArray[np.generic]:
    value = value.detach().cpu()
    array: NDArray[np.generic] = (value.float() if value.dtype is torch.bfloat16 else value).numpy()
    return array


def to_uint8(images: Tensor) -> NDArray[np.uint8]:
    """Images (N, C, H, W) in [0, 1] as uint8 (N, H, W, C) in [0, 255], rounded to the nearest."""
    pixels: NDArray[np.uint8] = (images * 255.0).round().byte().movedim(1, -1).contiguous().numpy()
    return pixels

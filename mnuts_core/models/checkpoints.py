"""Checkpoints: named weights from a file, and into a network; nothing in the file is run."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from mnuts_core.errors import MnutsError
from mnuts_core.io.untrusted import existing_file, read_torch

WRAPPINGS = ("state_dict_ema", "model_ema", "state_dict", "model", "model_state_dict", "net")
"""Keys under which training scripts keep the weights, averaged ones first, as timm has it."""
PREFIXES = ("module.", "_orig_mod.")
"""What `DataParallel` and `torch.compile` put before every name."""


class ModelError(MnutsError):
    """A base classifier cannot be loaded; the message says which, why, and what to do."""


def read_weights(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Named weights from a checkpoint, taken out of what training scripts wrap around them.

    Args:
        path: A `.safetensors`, `.pt` or `.pth` file; nothing in it is run.

    Raises:
        ModelError: If it is missing, broken, or holds no named weights.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = existing_file(path, ModelError)
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except (SafetensorError, OSError) as error:
            raise ModelError(f"{path} is not a readable safetensors file: {error}") from None
    content = read_torch(path, ModelError, legacy=True)
    for key in WRAPPINGS:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
            break
    if not isinstance(content, Mapping) or not content:
        raise ModelError(f"{path} holds no named weights: save the network's state_dict()")
    if strange := [key for key, value in content.items() if not isinstance(value, Tensor)]:
        raise ModelError(f"{path} holds {strange[0]!r}, which is no tensor: save the network's state_dict()")
    return {_bare(str(key)): value for key, value in content.items()}


def load_weights(network: nn.Module, weights: Mapping[str, Tensor], spec: str) -> None:
    """Put weights into a network, all of them, and no others.

    Args:
        network: Changed in place.
        weights: As from `read_weights`.
        spec: What the user asked for, for the message.

    Raises:
        ModelError: If names or shapes differ; one line sums up how.
    """
    own = network.state_dict()
    missing = [key for key in own if key not in weights and not key.endswith("num_batches_tracked")]
    unknown = [key for key in weights if key not in own]
    shapes = [
        f"{key}: {tuple(weights[key].shape)} in the file, {tuple(own[key].shape)} in the network"
        for key in own
        if key in weights and weights[key].shape != own[key].shape
    ]
    kinds = (("missing", missing), ("unknown to the network", unknown), ("of another shape", shapes))
    if any(names for _, names in kinds):
        told = "; ".join(f"{len(names)} {kind} ({_first(names)})" for kind, names in kinds if names)
        raise ModelError(
            f"model {spec!r}: the checkpoint is of another network: weights {told}. Check the name and the "
            "number of classes"
        )
    network.load_state_dict(weights, strict=False)


def count_classes(network: nn.Module, classes: int, weights: Mapping[str, Tensor]) -> int:
    """For how many classes a checkpoint is: its last layer tells, which alone depends on that.

    Args:
        network: Built for `classes`.
        classes: How many classes that is.
        weights: As from `read_weights`.

    Returns:
        The number, or `classes` where the checkpoint differs in more than that.
    """
    found = {
        weights[key].shape[0]
        for key, own in network.state_dict().items()
        if own.ndim and own.shape[0] == classes and key in weights and weights[key].shape != own.shape
        if weights[key].ndim == own.ndim and weights[key].shape[1:] == own.shape[1:]
    }
    return found.pop() if len(found) == 1 else classes


def _first(names: Sequence[str]) -> str:
    return names[0] + (", ..." if len(names) > 1 else "")


def _bare(name: str) -> str:
    while name.startswith(PREFIXES):
        name = name.split(".", 1)[1]
    return name

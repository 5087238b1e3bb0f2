"""A training's state in a file after an epoch, from which it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_safetensors
from torch import nn

from mnuts_core.errors import MnutsError
from mnuts_core.io.files import write_atomically

MOMENTUM = "momentum"
"""How the names of the optimizer's tensors begin."""


def save_training(
    path: Path,
    networks: Mapping[str, nn.Module],
    optimizer: torch.optim.SGD,
    identity: str,
    **progress: float,
) -> None:
    """Write the state of a training, whole or not at all.

    Args:
        path: Where to.
        networks: By name; the first one is what the optimizer trains, the others go along.
        optimizer: With momentum.
        identity: All that the training's outcome depends on, but for images and start.
        **progress: How far it is.

    Raises:
        MnutsError: If the file cannot be written.
    """
    tensors = {
        f"{prefix}.{name}": tensor.contiguous()
        for prefix, network in networks.items()
        for name, tensor in network.state_dict().items()
    }
    for name, parameter in _first(networks).named_parameters():
        if "momentum_buffer" in (state := optimizer.state.get(parameter, {})):
            tensors[f"{MOMENTUM}.{name}"] = state["momentum_buffer"].contiguous()
    metadata = {"training": identity} | {name: repr(value) for name, value in progress.items()}
    write_atomically(path, to_safetensors(tensors, metadata=metadata), MnutsError)


def resume_training(
    path: Path | None, networks: Mapping[str, nn.Module], optimizer: torch.optim.SGD, identity: str
) -> dict[str, float]:
    """Load the state that a file holds, if it is there.

    Args:
        path: As for `save_training`; None for none.
        networks: Changed in place.
        optimizer: Changed in place.
        identity: As for `save_training`.

    Returns:
        How far the training was; empty if it begins.

    Raises:
        MnutsError: If the file is none of a training, or of another one.
    """
    if path is None or not path.exists():
        return {}
    try:
        with safe_open(path, framework="pt") as handle:
            metadata = handle.metadata() or {}
            tensors = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise MnutsError(f"{path} is not a training checkpoint: {error}: delete it to begin anew") from None
    if metadata.pop("training", None) != identity:
        raise MnutsError(
            f"{path} is a checkpoint of another recipe, seed or precision: delete it to begin anew"
        )
    for prefix, network in networks.items():
        start = f"{prefix}."
        network.load_state_dict({n.removeprefix(start): t for n, t in tensors.items() if n.startswith(start)})
    for name, parameter in _first(networks).named_parameters():
        if (momentum := tensors.get(f"{MOMENTUM}.{name}")) is not None:
            optimizer.state[parameter]["momentum_buffer"] = momentum.to(parameter.device).clone(
                memory_format=torch.preserve_format
            )
    return {name: float(value) for name, value in metadata.items()}


def _first(networks: Mapping[str, nn.Module]) -> nn.Module:
    return next(iter(networks.values()))

"""A demo network on disk: a safetensors file that carries its card and is checked when it is read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_safetensors
from torch import nn

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.library import require_shipped_folder
from mnuts_core.bundles.manifest import (
    AttackCard,
    Card,
    DataCard,
    ModelCard,
    Text,
    ThreatModel,
    first_problem,
)
from mnuts_core.errors import BundleError
from mnuts_core.export.cards import EstimateCard
from mnuts_core.functional.statistics import Accuracy, share
from mnuts_core.io.files import write_atomically
from mnuts_core.pipeline.build import model_card

Role = Literal["std", "rob"]
"""The accurate and the robust network of a pair."""

Net = TypeVar("Net", bound=nn.Module)


class NetworkCard(Card):
    """What a weights file says of itself."""

    model: ModelCard
    architecture: dict[str, int | tuple[int, ...]] = Field(description="The network's arguments.")
    recipe: Text
    seed: int
    training: DataCard = Field(description="The images that it was trained on.")
    clean: EstimateCard = Field(description="Accuracy on the bundle's clean images.")
    attacked: EstimateCard | None = Field(
        default=None, description="Accuracy at the points of an attack on this very network."
    )
    attack: AttackCard | None = Field(default=None, description="That attack.")
    threat: ThreatModel | None = None

    @classmethod
    def measured(cls, bundle: LogitBundle, role: Role, **fields: Any) -> NetworkCard:
        """A card whose accuracies are those of a bundle; attacked only where the bundle attacked the network.

        Args:
            bundle: Made with the network.
            role: Which of the bundle's two networks.
            **fields: The other fields, `model` excepted.
        """
        manifest, attacked = bundle.manifest, bundle.attacked
        logits = bundle.clean_std_logits if role == "std" else bundle.clean_rob_logits
        if role == "rob" and attacked is not None:
            fields |= {
                "attacked": _accuracy("attacked", attacked.rob_logits, attacked.labels),
                "attack": manifest.attack,
                "threat": manifest.threat,
            }
        model = manifest.std_model if role == "std" else manifest.rob_model
        return cls(model=model, clean=_accuracy("clean", logits, bundle.clean_labels), **fields)


def _accuracy(kind: Accuracy, logits: NDArray[np.float32], labels: NDArray[np.int64]) -> EstimateCard:
    return EstimateCard.of(share(int((logits.argmax(axis=1) == labels).sum()), len(labels), kind))


def save_network(path: Path, network: nn.Module, card: NetworkCard, *, half: bool = False) -> Path:
    """Write a network's weights with its card, whole or not at all.

    Args:
        path: Where to.
        network: On the CPU.
        card: Goes into the file's header.
        half: Store parameters in float16; they must be float16 numbers already, see `round_to_half`.

    Raises:
        BundleError: If the file cannot be written.
    """
    small = {name for name, _ in network.named_parameters()} if half else frozenset[str]()
    tensors = {
        name: (value.half() if name in small else value).contiguous()
        for name, value in network.state_dict().items()
    }
    return write_atomically(
        path, to_safetensors(tensors, metadata={"card": card.model_dump_json()}), BundleError
    )


@torch.no_grad()
def round_to_half(network: nn.Module) -> None:
    """Round every parameter to the nearest float16 number, in place; buffers stay."""
    for parameter in network.parameters():
        parameter.copy_(parameter.half())


def weights_path(pair: str, role: Role, folder: str | os.PathLike[str] | None = None) -> Path:
    """The file of a network's weights, whether or not it exists.

    Args:
        pair: `digits` or `cifar10`.
        role: Which network of the pair.
        folder: Where its files are; the shipped ones if None.

    Raises:
        BundleError: If the shipped ones are asked for and the package of data is not installed.

    Example:
        >>> weights_path("digits", "std", "elsewhere").name
        'digits-std.safetensors'
    """
    where = require_shipped_folder() if folder is None else Path(folder)
    return where / f"{pair}-{role}.safetensors"


def read_card(path: Path) -> NetworkCard:
    """The card in a file of weights.

    Args:
        path: An existing file.

    Raises:
        BundleError: If `save_network` did not write it, or its card is wrong.
    """
    try:
        with safe_open(path, framework="pt") as handle:
            return NetworkCard.model_validate_json((handle.metadata() or {}).get("card", ""))
    except ValidationError as error:
        raise BundleError(f"{path}: the network's card is wrong at {first_problem(error)}") from None
    except (SafetensorError, OSError) as error:
        raise BundleError(f"{path} does not hold the weights of such a network: {error}") from None


def load_network(path: Path, make: Callable[[NetworkCard], Net], remedy: str) -> tuple[Net, NetworkCard]:
    """Read a network, float32, in evaluation mode, and its card.

    Args:
        path: A file that `save_network` wrote.
        make: Builds the network, its weights still to come, from its card.
        remedy: What to do if the file is not there.

    Raises:
        BundleError: If the file is missing, is not such a file, or is damaged.
    """
    if not path.is_file():
        raise BundleError(f"no weights at {path}: {remedy}")
    card = read_card(path)
    try:
        with safe_open(path, framework="pt") as handle:
            weights = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118
        network = make(card)
        network.load_state_dict(weights)
    except (SafetensorError, OSError, RuntimeError, KeyError, TypeError) as error:
        raise BundleError(f"{path} does not hold the weights of such a network: {error}") from None
    if model_card(card.model.spec, network).digest != card.model.digest:
        raise BundleError(f"{path} is damaged: its weights do not match the digest in its card; get it again")
    return network.eval(), card

"""Base classifiers by spec string; the library that a spec names loads when it is first used.

| spec | weights |
|---|---|
| `robustbench:NAME` | `models/<dataset>/<threat>/<NAME>.pt`, fetched by RobustBench if it is not there |
| `robustbench:Bai2024MixedNUTS/std`, `.../rob` | one of the two models in the paper's own mix |
| `timm:NAME[@CHECKPOINT]` | the checkpoint, else timm's own pretrained ones |
| `torchvision:NAME[@CHECKPOINT]` | the checkpoint, else torchvision's own pretrained ones |
| `file:CHECKPOINT@MODULE:FACTORY` | the checkpoint, in the network that the user's own function builds |
| `demo:digits/std`, `demo:digits/rob`, `demo:cifar10/std`, `demo:cifar10/rob` | shipped with the package |

A checkpoint is `.safetensors`, or a file of `torch.save`, read with `weights_only=True`: it cannot run code.
`$MNUTS_MODELS` names another folder than `./models`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import nn

from mnuts_core.bundles.manifest import ModelCard
from mnuts_core.devices import resolve_device
from mnuts_core.models.base import DEMOS, FORMS, Network, Normalised, Request, foreign_code
from mnuts_core.models.checkpoints import ModelError, read_weights
from mnuts_core.models.from_file import load_file_model
from mnuts_core.models.from_libraries import MODELS_VARIABLE, load_robustbench, load_timm, models_folder
from mnuts_core.models.from_torchvision import load_torchvision
from mnuts_core.models.listed import Listed
from mnuts_core.models.predict import model_card

__all__ = [
    "FORMS",
    "MODELS_VARIABLE",
    "LoadedModel",
    "ModelError",
    "Normalised",
    "load_model",
    "models_folder",
    "read_weights",
]


class LoadedModel(NamedTuple):
    """A base classifier, ready to use.

    Attributes:
        module: Images (N, C, H, W) in [0, 1] → raw logits (N, K); it normalises inside, is in evaluation
            mode, and its parameters are frozen.
        card: Its spec, parameter count, and the digest of its weights.
        image_size: Side of the images that it wants; None if any, or if nobody says.
        note: What was done to its checkpoint or network that a user should know; empty if nothing was.
        preprocessing: How its publishers bring images to its size, such as `BicubicRes256Crop224`; empty if
            nobody says.
        listed: How accurate its publishers say that it is; None if they do not, or with other weights.
    """

    module: nn.Module
    card: ModelCard
    image_size: int | None
    note: str = ""
    preprocessing: str = ""
    listed: Listed | None = None


def load_model(
    spec: str,
    *,
    dataset: str | None = None,
    norm: str = "Linf",
    num_classes: int | None = None,
    device: str | torch.device = "cpu",
) -> LoadedModel:
    """The base classifier that a spec names.

    Args:
        spec: One of the forms in the module's table. With `file:`, MODULE is imported (the working
            directory is searched too) and FACTORY called without arguments to build the network,
            normalisation included: **that code runs**, so name only your own. The checkpoint is read as
            weights only.
        dataset: `cifar10`, `cifar100` or `imagenet`: which of RobustBench's models; other specs ignore it.
        norm: `Linf` or `L2` (or `corruptions`): likewise.
        num_classes: K of the images; a model with another number is refused (except with `file:`,
            where nothing says how many there are before an image has gone through).
        device: Where the model shall be.

    Raises:
        ModelError: If the spec is unknown, its weights are missing, broken, or those of another network, or
            it has another number of classes.
        ParameterError: If the device is unknown.
    """
    family, found, rest = str(spec).partition(":")
    if not found or family not in _FAMILIES:
        raise ModelError(f"model {spec!r} is unknown: give one of {FORMS}")
    where = resolve_device(device)
    loaded = _FAMILIES[family](Request(str(spec), rest, dataset, norm, num_classes))
    if num_classes is not None and loaded.classes not in (None, num_classes):
        raise ModelError(
            f"model {spec!r} has {loaded.classes:,} classes, but the images have {num_classes:,}: "
            "give a model trained on these classes"
        )
    with foreign_code(str(spec), "it cannot be used", "it must be a torch.nn.Module of its usual kind"):
        card = loaded.card or model_card(str(spec), loaded.network)
        module = loaded.module.eval().to(where)
        for parameter in module.parameters():  # a TorchScript module has no requires_grad_
            parameter.requires_grad_(False)
    return LoadedModel(module, card, loaded.image_size, loaded.note, loaded.preprocessing, loaded.listed)


def _demo(request: Request) -> Network:
    if request.rest not in DEMOS:
        raise ModelError(f"demo model must be one of {', '.join(DEMOS)}, got {request.rest!r}")
    pair, _, role = request.rest.partition("/")
    demo = importlib.import_module(f"mnuts_core.demo.{pair}")
    network, card = demo.load_network_of(role)
    attacked = None if card.attacked is None else card.attacked.value
    listed = Listed(card.clean.value, attacked, card.threat, "its card, from the shipped bundle's points")
    return Network(network, network, len(demo.CLASSES), demo.IMAGE_SIZE, card.model, listed=listed)


_FAMILIES: Mapping[str, Callable[[Request], Network]] = {
    "robustbench": load_robustbench,
    "timm": load_timm,
    "torchvision": load_torchvision,
    "file": load_file_model,
    "demo": _demo,
}

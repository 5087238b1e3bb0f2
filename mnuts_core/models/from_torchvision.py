"""Base classifiers of torchvision, with its own weights or from a file.

A checkpoint gives the function that torchvision's own loading of the same weights gives. That sets up some
networks otherwise than a plain constructor does (torchvision 0.29; a test compares the two):

- Inception v3 and GoogLeNet: `transform_input`, and auxiliary heads, which GoogLeNet then throws away;
- vision transformers: `image_size`, which differs between weights of one name;
- DenseNets: names of weights with a dot that today's have not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from mnuts_core.extras import import_extra
from mnuts_core.models.base import UNLOADED, Network, Normalised, Request, foreign_code, no_such
from mnuts_core.models.checkpoints import WeightSet, read_weight_sets
from mnuts_core.models.listed import Listed
from mnuts_core.models.network_weights import filled

_AUXILIARY = {"inception_v3": ("AuxLogits",), "googlenet": ("aux1", "aux2")}
"""Heads that only training uses."""
_DOTTED = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\.\w+)$")
"""A DenseNet's names before module names could hold no dots, as in torchvision's own files."""


def load_torchvision(request: Request) -> Network:
    """`torchvision:NAME[@CHECKPOINT]`."""
    models = import_extra("torchvision.models")
    name, checkpoint = request.named()
    if name not in (names := models.list_models(module=models)):
        raise no_such(request, name, names, "torchvision")
    pretrained = models.get_model_weights(name).DEFAULT
    own = len(pretrained.meta["categories"])
    with foreign_code(
        request.spec, UNLOADED, f"connect to the network, or give a checkpoint: torchvision:{name}@FILE"
    ):
        if checkpoint is None:
            network, classes, note = models.get_model(name, weights=pretrained), own, ""
        else:
            network, classes, note = _from_file(request.spec, models, name, checkpoint, own)
    prepare = pretrained.transforms()
    fixed = getattr(network, "image_size", None)
    size = fixed or (prepare.crop_size[0] if classes == own else None)
    module = Normalised(network, prepare.mean, prepare.std)
    if classes != own:
        return Network(network, module, classes, size, note=note)
    bicubic = "Bicubic" if prepare.interpolation.value == "bicubic" else ""
    how = f"{bicubic}Res{prepare.resize_size[0]}Crop{prepare.crop_size[0]}"
    return Network(network, module, classes, size, None, note, how, _listed(pretrained, checkpoint))


def _listed(pretrained: Any, checkpoint: Path | None) -> Listed | None:
    """What torchvision says of its own weights; nothing of those in a file."""
    metrics = pretrained.meta.get("_metrics", {}).get("ImageNet-1K", {})
    if checkpoint is not None or "acc@1" not in metrics:
        return None
    return Listed(metrics["acc@1"] / 100, source=f"torchvision, {pretrained}, on ImageNet")


def _from_file(spec: str, models: Any, name: str, checkpoint: Path, own: int) -> tuple[nn.Module, int, str]:
    """A network with a checkpoint's weights, for how many classes it is, and what is worth a note."""
    sets = [found._replace(weights=_undotted(found.weights)) for found in read_weight_sets(checkpoint)]
    build = partial(models.get_model, name, weights=None, **_settings(name, sets))
    loaded = filled(spec, sets, own, build)
    network, note = loaded.network, loaded.note
    if name == "googlenet":
        for attribute, value in (("aux_logits", False), ("aux1", None), ("aux2", None)):
            setattr(network, attribute, value)  # as torchvision does
    if name in _AUXILIARY and loaded.classes != own:
        set_up = "its input is rescaled as for torchvision's own weights (transform_input)"
        note = f"{note}; {set_up}" if note else set_up
    return network, loaded.classes, note


def _settings(name: str, sets: list[WeightSet]) -> dict[str, Any]:
    """What the constructor must be given to make the network that these weights are for."""
    weights = {key: value for found in sets for key, value in found.weights.items()}
    if name in _AUXILIARY:
        heads = any(_is_part(key, _AUXILIARY[name]) for key in weights)
        return {"transform_input": True, "init_weights": False, "aux_logits": heads}
    place = next((value for key, value in weights.items() if key.endswith("encoder.pos_embedding")), None)
    patch = next((value for key, value in weights.items() if key.endswith("conv_proj.weight")), None)
    if name.startswith("vit_") and place is not None and patch is not None and place.ndim == 3:
        return {"image_size": math.isqrt(place.shape[1] - 1) * patch.shape[-1]}  # one place is the class's
    return {}


def _is_part(key: str, names: Collection[str]) -> bool:
    return any(part in names for part in key.split("."))


def _undotted(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {_DOTTED.sub(r"\1\2", key): value for key, value in weights.items()}

"""Base classifiers of RobustBench and timm.

A checkpoint goes through timm's own loading of pretrained weights, since that sets up some networks otherwise
than making them anew does (the ε of FBNet's batch norms), and takes weights under older names.
"""

from __future__ import annotations

import importlib
import logging
import math
import os
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from mnuts_core.extras import import_extra
from mnuts_core.io.untrusted import existing_file
from mnuts_core.models.base import UNLOADED, Network, Normalised, Request, foreign_code, no_such
from mnuts_core.models.checkpoints import ModelError, load_weights, read_weight_sets
from mnuts_core.models.compat import import_robustbench
from mnuts_core.models.listed import on_leaderboard
from mnuts_core.models.network_weights import filled

MODELS_VARIABLE = "MNUTS_MODELS"
"""The environment variable that names RobustBench's folder of weights, instead of `./models`."""
IMAGENET_CLASSES = 1000
DATASET_CLASSES = {"cifar10": 10, "cifar100": 100, "imagenet": IMAGENET_CLASSES}
"""The data sets that RobustBench has models for."""
NORMS = ("Linf", "L2", "corruptions")


def models_folder() -> Path:
    """RobustBench's folder of weights: `$MNUTS_MODELS`, else `./models`."""
    return Path(os.environ.get(MODELS_VARIABLE) or "models").expanduser()


def load_robustbench(request: Request) -> Network:
    """`robustbench:NAME`, and the parts of a mix."""
    name, _, part = request.rest.partition("/")
    dataset = _one_of(request, "dataset", request.dataset, DATASET_CLASSES)
    norm = _one_of(request, "norm", request.norm, NORMS)
    import_robustbench()
    zoo, utils = (importlib.import_module(f"robustbench.{part}") for part in ("model_zoo", "utils"))
    kinds = importlib.import_module("robustbench.model_zoo.enums")
    entries = zoo.model_dicts[kinds.BenchmarkDataset(dataset)].get(kinds.ThreatModel(norm), {})
    if name not in entries:
        raise no_such(request, name, entries, f"RobustBench for {dataset}, {norm}")
    many = isinstance(entries[name]["gdrive_id"], list)  # an ensemble: a file for each of its models
    path = models_folder() / dataset / norm / (f"{name}.pt_m0.pt, _m1.pt, ..." if many else f"{name}.pt")
    for file in [path, *sorted(path.parent.glob(f"{name}.pt_m*.pt"))]:
        if file.is_file():
            existing_file(file, ModelError)  # an HTML page, say, is named as what it is
    found = f"the file at {path} is damaged or of another model: get it again"
    missing = f"it is looked for at {path}: put it there, or connect to the network"
    with foreign_code(request.spec, UNLOADED, found if path.is_file() else missing):
        module = utils.load_model(name, model_dir=models_folder(), dataset=dataset, threat_model=norm)
    if part:
        module = _part_of_mix(request.spec, module, part)
    how = entries[name].get("preprocessing") if dataset == "imagenet" else None
    size = 32 if dataset != "imagenet" else _last_number(how, 224)
    how = how if isinstance(how, str) else ""
    listed = on_leaderboard(request.rest, dataset, norm)
    return Network(module, module, DATASET_CLASSES[dataset], size, preprocessing=how, listed=listed)


def _one_of(request: Request, what: str, value: str | None, allowed: Collection[str]) -> str:
    """An option of the request, if it is one that RobustBench has models for."""
    if value is None or value not in allowed:
        raise ModelError(
            f"model {request.spec!r} needs {what} to be one of {', '.join(allowed)}, got {value!r}"
        )
    return value


def _part_of_mix(spec: str, module: nn.Module, part: str) -> nn.Module:
    """The standard or the robust model inside a mixed classifier of RobustBench."""
    found = getattr(module, f"{part}_model", None) if part in ("std", "rob") else None
    if not isinstance(found, nn.Module):
        raise ModelError(f"model {spec!r}: only mixed classifiers have parts, and these are std and rob")
    return found


def _last_number(name: object, otherwise: int) -> int:
    """224 in `Res256Crop224`."""
    found = re.search(r"(\d+)$", name) if isinstance(name, str) else None
    return int(found[1]) if found else otherwise


def load_timm(request: Request) -> Network:
    """`timm:NAME[@CHECKPOINT]`."""
    timm = import_extra("timm")
    name, checkpoint = request.named()
    if not timm.is_model(name):
        raise no_such(request, name, timm.list_models(), "timm")
    with foreign_code(
        request.spec, UNLOADED, f"connect to the network, or give a checkpoint: timm:{name}@FILE"
    ):
        if checkpoint is None:
            network, note = timm.create_model(name, pretrained=True), ""
        else:
            network, note = _timm_from_file(request.spec, timm, name, checkpoint)
        config = timm.data.resolve_model_data_config(network)
    cfg = network.pretrained_cfg
    own_task = network.num_classes == timm_classes(timm, name)
    size = config["input_size"][-1] if own_task or cfg.get("fixed_input_size") else None
    module = Normalised(network, config["mean"], config["std"])
    how = ""
    if own_task:
        side = config["input_size"][-1]
        bicubic = "Bicubic" if config["interpolation"] == "bicubic" else ""
        how = f"{bicubic}Res{math.floor(side / config['crop_pct'])}Crop{side}"  # as timm reckons it
    return Network(network, module, network.num_classes, size, note=note, preprocessing=how)


def timm_classes(timm: Any, name: str) -> int:
    """For how many classes timm's own weights are; those of ImageNet where they are for features alone."""
    known = timm.get_pretrained_cfg(name)
    return known.num_classes if known and known.num_classes > 0 else IMAGENET_CLASSES


def _timm_from_file(spec: str, timm: Any, name: str, checkpoint: Path) -> tuple[nn.Module, str]:
    """Timm's own loading of pretrained weights; where it fails, or leaves weights as they were, an error."""
    plain = filled(
        spec,
        read_weight_sets(checkpoint),
        timm_classes(timm, name),
        partial(timm.create_model, name),
        must_fit=False,
    )
    cfg = {"state_dict": plain.weights, "num_classes": plain.classes, "source": "", "custom_load": False}
    with _missing_weights() as missing:
        try:
            network = timm.create_model(
                name, pretrained=True, num_classes=plain.classes, pretrained_cfg_overlay=cfg
            )
        except Exception:  # of weights for another network, timm says so at length
            load_weights(plain.network, plain.weights, spec)
            raise
    network.pretrained_cfg.pop("state_dict", None)
    if plain.fits or missing:
        load_weights(network, plain.weights, spec)
    return network, plain.note


@contextmanager
def _missing_weights() -> Iterator[list[str]]:
    """What timm logs of weights that a checkpoint lacks: for some networks it goes on without them."""
    logger, missing = logging.getLogger("timm.models._builder"), _Missing()
    before = logger.level
    logger.addHandler(missing)
    logger.setLevel(logging.INFO)
    try:
        yield missing.seen
    finally:
        logger.setLevel(before)
        logger.removeHandler(missing)


class _Missing(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if (message := record.getMessage()).startswith("Missing keys"):
            self.seen.append(message)

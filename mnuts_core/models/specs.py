"""Base classifiers by spec string; the library that a spec names loads when it is first used.

| spec | weights |
|---|---|
| `robustbench:NAME` | `models/<dataset>/<threat>/<NAME>.pt`, fetched by RobustBench if it is not there |
| `robustbench:Bai2024MixedNUTS/std`, `.../rob` | one of the two models in the paper's own mix |
| `timm:NAME[@CHECKPOINT]` | the checkpoint, else timm's own pretrained ones |
| `torchvision:NAME[@CHECKPOINT]` | the checkpoint, else torchvision's own pretrained ones |
| `file:CHECKPOINT@MODULE:FACTORY` | the checkpoint, in the network that the user's own function builds |
| `demo:digits/std`, `demo:digits/rob`, `demo:cifar10/std`, `demo:cifar10/rob` | shipped with the package |

A checkpoint is `.safetensors`, or `.pt`/`.pth` read with `weights_only=True`: it cannot run code.
`$MNUTS_MODELS` names another folder than `./models`.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import os
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from mnuts_core.bundles.manifest import ModelCard
from mnuts_core.devices import resolve_device
from mnuts_core.io.untrusted import brief
from mnuts_core.models.checkpoints import ModelError, count_classes, load_weights, read_weights
from mnuts_core.models.compat import import_robustbench
from mnuts_core.models.predict import model_card

MODELS_VARIABLE = "MNUTS_MODELS"
"""The environment variable that names RobustBench's folder of weights, instead of `./models`."""
IMAGENET_CLASSES = 1000
DATASET_CLASSES = {"cifar10": 10, "cifar100": 100, "imagenet": IMAGENET_CLASSES}
"""The data sets that RobustBench has models for."""
NORMS = ("Linf", "L2", "corruptions")
DEMOS = ("digits/std", "digits/rob", "cifar10/std", "cifar10/rob")
FORMS = (
    "robustbench:NAME, timm:NAME[@CHECKPOINT], torchvision:NAME[@CHECKPOINT], "
    f"file:CHECKPOINT@MODULE:FACTORY, {' or '.join(f'demo:{name}' for name in DEMOS)}"
)


class LoadedModel(NamedTuple):
    """A base classifier, ready to use.

    Attributes:
        module: Images (N, C, H, W) in [0, 1] → raw logits (N, K); it normalises inside, is in evaluation
            mode, and its parameters are frozen.
        card: Its spec, parameter count, and the digest of its weights.
        image_size: Side of the images that it wants; None if any, or if nobody says.
    """

    module: nn.Module
    card: ModelCard
    image_size: int | None


class Normalised(nn.Module):
    """A network behind the normalisation that it was trained with: images in [0, 1] in, logits out.

    Args:
        network: Takes (x - mean) / std.
        mean: One number a channel.
        std: One positive number a channel.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(-1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Logits of images (N, C, H, W) in [0, 1]."""
        logits: Tensor = self.network((images - self.mean) / self.std)
        return logits


class Request(NamedTuple):
    """What `load_model` was asked for, split up: `family:rest`."""

    spec: str
    rest: str
    dataset: str | None
    norm: str
    num_classes: int | None

    def named(self) -> tuple[str, Path | None]:
        """The model's name and, after an `@`, the checkpoint."""
        name, found, checkpoint = self.rest.partition("@")
        if not name or (found and not checkpoint):
            raise ModelError(f"model {self.spec!r} is incomplete: give one of {FORMS}")
        return name, Path(checkpoint) if found else None


class Network(NamedTuple):
    """What a family of specs loads: the library's network, what stands around it, and what it wants."""

    network: nn.Module
    module: nn.Module
    classes: int | None
    image_size: int | None
    card: ModelCard | None = None


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
    card = loaded.card or model_card(str(spec), loaded.network)
    return LoadedModel(loaded.module.eval().requires_grad_(False).to(where), card, loaded.image_size)


def models_folder() -> Path:
    """RobustBench's folder of weights: `$MNUTS_MODELS`, else `./models`."""
    return Path(os.environ.get(MODELS_VARIABLE) or "models").expanduser()


def _robustbench(request: Request) -> Network:
    (name, _, part), dataset, norm = request.rest.partition("/"), request.dataset, request.norm
    for what, value, allowed in (("dataset", dataset, DATASET_CLASSES), ("norm", norm, NORMS)):
        if value not in allowed:
            raise ModelError(
                f"model {request.spec!r} needs {what} to be one of {', '.join(allowed)}, got {value!r}"
            )
    assert dataset is not None  # for the type checker
    import_robustbench()
    zoo, utils = (importlib.import_module(f"robustbench.{part}") for part in ("model_zoo", "utils"))
    kinds = importlib.import_module("robustbench.model_zoo.enums")
    entries = zoo.model_dicts[kinds.BenchmarkDataset(dataset)].get(kinds.ThreatModel(norm), {})
    if name not in entries:
        raise _no_such(request, name, entries, f"RobustBench for {dataset}, {norm}")
    many = isinstance(entries[name]["gdrive_id"], list)  # an ensemble: a file for each of its models
    path = models_folder() / dataset / norm / (f"{name}.pt_m0.pt, _m1.pt, ..." if many else f"{name}.pt")
    found = f"the file at {path} is damaged or of another model: get it again"
    missing = f"it is looked for at {path}: put it there, or connect to the network"
    with _library(request.spec, found if path.is_file() else missing):
        module = utils.load_model(name, model_dir=models_folder(), dataset=dataset, threat_model=norm)
    if part:
        module = _part_of_mix(request.spec, module, part)
    size = 32 if dataset != "imagenet" else _last_number(entries[name].get("preprocessing"), 224)
    return Network(module, module, DATASET_CLASSES[dataset], size)


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


def _timm(request: Request) -> Network:
    timm = importlib.import_module("timm")
    name, checkpoint = request.named()
    if not timm.is_model(name):
        raise _no_such(request, name, timm.list_models(), "timm")
    with _library(request.spec, f"connect to the network, or give a checkpoint: timm:{name}@FILE"):
        if checkpoint is None:
            network = timm.create_model(name, pretrained=True)
        else:
            known = timm.get_pretrained_cfg(name)
            own = known.num_classes if known else IMAGENET_CLASSES
            network, _ = _filled(request.spec, checkpoint, own, partial(timm.create_model, name))
    config = timm.data.resolve_model_data_config(network)
    cfg = network.pretrained_cfg
    own_task = network.num_classes == cfg.get("num_classes")
    size = config["input_size"][-1] if own_task or cfg.get("fixed_input_size") else None
    return Network(network, Normalised(network, config["mean"], config["std"]), network.num_classes, size)


def _filled(
    spec: str, checkpoint: Path, classes: int, build: Callable[..., nn.Module]
) -> tuple[nn.Module, int]:
    """A network with a checkpoint's weights, and for how many classes it is.

    Args:
        spec: What the user asked for, for messages.
        checkpoint: The file.
        classes: What to try first, the library's own number.
        build: Takes `num_classes`.
    """
    weights = read_weights(checkpoint)
    network = build(num_classes=classes)
    if (found := count_classes(network, classes, weights)) != classes:
        network = build(num_classes=found)
    load_weights(network, weights, spec)
    return network, found


def _torchvision(request: Request) -> Network:
    models = importlib.import_module("torchvision.models")
    name, checkpoint = request.named()
    if name not in (names := models.list_models(module=models)):
        raise _no_such(request, name, names, "torchvision")
    pretrained = models.get_model_weights(name).DEFAULT
    own = len(pretrained.meta["categories"])
    with _library(request.spec, f"connect to the network, or give a checkpoint: torchvision:{name}@FILE"):
        if checkpoint is None:
            network, classes = models.get_model(name, weights=pretrained), own
        else:
            build = partial(models.get_model, name, weights=None)
            network, classes = _filled(request.spec, checkpoint, own, build)
    prepare = pretrained.transforms()
    fixed = getattr(network, "image_size", None)
    size = fixed or (prepare.crop_size[0] if classes == own else None)
    return Network(network, Normalised(network, prepare.mean, prepare.std), classes, size)


def _file(request: Request) -> Network:
    checkpoint, _, place = request.rest.rpartition("@")
    module_name, _, factory_name = place.partition(":")
    if not (checkpoint and module_name and factory_name):
        raise ModelError(f"model {request.spec!r} is incomplete: give file:CHECKPOINT@MODULE:FACTORY")
    weights = read_weights(checkpoint)
    network = _factory(request.spec, module_name, factory_name)()
    if not isinstance(network, nn.Module):
        raise ModelError(
            f"model {request.spec!r}: {place} must return an nn.Module, got {type(network).__name__}"
        )
    load_weights(network, weights, request.spec)
    return Network(network, network, None, None)


def _factory(spec: str, module_name: str, factory_name: str) -> Callable[[], object]:
    """The user's own function; their module is imported, from the working directory if it is there."""
    here = os.getcwd()
    sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise ModelError(
            f"model {spec!r}: module {module_name!r} cannot be imported ({error}): run in its folder"
        ) from None
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(here)
    factory = getattr(module, factory_name, None)
    if not callable(factory):
        raise ModelError(f"model {spec!r}: {module_name} has no function {factory_name!r}")
    return cast(Callable[[], object], factory)


def _demo(request: Request) -> Network:
    if request.rest not in DEMOS:
        raise ModelError(f"demo model must be one of {', '.join(DEMOS)}, got {request.rest!r}")
    pair, _, role = request.rest.partition("/")
    demo = importlib.import_module(f"mnuts_core.demo.{pair}")
    network, card = demo.load_network_of(role)
    return Network(network, network, len(demo.CLASSES), demo.IMAGE_SIZE, card.model)


_FAMILIES: Mapping[str, Callable[[Request], Network]] = {
    "robustbench": _robustbench,
    "timm": _timm,
    "torchvision": _torchvision,
    "file": _file,
    "demo": _demo,
}


def _no_such(request: Request, name: str, names: Collection[str], library: str) -> ModelError:
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.3) or sorted(names)[:3]
    hint = f"did you mean {', '.join(close)}?" if close else "it has none"
    return ModelError(f"model {request.spec!r}: {name!r} is not among the models of {library}: {hint}")


@contextmanager
def _library(spec: str, remedy: str) -> Iterator[None]:
    """Call a library that may download: what it prints goes to standard error, what it raises is one line."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except ModelError:
        raise
    except Exception as error:  # network, disk, format: whatever the library's loader does not expect
        raise ModelError(f"model {spec!r}: its weights cannot be loaded ({brief(error)}): {remedy}") from None

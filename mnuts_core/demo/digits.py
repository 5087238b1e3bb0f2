"""The demo pair: an accurate and a robust network on scikit-learn's digits, trained in a minute."""

from __future__ import annotations

import importlib.resources
import os
from contextlib import nullcontext
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_safetensors
from torch import Tensor

from mnuts_core.attacks.norms import Norm, make_ball
from mnuts_core.build import build_bundle, model_card, predict, progress_bar
from mnuts_core.demo.networks import DigitsNet, make_network
from mnuts_core.demo.training import Recipe, reproducible, train
from mnuts_core.errors import BundleError
from mnuts_core.files import write_atomically
from mnuts_core.manifest import DataCard, ModelCard, first_problem

Role = Literal["std", "rob"]

NORM: Norm = "Linf"
EPS = 3 / 16
"""The threat model: each pixel, of 17 grey levels 0, 1/16, ..., 1, moves by at most three levels."""
N_TRAIN = 797
"""Images to train on; the other 1,000 of the 1,797 are the validation images."""
SEED = 0
"""Seed of the split, the first weights and the training."""
ATTACK_SEED = 5
"""Seed of MMAA's starts: of 0 to 7 the one that leaves the fewest right, 688 (the others: 689 to 695)."""
WEIGHT_UNIT = 2.0**-12
"""Weights are stored as multiples of this."""

RECIPES: dict[Role, Recipe] = {
    "std": Recipe(width=16, hidden=64, epochs=60, rate=0.05, shift=1),
    "rob": Recipe(width=6, hidden=32, epochs=60, rate=0.05, ball=make_ball(NORM, 6 / 16), ramp=0.7),
}
"""How each network is trained."""

DATA = DataCard(
    name="digits",
    split=f"validation: {1797 - N_TRAIN} of 1,797 images, stratified by class, seed {SEED}",
    source=(
        "Optical Recognition of Handwritten Digits (E. Alpaydin, C. Kaynak; UCI Machine Learning Repository, "
        "CC BY 4.0), its test part as scikit-learn carries it (sklearn.datasets.load_digits): 8 x 8 pixels "
        "of 17 grey levels, divided by 16. Images in the bundle are rounded to 1/255."
    ),
)
CLASSES = tuple("0123456789")


class Split(NamedTuple):
    """Part of the digits: images float64 (N, 1, 8, 8) in [0, 1], labels int64 (N,) in [0, 10)."""

    images: Tensor
    labels: Tensor


class DigitsPaths(NamedTuple):
    """The three files that `build_digits` writes."""

    bundle: Path
    std: Path
    rob: Path


class NetworkCard(BaseModel):
    """What a weights file says of itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: ModelCard
    width: int = Field(ge=1, le=1024)
    hidden: int = Field(ge=1, le=4096)
    recipe: str
    seed: int
    accuracy: float
    """Share of the clean validation images that it gets right."""


def load_digits_split() -> tuple[Split, Split]:
    """The training and the validation images of scikit-learn's digits, always the same.

    Each class is shuffled and spread evenly over a list; the list's first 797 images train. So both
    parts, and each prefix of the validation part, hold the classes in nearly equal shares.
    """
    from sklearn.datasets import load_digits

    raw = load_digits()
    images = torch.from_numpy(raw.images / 16.0).unsqueeze(1)
    labels = torch.from_numpy(raw.target).long()
    generator = torch.Generator().manual_seed(SEED)
    place = torch.empty(len(labels), dtype=torch.float64)
    for digit in range(len(CLASSES)):
        rows = (labels == digit).nonzero().squeeze(1)
        shuffled = rows[torch.randperm(len(rows), generator=generator)]
        place[shuffled] = (torch.arange(len(rows), dtype=torch.float64) + 0.5) / len(rows)
    order = place.argsort(stable=True)
    first, rest = order[:N_TRAIN], order[N_TRAIN:]
    return Split(images[first], labels[first]), Split(images[rest], labels[rest])


def train_digits(role: Role, *, progress: bool = False) -> DigitsNet:
    """Train one of the two networks from scratch, in float64, and round its weights to multiples of 2⁻¹².

    Machines that round sums differently end some 1e-10 apart; the coarse rounding makes that vanish.

    Args:
        role: `"std"`: on the images, moved by up to a pixel. `"rob"`: against PGD.
        progress: Show a progress bar on standard error.

    Returns:
        The network, float32.
    """
    recipe, (images, labels) = RECIPES[role], load_digits_split()[0]
    network = make_network(recipe.width, recipe.hidden, SEED)
    with reproducible(SEED), progress_bar(f"train {role}") if progress else nullcontext() as show:
        train(network, images, labels, recipe, seed=SEED, progress=show)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_((parameter / WEIGHT_UNIT).round() * WEIGHT_UNIT)
    return network.float()


def build_digits(out_dir: str | os.PathLike[str], *, progress: bool = False) -> DigitsPaths:
    """Train both networks, run MMAA on all validation images, and write bundle and weights.

    Networks and attack are computed in float64 by `reproducible`, so that machines agree as far as they
    can; what is stored is float32.

    Args:
        out_dir: Existing folder for `digits.safetensors`, `digits-std.safetensors` and
            `digits-rob.safetensors`.
        progress: Show progress bars on standard error.

    Returns:
        The three paths.

    Raises:
        BundleError: If the folder does not exist or cannot be written.
    """
    folder = Path(out_dir)
    if not folder.is_dir():
        raise BundleError(f"out_dir must be an existing folder, got {folder}: create it first")
    validation = load_digits_split()[1]
    std, rob = train_digits("std", progress=progress), train_digits("rob", progress=progress)
    std_path, std_card = _save_network(folder, "std", std, validation)
    rob_path, rob_card = _save_network(folder, "rob", rob, validation)
    with reproducible(SEED), progress_bar("attack rob") if progress else nullcontext() as show:
        bundle = build_bundle(
            std.double(),
            rob.double(),
            validation.images,
            validation.labels,
            norm=NORM,
            eps=EPS,
            seed=ATTACK_SEED,
            name="digits",
            classes=CLASSES,
            data=DATA,
            std_card=std_card,
            rob_card=rob_card,
            command="mnuts demo build digits",
            with_images=True,
            batch_size=len(validation.images),
            progress=show,
            device="cpu",
        )
    return DigitsPaths(bundle.save(folder / "digits.safetensors"), std_path, rob_path)


def load_digits_models(folder: str | os.PathLike[str] | None = None) -> tuple[DigitsNet, DigitsNet]:
    """The accurate and the robust network, float32, in evaluation mode.

    Args:
        folder: Where `digits-std.safetensors` and `digits-rob.safetensors` are; the shipped ones if None.

    Raises:
        BundleError: If a file is missing, is not such a file, or is damaged.
    """
    where = digits_folder() if folder is None else Path(folder)
    return _load_network(_weights_path(where, "std"))[0], _load_network(_weights_path(where, "rob"))[0]


def load_network_card(role: Role, folder: str | os.PathLike[str] | None = None) -> NetworkCard:
    """What a weights file says of itself.

    Args:
        role: Which network.
        folder: See `load_digits_models`.

    Raises:
        BundleError: As `load_digits_models`.
    """
    return _load_network(_weights_path(digits_folder() if folder is None else Path(folder), role))[1]


def digits_folder() -> Path:
    """Where the shipped files are."""
    return Path(str(importlib.resources.files("mnuts_data")))


def _weights_path(folder: Path, role: Role) -> Path:
    return folder / f"digits-{role}.safetensors"


def _save_network(folder: Path, role: Role, network: DigitsNet, validation: Split) -> tuple[Path, ModelCard]:
    logits = predict(network, validation.images.float(), device="cpu")
    card = NetworkCard(
        model=model_card(f"demo:digits/{role}", network),
        width=network.width,
        hidden=network.hidden,
        recipe=str(RECIPES[role]),
        seed=SEED,
        accuracy=float((logits.argmax(dim=1) == validation.labels).double().mean()),
    )
    content = to_safetensors(network.state_dict(), metadata={"card": card.model_dump_json()})
    return write_atomically(_weights_path(folder, role), content, BundleError), card.model


def _load_network(path: Path) -> tuple[DigitsNet, NetworkCard]:
    if not path.is_file():
        raise BundleError(f"no weights at {path}: make them with `mnuts demo build digits`")
    try:
        with safe_open(path, framework="pt") as handle:
            card = NetworkCard.model_validate_json((handle.metadata() or {}).get("card", ""))
            weights = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118
        network = DigitsNet(card.width, card.hidden, len(CLASSES))
        network.load_state_dict(weights)
    except ValidationError as error:
        raise BundleError(f"{path}: the network's card is wrong at {first_problem(error)}") from None
    except (SafetensorError, OSError, RuntimeError) as error:
        raise BundleError(f"{path} does not hold the weights of a digits network: {error}") from None
    if model_card(card.model.spec, network).digest != card.model.digest:
        raise BundleError(f"{path} is damaged: its weights do not match the digest in its card; get it again")
    return network.eval(), card

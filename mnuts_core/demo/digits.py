"""The demo pair: an accurate and a robust network on scikit-learn's digits, trained in a minute."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

import torch

from mnuts_core.attacks.mmaa import Mmaa
from mnuts_core.attacks.norms import Norm, make_ball
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.datasets.digits import CLASSES, DATA, N_TRAIN, SEED, Split, load_digits_split
from mnuts_core.demo.best_mixes import refine_and_verify
from mnuts_core.demo.digits_network import DigitsNet, make_network
from mnuts_core.demo.digits_training import Recipe, reproducible, train
from mnuts_core.demo.weights import NetworkCard, Role, load_network, save_network, weights_path
from mnuts_core.demo.workshop import workshop
from mnuts_core.pipeline.attack_run import Run
from mnuts_core.pipeline.build import build_bundle, model_card, progress_bar
from mnuts_core.search.grids import GridSpec

NORM: Norm = "Linf"
EPS = 3 / 16
"""The threat model: each pixel, of 17 grey levels 0, 1/16, ..., 1, moves by at most three levels."""
ATTACK_SEED = 5
"""Seed of MMAA's starts: of 0 to 7 the one that leaves the fewest right, 688 (the others: 689 to 695)."""
WEIGHT_UNIT = 2.0**-12
"""Weights are stored as multiples of this."""

RECIPES: dict[Role, Recipe] = {
    "std": Recipe(width=16, hidden=64, epochs=60, rate=0.05, shift=1),
    "rob": Recipe(width=6, hidden=32, epochs=60, rate=0.05, ball=make_ball(NORM, 6 / 16), ramp=0.7),
}
"""How each network is trained."""
TRAINING_DATA = DATA.model_copy(update={"split": f"training: the other {N_TRAIN} of the 1,797 images"})
GRID = GridSpec.paper("cifar10")
"""Where Algorithm 1 looks for the best mixes."""
IMAGE_SIZE = 8


class DigitsPaths(NamedTuple):
    """The files that `build_digits` writes, together at its end."""

    bundle: Path
    std: Path
    rob: Path
    configs: tuple[Path, ...]


def train_digits(role: Role, *, progress: bool = False) -> DigitsNet:
    """Train one of the two networks from scratch, in float64, and round its weights to multiples of 2⁻¹².

    Machines that round sums differently end some 1e-10 apart; the coarse rounding makes that vanish.

    Args:
        role: `"std"`: on the images, moved by up to a pixel. `"rob"`: against PGD.
        progress: Show a progress bar on standard error.

    Returns:
        The network, float32, in evaluation mode.
    """
    recipe, (images, labels) = RECIPES[role], load_digits_split()[0]
    network = make_network(recipe.width, recipe.hidden, SEED)
    with reproducible(SEED), progress_bar(f"train {role}") if progress else nullcontext() as show:
        train(network, images, labels, recipe, seed=SEED, progress=show)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_((parameter / WEIGHT_UNIT).round() * WEIGHT_UNIT)
    return network.float().eval()


def build_digits(out_dir: str | os.PathLike[str], *, progress: bool = False) -> DigitsPaths:
    """Train both networks, run MMAA on all validation images, refine, verify the best mixes, write it all.

    Networks and MMAA are computed in float64 by `reproducible`, so that machines agree as far as they can;
    what is stored is float32, and so are the attacks on mixes computed. Their finished parts are kept in
    `digits.demo-work` inside the folder until all is done, so that a run that was killed goes on from there.

    Args:
        out_dir: Existing folder for `digits.safetensors`, `digits-std.safetensors`,
            `digits-rob.safetensors` and the configurations of the best mixes.
        progress: Show progress bars on standard error.

    Returns:
        The paths.

    Raises:
        BundleError: If the folder does not exist or cannot be written.
    """
    with workshop(out_dir, "digits") as shop:
        validation = load_digits_split()[1]
        std, rob = train_digits("std", progress=progress), train_digits("rob", progress=progress)
        bundle = _attacked(std, rob, validation, shop.work / "bundle", progress)
        std_path = _save_network(shop.files, "std", std, bundle)
        rob_path = _save_network(shop.files, "rob", rob, bundle)
        images, n = validation.images.float(), len(validation.labels)
        run = Run(std.float(), rob.float(), images, validation.labels, batch_size=n, device="cpu")
        with reproducible(SEED):
            bundle, configs = refine_and_verify(
                bundle, run, shop.work, grid=GRID, precision="full", n=n, progress=progress
            )
        path = bundle.save(shop.files / "digits.safetensors")
        written = [config.save(shop.files / name) for name, config in configs.items()]
    placed = shop.placed
    return DigitsPaths(placed(path), placed(std_path), placed(rob_path), tuple(map(placed, written)))


def _attacked(std: DigitsNet, rob: DigitsNet, validation: Split, work: Path, progress: bool) -> LogitBundle:
    """The bundle: both networks on all validation images, and MMAA on all of them, in float64."""
    cards = [model_card(f"demo:digits/{role}", net) for role, net in (("std", std), ("rob", rob))]
    with reproducible(SEED), progress_bar("attack rob") if progress else nullcontext() as show:
        return build_bundle(
            std.double(),
            rob.double(),
            validation.images,
            validation.labels,
            attack=Mmaa(norm=NORM, eps=EPS, seed=ATTACK_SEED),
            name="digits",
            classes=CLASSES,
            data=DATA,
            std_card=cards[0],
            rob_card=cards[1],
            command="mnuts demo build digits",
            with_images=True,
            batch_size=len(validation.images),
            progress=show,
            device="cpu",
            work_dir=work,
        )


def load_digits_models(folder: str | os.PathLike[str] | None = None) -> tuple[DigitsNet, DigitsNet]:
    """The accurate and the robust network, float32, in evaluation mode.

    Args:
        folder: Where `digits-std.safetensors` and `digits-rob.safetensors` are; the shipped ones if None.

    Raises:
        BundleError: If a file is missing, is not such a file, or is damaged.
    """
    return load_network_of("std", folder)[0], load_network_of("rob", folder)[0]


def load_network_of(
    role: Role, folder: str | os.PathLike[str] | None = None
) -> tuple[DigitsNet, NetworkCard]:
    """One of the two networks, float32, in evaluation mode, and what its file says of it.

    Args:
        role: Which network.
        folder: See `load_digits_models`.

    Raises:
        BundleError: As `load_digits_models`.
    """
    remedy = "make them with `mnuts demo build digits`"
    return load_network(weights_path("digits", role, folder), _network_of, remedy)


def _network_of(card: NetworkCard) -> DigitsNet:
    width, hidden = card.architecture["width"], card.architecture["hidden"]
    if not (isinstance(width, int) and isinstance(hidden, int) and 0 < width <= 1024 and 0 < hidden <= 4096):
        raise TypeError("its card names no digits network")
    return DigitsNet(width, hidden, len(CLASSES))


def _save_network(folder: Path, role: Role, network: DigitsNet, bundle: LogitBundle) -> Path:
    card = NetworkCard.measured(
        bundle,
        role,
        architecture={"width": network.width, "hidden": network.hidden},
        recipe=str(RECIPES[role]),
        seed=SEED,
        training=TRAINING_DATA,
    )
    return save_network(weights_path("digits", role, folder), network.float(), card)

"""The shipped default: an accurate and a robust network on CIFAR-10, ℓ∞ 8/255, small enough for a laptop."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from mnuts_core.attacks.mmaa import Mmaa
from mnuts_core.attacks.norms import Norm
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.manifest import DataCard
from mnuts_core.datasets.base import LoadedData
from mnuts_core.datasets.specs import CIFAR10_CLASSES as CLASSES
from mnuts_core.datasets.specs import load_data
from mnuts_core.demo.best_mixes import refine_and_verify
from mnuts_core.demo.cifar10_network import CifarNet, make_network
from mnuts_core.demo.cifar10_residual import ResidualNet
from mnuts_core.demo.cifar10_training import CifarRecipe, train_network
from mnuts_core.demo.kept_precision import kept_precision, trained_in
from mnuts_core.demo.weights import (
    NetworkCard,
    Role,
    load_network,
    round_to_half,
    save_network,
    weights_path,
)
from mnuts_core.demo.workshop import workshop
from mnuts_core.devices import resolve_device
from mnuts_core.models.inputs import Precision
from mnuts_core.pipeline.attack_run import Run
from mnuts_core.pipeline.build import build_bundle, model_card, progress_bar
from mnuts_core.search.grids import GridSpec

NORM: Norm = "Linf"
EPS = 8 / 255
SEED = 0
"""Seed of the first weights, the training and the attacks."""
IMAGE_SIZE = 32
N_ADV = 1000
"""Images attacked by MMAA where there is no GPU; all 10,000 where there is one."""
N_VERIFIED = 500
"""Images of the adaptive attack where there is no GPU; 1,000 where there is one."""

WIDTHS = (64, 256, 256)
RECIPES: dict[Role, tuple[CifarRecipe, ...]] = {
    "std": (
        CifarRecipe(WIDTHS, epochs=10, rate=0.4, batch_size=512, whitened=True),
        CifarRecipe(WIDTHS, epochs=10, rate=0.3, batch_size=512, whitened=True, shift=4),
    ),
    "rob": (
        CifarRecipe(WIDTHS, epochs=12, rate=0.2, batch_size=256, eps=EPS, plain=0.08, shift=4),
        CifarRecipe(WIDTHS, epochs=18, rate=0.15, batch_size=256, eps=9 / 255, shift=4),
    ),
}
"""How each network is trained: one cycle of the learning rate after another."""
GRID = GridSpec.from_ranges((0.05, 5000.0), (1.0, 10.0), (-2.0, 0.5), name="cifar10-own")
"""Where Algorithm 1 looks for the best mixes: wide enough that the mild ones lie inside."""
BATCH_SIZE = 50
"""Images at a time in attacks on mixes; what they find does not depend on it but for FAB-T and Square."""


class Pair(NamedTuple):
    """Both networks, float32, in evaluation mode."""

    std: CifarNet
    rob: CifarNet


class Cifar10Paths(NamedTuple):
    """The files that `build_cifar10` writes, together at its end."""

    bundle: Path
    std: Path
    rob: Path
    configs: tuple[Path, ...]


def build_cifar10(
    data: str,
    out_dir: str | os.PathLike[str],
    *,
    device: str = "auto",
    n_adv: int | None = None,
    n_verified: int | None = None,
    precision: Precision | None = None,
    progress: bool = False,
) -> Cifar10Paths:
    """Train both networks, run MMAA, refine, verify the best mixes, and write it all.

    Each epoch, each batch of the attacks and each component is kept in `cifar10.demo-work` inside the
    folder until all is done, so that a run that was killed goes on where it was.

    Args:
        data: Where the images are: `cifar10-jpeg:FOLDER` or `torchvision:CIFAR10`.
        out_dir: Existing folder for `cifar10.safetensors`, `cifar10-std.safetensors`,
            `cifar10-rob.safetensors` and the configurations.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        n_adv: How many test images MMAA attacks; by the device if None.
        n_verified: How many test images are attacked adaptively; by the device if None.
        precision: Of trainings and gradients; what is measured to be faster if None.
        progress: Show progress bars on standard error.

    Returns:
        The paths.

    Raises:
        BundleError: If the folder does not exist or cannot be written.
        DataError: If the images are missing or broken.
        MnutsError: If the work folder belongs to a run of other settings, or is in use.
    """
    where = str(resolve_device(device))
    on_gpu = where.startswith("cuda")
    with workshop(out_dir, "cifar10") as shop:
        training, test = load_data(data, split="train"), load_data(data)
        work = shop.work
        if precision is None:
            batch, network = training.images[:BATCH_SIZE], make_network(WIDTHS, SEED)
            precision = kept_precision(work / "precision.txt", network, batch, where)
        how: dict[str, Any] = {"device": where, "precision": precision, "work": work, "progress": progress}
        pair = Pair(*(train_role(role, training, **how) for role in ("std", "rob")))
        count = n_adv or (len(test.labels) if on_gpu else N_ADV)
        named = "cifar10-jpeg:FOLDER" if data.startswith("cifar10-jpeg:") else data  # no path of ours
        command = f"mnuts demo build cifar10 --data {shlex.quote(named)} --precision {precision}"
        bundle = attack_pair(pair, test, count, command=command, **how)
        std_path = save_role(shop.files, "std", pair.std, bundle, training.card, precision)
        rob_path = save_role(shop.files, "rob", pair.rob, bundle, training.card, precision)
        run = Run(
            pair.std,
            pair.rob,
            test.images,
            test.labels,
            batch_size=BATCH_SIZE,
            channels_last=True,
            device=where,
        )
        some = n_verified or min(count, 1000 if on_gpu else N_VERIFIED)
        bundle, configs = refine_and_verify(
            bundle, run, work, grid=GRID, precision=precision, n=some, progress=progress
        )
        path = bundle.save(shop.files / "cifar10.safetensors")
        written = [config.save(shop.files / name) for name, config in configs.items()]
    placed = shop.placed
    return Cifar10Paths(placed(path), placed(std_path), placed(rob_path), tuple(map(placed, written)))


def train_role(
    role: Role,
    training: LoadedData,
    *,
    device: str,
    precision: Precision,
    work: Path,
    progress: bool = False,
) -> CifarNet:
    """Train one of the two networks and round its parameters to float16.

    Args:
        role: Which.
        training: The training images.
        device: Where to train.
        precision: See `train_network`.
        work: Folder for the state after each epoch.
        progress: Show a progress bar on standard error.
    """
    images, network = (training.images * 255.0).round().byte(), None
    for cycle, recipe in enumerate(RECIPES[role]):
        with progress_bar(f"train {role}, cycle {cycle + 1}") if progress else nullcontext() as show:
            network = train_network(
                images,
                training.labels,
                recipe,
                seed=SEED + cycle,
                device=device,
                precision=precision,
                start=network,
                checkpoint=work / f"{role}-training-{cycle + 1}.safetensors",
                progress=show,
            )
    assert network is not None  # every role has a recipe
    round_to_half(network)
    return network.requires_grad_(False)


def attack_pair(
    pair: Pair,
    test: LoadedData,
    n_adv: int,
    *,
    device: str,
    precision: Precision,
    work: Path,
    command: str,
    progress: bool = False,
) -> LogitBundle:
    """The bundle: both networks on all test images, clean, and on the first ones at MMAA's points.

    Args:
        pair: The networks.
        test: The test images.
        n_adv: How many of them are attacked.
        device: Where to compute.
        precision: Of gradients; margins are computed in float32.
        work: Folder for finished batches.
        command: The command that makes the bundle again.
        progress: Show a progress bar on standard error.
    """
    with progress_bar("attack rob") if progress else nullcontext() as show:
        return build_bundle(
            pair.std,
            pair.rob,
            test.images,
            test.labels,
            attack=Mmaa(norm=NORM, eps=EPS, seed=SEED, precision=precision, channels_last=True),
            n_adv=n_adv,
            name="cifar10",
            classes=CLASSES,
            data=test.card,
            std_card=model_card("demo:cifar10/std", pair.std),
            rob_card=model_card("demo:cifar10/rob", pair.rob),
            command=command,
            batch_size=125,
            progress=show,
            device=device,
            work_dir=work / "bundle",
        )


def save_role(
    folder: Path,
    role: Role,
    network: CifarNet,
    bundle: LogitBundle,
    training: DataCard,
    precision: Precision,
) -> Path:
    """Write a network with its card.

    Args:
        folder: Where to.
        role: Which of the two.
        network: Its parameters are float16 numbers.
        bundle: Made with it.
        training: The images that it was trained on.
        precision: What it was trained in.
    """
    card = NetworkCard.measured(
        bundle,
        role,
        architecture=network.architecture,
        recipe=recipe_text(RECIPES[role], precision),
        seed=SEED,
        training=training,
    )
    return save_network(weights_path("cifar10", role, folder), network, card, half=True)


def recipe_text(recipes: Sequence[CifarRecipe], precision: Precision = "full") -> str:
    """The cycles of a training in one line, as a network's card tells them.

    Args:
        recipes: Its cycles in their order.
        precision: What it was trained in.
    """
    return trained_in(", then ".join(str(recipe) for recipe in recipes), precision)


def load_network_of(
    role: Role, folder: str | os.PathLike[str] | None = None
) -> tuple[CifarNet | ResidualNet, NetworkCard]:
    """One of the two networks, float32, in evaluation mode, and what its file says of it.

    Args:
        role: Which network.
        folder: Where `cifar10-std.safetensors` and `cifar10-rob.safetensors` are; the shipped ones if None.

    Raises:
        BundleError: If the file is missing, is not such a file, or is damaged.
    """
    remedy = "make them with `mnuts demo build cifar10 --data SPEC`"
    return load_network(weights_path("cifar10", role, folder), _network_of, remedy)


def _network_of(card: NetworkCard) -> CifarNet | ResidualNet:
    widths, blocks = card.architecture["widths"], card.architecture.get("blocks")
    if isinstance(widths, tuple) and all(0 < width <= 4096 for width in widths):
        if blocks is None and len(widths) == 3:
            return CifarNet(widths)
        if isinstance(blocks, int) and 0 < blocks <= 64 and 0 < len(widths) <= 8:
            return ResidualNet(widths, blocks)
    raise TypeError("its card names no such network")

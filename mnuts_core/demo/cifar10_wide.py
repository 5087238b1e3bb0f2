"""The wide CIFAR-10 pair: as the shipped one, but wider, and trained by the clock on a GPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from torch import Tensor, nn

from mnuts_core.attacks.mmaa import minimum_margin_attack
from mnuts_core.bundles.manifest import DataCard
from mnuts_core.datasets.base import LoadedData
from mnuts_core.demo.cifar10 import EPS, NORM, SEED
from mnuts_core.demo.cifar10_network import CifarNet, make_network, whiten
from mnuts_core.demo.cifar10_residual import ResidualNet, make_residual
from mnuts_core.demo.kept_precision import trained_in
from mnuts_core.demo.timed_training import TimedRecipe, train_by_clock
from mnuts_core.demo.weights import Role, round_to_half
from mnuts_core.functional.statistics import Estimate, share_of
from mnuts_core.models.inputs import Precision, Progress
from mnuts_core.models.predict import predict

STD_WIDTHS = (128, 384, 384)
ROB_WIDTHS, ROB_BLOCKS = (64, 128, 256, 352), 2
"""Both networks' parameters take 23 MB in float16."""
RECIPES: dict[Role, TimedRecipe] = {
    "std": TimedRecipe(seconds=55.0, epochs=80, rate=0.5, batch_size=1024, hole=8, average=0.995),
    "rob": TimedRecipe(seconds=245.0, epochs=160, rate=0.2, batch_size=512, eps=EPS, smoothing=0.0),
}
"""How each network is trained."""
HELD_OUT = 1000
"""The last training images: never trained on, they say which of the two sets of weights is taken."""
HELD_OUT_STEPS = 10
"""Steps of APGD on them, for the robust network."""
WHITENED_BY = 5000
"""So many training images set the first filters of the accurate network."""


class WidePair(NamedTuple):
    """How large a pair is.

    Attributes:
        std_widths: See `CifarNet`.
        rob_widths: See `ResidualNet`.
        rob_blocks: See `ResidualNet`.
    """

    std_widths: tuple[int, ...] = STD_WIDTHS
    rob_widths: tuple[int, ...] = ROB_WIDTHS
    rob_blocks: int = ROB_BLOCKS

    def make(self, role: Role, images: Tensor) -> CifarNet | ResidualNet:
        """One of the two networks before its training.

        Args:
            role: Which.
            images: Training images, uint8, shape (N, 3, 32, 32).
        """
        if role == "rob":
            return make_residual(self.rob_widths, self.rob_blocks, SEED)
        network = make_network(self.std_widths, SEED)
        whiten(network, images[:WHITENED_BY].float() / 255.0)
        return network


WIDE = WidePair()


class Chosen(NamedTuple):
    """A trained network, float32 with parameters that are float16 numbers, on the CPU.

    Attributes:
        network: In evaluation mode, without gradients of its parameters.
        weights: Whether its weights are the `last` ones or the `averaged`.
        held_out: What each of them got right of the held-out training images, for the robust network at the
            points of a short attack.
        epochs: Epochs begun.
        seconds: Time that the training took.
        precision: What it was trained in.
    """

    network: CifarNet | ResidualNet
    weights: str
    held_out: dict[str, Estimate]
    epochs: int
    seconds: float
    precision: Precision


def train_wide(
    role: Role,
    training: LoadedData,
    *,
    device: str,
    precision: Precision,
    checkpoint: Path,
    pair: WidePair = WIDE,
    recipes: Mapping[Role, TimedRecipe] = RECIPES,
    held_out: int = HELD_OUT,
    save_every: float = 20.0,
    progress: Progress | None = None,
) -> Chosen:
    """Train one of the two networks, and take the weights that do better on held-out training images.

    Args:
        role: Which.
        training: The training images.
        device: Where to train.
        precision: See `train_by_clock`.
        checkpoint: See `train_by_clock`.
        pair: How large.
        recipes: How to train.
        held_out: How many of the training images, the last ones, are held out.
        save_every: See `train_by_clock`.
        progress: See `train_by_clock`.

    Raises:
        MnutsError: If the checkpoint is of another training.
    """
    pixels = (training.images[:-held_out] * 255.0).round().byte()
    made = train_by_clock(
        pair.make(role, pixels),
        pixels,
        training.labels[:-held_out],
        recipes[role],
        seed=SEED,
        device=device,
        precision=precision,
        checkpoint=checkpoint,
        save_every=save_every,
        progress=progress,
    )
    figures: dict[str, Estimate] = {}
    for name, network in made.networks.items():
        round_to_half(network.requires_grad_(False))
        rest = training.images[-held_out:], training.labels[-held_out:]
        figures[name] = _right(role, network, *rest, device=device)
        network.cpu()
    best = max(figures, key=lambda name: figures[name].value)
    chosen = made.networks[best]
    assert isinstance(chosen, CifarNet | ResidualNet)  # what went into the training comes out of it
    return Chosen(chosen, best, figures, made.epochs, made.seconds, precision)


def _right(role: Role, network: nn.Module, images: Tensor, labels: Tensor, *, device: str) -> Estimate:
    """What a network gets right: as it is, or for the robust one under a short attack."""
    if role == "std":
        logits = predict(network, images, batch_size=len(images), device=device)
        return share_of((logits.argmax(1) == labels).numpy(), "clean")
    found = minimum_margin_attack(
        network,
        images,
        labels,
        norm=NORM,
        eps=EPS,
        n_iter=HELD_OUT_STEPS,
        n_targets=0,
        batch_size=len(images),
        channels_last=True,
        device=device,
    )
    return share_of((found.margin > 0).numpy(), "attacked")


def recipe_of(role: Role, chosen: Chosen, recipes: Mapping[Role, TimedRecipe] = RECIPES) -> str:
    """A training in one line, as a network's card tells it.

    Args:
        role: Which network.
        chosen: What came of it.
        recipes: How it was trained.
    """
    spent = replace(recipes[role], seconds=round(chosen.seconds, 1), epochs=chosen.epochs)
    return trained_in(f"{spent}, {chosen.weights} weights", chosen.precision)


def training_card(training: LoadedData, held_out: int = HELD_OUT) -> DataCard:
    """The card of the images that were trained on.

    Args:
        training: All training images.
        held_out: How many of them, the last ones, were held out.
    """
    split = f"{training.card.split}, but the last {held_out:,}"
    return training.card.model_copy(update={"split": split})


def megabytes(network: nn.Module) -> float:
    """What a network's parameters take in float16."""
    return 2e-6 * sum(parameter.numel() for parameter in network.parameters())

"""The check of a hand-in's adversarial points, and of its accuracies where images and models are at hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from mnuts_core.bundles.tensors import content_digest
from mnuts_core.devices import home_of, resolve_device
from mnuts_core.errors import ConfigError
from mnuts_core.export.classifier import MixedClassifier
from mnuts_core.export.config import MixConfig
from mnuts_core.export.robustbench.entry import figures_of
from mnuts_core.export.robustbench.hand_in import CONFIG, POINTS, HandIn
from mnuts_core.export.robustbench.points import faults_of_distances, faults_of_points, read_points
from mnuts_core.export.robustbench.refusals import LOOP, threat_of
from mnuts_core.functional.statistics import Estimate
from mnuts_core.io.files import kind_of
from mnuts_core.models.inputs import prepared
from mnuts_core.models.loops import N_IMAGES, look_for_loops
from mnuts_core.models.predict import BASE_MODELS, predict, predicted
from mnuts_core.text import counted

SLACK = 0.0005
"""Recomputed accuracies may differ by this share of the images: another processor rounds otherwise."""


class Finding(NamedTuple):
    """Something about a hand-in.

    Attributes:
        kind: `wrong` is in the way of handing it in; `note` is not.
        where: The file, by its place in the folder.
        text: What was found.
    """

    kind: Literal["wrong", "note"]
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.text}"


class Ground(NamedTuple):
    """What a hand-in is checked against, as far as it is at hand.

    Attributes:
        images: The clean test images in [0, 1], float32, shape (N, C, H, W).
        labels: Their classes, int64, shape (N,).
        models: g and h, where accuracies are to be recomputed.
        device: Where to compute.
        batch_size: Images at a time.
    """

    images: Tensor
    labels: Tensor
    models: tuple[nn.Module, nn.Module] | None = None
    device: str = "auto"
    batch_size: int = 250


def faults(where: str, texts: Iterable[str]) -> Iterator[Finding]:
    """Texts as findings that are in the way of handing it in."""
    return (Finding("wrong", where, text) for text in texts)


def findings_of_points(
    folder: Path, card: HandIn, config: MixConfig, ground: Ground | None
) -> Iterator[Finding]:
    """What is wrong with the points: their form, their distances, what the mix says of them.

    Args:
        folder: The hand-in's folder.
        card: Its card.
        config: Its configuration, verified.
        ground: Images, and perhaps models.
    """
    points = None
    if kind_of(folder / POINTS) is None:
        yield Finding("note", POINTS, "not there: an external evaluation needs points")
    else:
        try:
            points = read_points(folder / POINTS)
        except ConfigError as error:
            yield Finding("wrong", POINTS, str(error))
            return
        yield from faults(POINTS, faults_of_points(points, figures_of(config)[0].n, card.dataset))
    if ground is None:
        yield Finding(
            "note", CONFIG, "neither distances nor accuracies were looked at: give --data, --std, --rob"
        )
        return
    yield from faults(CONFIG, _other_images(config, ground))
    if points is not None and points.shape != ground.images.shape:
        text = f"the points are of shape {tuple(points.shape)}, the images of {tuple(ground.images.shape)}"
        yield Finding("wrong", POINTS, text)
        points = None
    if points is not None:
        yield from faults(POINTS, _around_the_images(config, points, ground.images))
    if ground.models is not None:
        yield from _recomputed(config, points, ground, ground.models)


def _other_images(config: MixConfig, ground: Ground) -> Iterator[str]:
    known = None if config.verified is None else config.verified.images
    digest = content_digest({"images": ground.images.numpy(), "labels": ground.labels.numpy()})
    if known is not None and digest != known:
        yield "it was verified on other images than --data's, or in another order"


def _around_the_images(config: MixConfig, points: Tensor, images: Tensor) -> Iterator[str]:
    """Where a point is too far from its image, or not the image although the attack failed there."""
    if (threat := threat_of(config)) is not None:
        yield from faults_of_distances(points, images, threat)
    outcomes = None if config.verified is None else config.verified.outcomes
    if outcomes is not None and outcomes.n == len(points):
        moved = (points != images).flatten(1).any(dim=1)
        held = moved & torch.from_numpy(outcomes.attacked_right)
        if held.any():
            n = int(held.sum())
            yield f"not the image itself, although the attack failed there: {counted(n, 'point')}"


def _recomputed(
    config: MixConfig, points: Tensor | None, ground: Ground, models: tuple[nn.Module, nn.Module]
) -> Iterator[Finding]:
    """Clean accuracy, and accuracy at the points, once more."""
    mix, (verified, clean) = MixedClassifier.from_config(config, *models), figures_of(config)
    yield from faults(CONFIG, _loops(models, ground))
    yield _once_more(CONFIG, "clean accuracy", clean, mix, ground.images, ground)
    if points is not None:
        yield _once_more(POINTS, "accuracy at the points", verified, mix, points.float(), ground)


def _loops(models: tuple[nn.Module, nn.Module], ground: Ground) -> Iterator[str]:
    """Which of the models optimise while they answer: a verification of before may not have looked."""
    device = resolve_device(ground.device)
    for name, model in zip(BASE_MODELS, models, strict=True):
        with prepared(model, device):
            loop = look_for_loops(name, model, ground.images[:N_IMAGES].to(home_of(device)))
        if loop.found:
            yield f"{LOOP}: {name} {loop}"


def _once_more(
    where: str, what: str, figure: Estimate, mix: nn.Module, images: Tensor, ground: Ground
) -> Finding:
    logits = predict(mix, images, batch_size=ground.batch_size, device=ground.device, name="the mix")
    count = int((predicted(logits) == ground.labels).sum())
    found = f"{what} is {figure.tally}, recomputed {count:,} of {len(images):,}"
    same = len(images) == figure.n and abs(count - figure.successes) <= max(1, SLACK * figure.n)
    return Finding("note" if same else "wrong", where, found)

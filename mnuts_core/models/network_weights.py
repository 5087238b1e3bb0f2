"""A library's network with a checkpoint's weights in it, for as many classes as these are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from torch import Tensor, nn

from mnuts_core.models.checkpoints import WeightSet, count_classes, fit_weights, load_weights


class Filled(NamedTuple):
    """A network and what is in it.

    Attributes:
        network: With the weights, where their names fit.
        weights: Under the network's names, as far as they fit.
        classes: For how many classes.
        note: What was taken off the names or left out.
        fits: Whether the names fit; if not, the network is as it was made.
    """

    network: nn.Module
    weights: dict[str, Tensor]
    classes: int
    note: str
    fits: bool


def filled(
    spec: str,
    sets: Sequence[WeightSet],
    classes: int,
    build: Callable[..., nn.Module],
    *,
    must_fit: bool = True,
) -> Filled:
    """A network with a checkpoint's weights.

    Args:
        spec: What the user asked for, for messages.
        sets: What the checkpoint holds.
        classes: What to try first, the library's own number.
        build: Takes `num_classes`.
        must_fit: Refuse weights under other names.

    Raises:
        ModelError: If shapes do not fit, or names that must.
    """
    network = build(num_classes=classes)
    found = fit_weights(sets, network, spec)
    if (own := count_classes(network, classes, found.weights)) != classes:
        network = build(num_classes=own)
    if must_fit or found.fits:
        load_weights(network, found.weights, spec)
    return Filled(network, found.weights, own, found.note, found.fits)

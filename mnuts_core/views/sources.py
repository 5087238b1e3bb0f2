"""Where a bundle's attacked points come from: source by source, in figures and in words."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.manifest import STD_TARGET, Manifest, SourceCard
from mnuts_core.text import counted

SETTINGS = {"n_iter": "steps", "n_targets": "targets", "n_queries": "queries"}
"""Settings of an attack that are named in a line, and how."""

PASSES = ("forward", "backward")
"""Passes for each image, as the plan of a source that counted them has them."""

Kind = Literal["first", "mixes", "g", "others"]
"""What a source attacked: `first` is the attack that found each image's first point, such as MMAA."""


class Source(NamedTuple):
    """One source of attacked points.

    Attributes:
        card: What the bundle says of it.
        images: How many of the attacked images it was run on.
        points: How many of its points the bundle keeps.
    """

    card: SourceCard
    images: int
    points: int

    @property
    def alpha(self) -> float | None:
        """α of the mix that was attacked; None if it was none."""
        alpha = (self.card.params or {}).get("alpha")
        return alpha if isinstance(alpha, float) else None

    def __str__(self) -> str:
        """In one line: the attack, its target, its settings, images and points."""
        about = [str(self.card)]
        settings = {key: self.card.plan.get(key) for key in SETTINGS} | {"seed": self.card.seed}
        about += [f"{SETTINGS.get(key, key)} {value}" for key, value in settings.items() if value is not None]
        about += [self.card.precision] if self.card.precision else []
        passes = [f"{self.card.plan[name]:,} {name}" for name in PASSES if name in self.card.plan]
        about += [f"passes an image {' and '.join(passes)}"] if passes else []
        return f"{', '.join(about)}: {counted(self.images, 'image')}, {counted(self.points, 'point')} kept"

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        card = {"name": self.card.name, "target": self.card.target, "alpha": self.alpha}
        return card | {"images": self.images, "points": self.points}


def sources(bundle: LogitBundle) -> tuple[Source, ...]:
    """The sources of a bundle's attacked points; none without an attacked part."""
    attacked = bundle.attacked
    if attacked is None:
        return ()
    cards = bundle.manifest.sources
    found = np.zeros(len(attacked), np.int64) if attacked.source is None else attacked.source
    points = np.bincount(found, minlength=len(cards))
    return tuple(
        Source(card, card.images or attacked.n_images, int(count))
        for card, count in zip(cards, points, strict=False)
    )


def settled_words(bundle: LogitBundle) -> str:
    """How many attacked images are settled, in words; empty without an attacked part."""
    if bundle.attacked is None:
        return ""
    settled = int(bundle.attacked.settled.sum())
    return f"{settled:,} of {bundle.n_adv:,} images are settled: some point fools both g and h"


def sources_words(bundle: LogitBundle) -> str:
    """The sources in a few words, such as "MMAA on LN∘h_rob, 2 attacks on mixes, 1 on g"."""
    first, *others = bundle.manifest.sources
    name = f"{first.name.partition(':')[0]} on {first.target}" if first.target else "not recorded"
    on_mixes = sum(card.params is not None for card in others)
    on_g = sum(card.target == STD_TARGET for card in others)
    rest = len(others) - on_mixes - on_g
    counts = ((on_mixes, "mixes"), (on_g, "g"), (rest, "other classifiers"))
    parts = [f"{count} on {what}" for count, what in counts if count]
    if parts:
        parts[0] = parts[0].replace(" on ", " attack on " if parts[0].startswith("1 ") else " attacks on ", 1)
    return ", ".join([name, *parts])


def kinds(manifest: Manifest) -> tuple[Kind, ...]:
    """The kind of each source of a bundle, in their order."""
    found: list[Kind] = []
    for place, card in enumerate(manifest.sources):
        if place == 0:
            found.append("first")
        elif card.params is not None:
            found.append("mixes")
        else:
            found.append("g" if card.target == STD_TARGET else "others")
    return tuple(found)

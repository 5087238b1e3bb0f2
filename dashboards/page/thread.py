"""The images that every lesson follows from their pixels to the mix's answer, and all that this takes."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

import numpy as np

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.library import SUFFIX, require_shipped_folder
from mnuts_core.export.config import MixConfig
from mnuts_core.text import visible

Kind = Literal["held", "corrected"]
"""What an image shows: an attack withstood, or an error of h corrected."""
GREY = 127
"""By so much a magnified perturbation may depart from a middle grey, in levels of 255."""
CHANNELS = (1, 3)
SHIPPED, MIX = "digits", "beta95"
"""The shipped bundle whose images are followed, and its mix at which the transform decides some of them."""
FOLLOWED: dict[Kind, int] = {"held": 99, "corrected": 870}
"""These images, by their places among the attacked ones; `thread_choice.thread_record` picks them, too slowly
for every start of the lesson.
"""
POINTS: dict[Kind, str] = {"held": "attacked", "corrected": "clean"}
"""At which of its points an image is followed first."""


def shipped_thread() -> dict[str, Any]:
    """The digits that are followed in every lesson, with the mix that they were picked for.

    Returns:
        As `thread_choice.thread_record`, with the settings of that mix as `mix`, and the bundle's name as
        `bundle`.

    Raises:
        BundleError: If the package's data are not installed.
        ConfigError: See `MixConfig.load`.
    """
    folder = require_shipped_folder()
    mix = MixConfig.load(folder / f"{SHIPPED}-{MIX}.json").params
    bundle = LogitBundle.load(folder / f"{SHIPPED}{SUFFIX}")
    examples = [example_record(bundle, kind, place) for kind, place in FOLLOWED.items()]
    return {"examples": examples, "missing": None, "mix": dataclasses.asdict(mix), "bundle": SHIPPED}


def example_record(bundle: LogitBundle, kind: Kind, place: int) -> dict[str, Any]:
    """All that it takes to follow one image, see `Example` in `web/lesson/thread/numbers.js`.

    Args:
        bundle: The bundle, with images of its clean and its first attacked points.
        kind: What the image shows.
        place: Its place among the attacked images.
    """
    part, threat = bundle.require_attacked(), bundle.manifest.threat
    number = int(part.index[place])
    assert bundle.clean_images is not None
    assert part.images is not None
    pixels = bundle.clean_images[number], part.images[place]
    logits = (
        (bundle.clean_std_logits[number], bundle.clean_rob_logits[number]),
        (part.std_logits[place], part.rob_logits[place]),
    )
    points = {
        name: {"pixels": image.ravel().tolist(), "std": std.tolist(), "rob": rob.tolist()}
        for name, image, (std, rob) in zip(("clean", "attacked"), pixels, logits, strict=True)
    }
    wrong = part.std_logits[place] if kind == "held" else bundle.clean_rob_logits[number]
    moved = np.abs(np.subtract(*pixels, dtype=np.int64)).max()
    return {
        "kind": kind,
        "number": number,
        "point": POINTS[kind],
        "label": int(bundle.clean_labels[number]),
        "rival": int(wrong.argmax()),
        "classes": [visible(name) for name in bundle.manifest.classes],
        "shape": list(pixels[0].shape),
        "magnify": max(1, GREY // max(1, int(moved))),
        "norm": threat and threat.norm,
        "eps": threat and threat.eps,
        "points": points,
    }

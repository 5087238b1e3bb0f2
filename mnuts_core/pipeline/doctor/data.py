"""What can be seen of images, labels and ε before any model is asked."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from mnuts_core.errors import ParameterError
from mnuts_core.models.inputs import check_images
from mnuts_core.params import check_eps
from mnuts_core.pipeline.diagnostics import too_dark
from mnuts_core.pipeline.doctor.case import Case
from mnuts_core.pipeline.doctor.findings import Finding, error, ok, warning
from mnuts_core.text import counted

LEVEL = 1 / 255
"""One level of an 8-bit image."""
LARGE = 0.25
"""An ℓ∞ radius from here on hides what a picture shows; those in use are up to 16/255, 0.3 on MNIST."""


def images(case: Case) -> Iterator[Finding]:
    """Whether the images are pixels in [0, 1], and not all but black."""
    try:
        check_images(case.images)
    except ParameterError as problem:
        yield error("images-outside-0-1", str(problem))
        return
    dark = too_dark(case.images)
    for diagnostic in dark:
        yield warning(diagnostic.code, diagnostic.message, "ε is then larger than they are", "look at one")
    if not dark:
        n, channels, height, width = case.images.shape
        low, high = (float(end) for end in case.images.aminmax())
        there = len(torch.unique(case.labels))
        yield ok(
            "images",
            f"{counted(n, 'image')} of {channels} × {height} × {width}, {low:.3g} to {high:.3g}, "
            f"{there:,} of {len(case.class_names):,} classes among them",
        )


def labels_sorted(case: Case) -> Iterator[Finding]:
    """Whether the first images are of a few classes only: a build attacks the first ones."""
    n, k, there = len(case.labels), len(case.class_names), len(torch.unique(case.labels))
    expected = k * (1 - (1 - 1 / k) ** n)
    if there < expected / 2:
        yield warning(
            "labels-sorted",
            f"the first {n:,} images are of {there:,} of {k:,} classes; in a random order it would be about "
            f"{expected:.0f}",
            "the images are sorted by class, and a build attacks the first ones",
            "shuffle them, or leave the other classes out of the list of names",
        )


def threat_model(case: Case) -> Iterator[Finding]:
    """Whether ε is in units of pixels in [0, 1], and the one that h was trained for."""
    attack = case.plan.attack
    words = f"{attack.norm}, ε = {attack.eps:.4g} ({attack.eps / LEVEL:.3g}/255)"
    listed = case.sides[1].listed
    threat = None if listed is None else listed.threat
    try:
        check_eps(attack.norm, attack.eps)
    except ParameterError as problem:
        yield error("threat-model", str(problem))
        return
    if attack.norm == "Linf" and attack.eps < LEVEL / 2:
        yield warning(
            "threat-model",
            f"{words} is less than half a level of an 8-bit image",
            "it was perhaps divided by 255 twice",
            f"give {attack.eps / LEVEL:.4g} if that is what was meant",
        )
    elif threat is not None and (threat.norm != attack.norm or abs(threat.eps / attack.eps - 1) > 1e-3):
        yield warning(
            "threat-model",
            f"{words}, but rob_model is listed for {threat}",
            "figures will not be comparable with its listed ones",
            "give --norm and --eps as listed, unless another threat is what you want to know of",
        )
    elif attack.norm == "Linf" and attack.eps >= LARGE:
        yield warning(
            "threat-model",
            f"{words} may change each pixel by {100 * attack.eps:.0f} % of its range",
            "such a change can hide what a picture shows",
            f"was {attack.eps:.3g}/255 meant, or digits' 0.3?",
        )
    else:
        yield ok("threat-model", f"{words}{'' if threat is None else ', as rob_model is listed'}")

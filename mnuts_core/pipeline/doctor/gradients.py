"""Whether attacks can follow the models' gradients."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from mnuts_core.attacks.mmaa import BLACK_BOX
from mnuts_core.errors import ParameterError
from mnuts_core.functional.mixing import sound
from mnuts_core.models.inputs import Model
from mnuts_core.models.predict import check_gradients
from mnuts_core.pipeline.diagnostics import count_zero_gradients_of, zero_gradients
from mnuts_core.pipeline.doctor.case import Case, Side
from mnuts_core.pipeline.doctor.findings import Finding, error, ok, warning
from mnuts_core.text import counted

MANY = 0.1
"""Gradients of zero at more than this share of the images blind an attack."""
N_IMAGES = 64


def gradients(case: Case) -> Iterator[Finding]:
    """Whether gradients flow back to the images, and where they are zero."""
    climbed = case.plan.attack.climbed(len(case.class_names))
    if climbed is None or not case.plan.n_adv:
        return  # nobody asks for gradients
    for side in case.answering:
        # Attacks on g, and on mixes, climb its own logits.
        yield from _of_side(side, climbed if side.is_robust else nn.Identity())


def _of_side(side: Side, climbed: Model) -> Iterator[Finding]:
    answered = sound(side.logits)
    images, labels = side.images[answered][:N_IMAGES], side.labels[answered][:N_IMAGES]
    if not len(images):
        return
    # Without g's gradient attacks on mixes are blind; the build itself asks h alone.
    say = error if side.is_robust else warning
    try:
        check_gradients(side.name, side.model, images[:1], BLACK_BOX)
    except ParameterError as problem:
        yield say("gradients", str(problem))
        return
    flat = count_zero_gradients_of(side.name, side.model, climbed, images, labels)
    if not flat:
        yield ok("gradients", f"{side.name}: they reach all {counted(len(images), 'image')}")
    for diagnostic in zero_gradients(flat, len(images)):
        level = say if flat > MANY * len(images) else warning
        yield level(
            diagnostic.code,
            f"{side.name}: {diagnostic.message}",
            "these images look robust whatever the model is",
            "look for rounding, an arg max or saturated outputs inside; or build with --attack square",
        )

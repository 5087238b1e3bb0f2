"""Whether the images have the form that the models want: normalised once, RGB, of their size."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mnuts_core.bundles.logit_warnings import hardly_better_than_chance
from mnuts_core.functional.margins import signed_margin
from mnuts_core.functional.paired import mcnemar
from mnuts_core.functional.statistics import share_of
from mnuts_core.functional.transform import layer_norm
from mnuts_core.pipeline.diagnostics import takes_grey_for_colour, too_dark
from mnuts_core.pipeline.doctor.case import Case, Side
from mnuts_core.pipeline.doctor.findings import Finding, error, ok, warning
from mnuts_core.pipeline.doctor.sizes import SURE, P, better_size
from mnuts_core.pipeline.readings import best_reading

REMEDIES = {
    "normalised-twice": "load the network without the second normalisation",
    "not-normalised": "put the normalisation into the model: models take pixels in [0, 1]",
    "pixels-255": "let the model multiply by 255 first: models take pixels in [0, 1]",
    "channels-swapped": "let the model flip the channels first, images.flip(1), or give images as RGB",
}
P_CHANNELS = 1e-4
"""A sound model's margins fall with red and blue swapped; so unlikely must it be that they rise by chance."""
PARTS = re.compile(r"(Bicubic)?(?:Res(\d+))?(?:Crop(\d+))?")


def inputs(case: Case) -> Iterator[Finding]:
    """Whether a model gets clearly more images right when they are given otherwise."""
    if too_dark(case.images):
        case.explained.update(side.name for side in case.sides)
    for side in case.answering:
        for diagnostic in takes_grey_for_colour(side.name, side.model, side.images[:8]):
            yield warning(diagnostic.code, diagnostic.message)
        if side.name in case.explained:
            continue
        found = _other_form(side) or _channels(side) or better_size(side)
        if found is not None:
            case.explained.add(side.name)
            yield found
            continue
        known = f"{100 * side.accuracy.value:.1f} % are right"
        yield ok("inputs", f"{side.name}: {known}, not 10 points more in any other form of the images")


def _other_form(side: Side) -> Finding | None:
    """What to say of a model that does clearly better, and better than chance, on images in another form."""
    found = best_reading(side.ask, side.images, side.labels)
    if found is None:
        return None
    better, worse = int((found.changed & ~found.plain).sum()), int((found.plain & ~found.changed).sum())
    if mcnemar(better, worse) > P or share_of(found.changed).low <= hardly_better_than_chance(side.classes):
        return None
    say = error if (better - worse) / len(found.plain) >= SURE else warning
    return say(found.reading.code, f"{side.name}: {found}", remedy=REMEDIES[found.reading.code])


def _channels(side: Side) -> Finding | None:
    """What to say where the true class stands out more with red and blue swapped.

    Accuracy alone misses it: on CIFAR-10 it takes a few points. Margins of most images tell.
    """
    if side.images.shape[1] != 3 or side.classes < 3:
        return None
    swapped = side.ask(side.images.flip(1))
    plain, other = (signed_margin(layer_norm(logits), side.labels) for logits in (side.logits, swapped))
    better, worse = int((other > plain).sum()), int((other < plain).sum())
    if better <= worse or mcnemar(better, worse) > P_CHANNELS:
        return None
    right = share_of(side.right_on(swapped), "clean")
    return warning(
        "channels-swapped",
        f"{side.name}: with red and blue swapped the true class stands out more at {better} of "
        f"{better + worse} images; {right.tally} are right instead of {side.accuracy.tally}",
        "the model seems to want BGR, not RGB",
        REMEDIES["channels-swapped"],
    )


def preprocessing(case: Case) -> Iterator[Finding]:
    """Whether images are resized and cropped as the models' publishers do it."""
    given = case.preprocessing
    if not given:
        return
    for side in case.answering:
        own = side.preprocessing
        if not own:
            continue
        if own == given:
            yield ok("preprocessing", f"{side.name}: {own}, as its publishers do it")
            continue
        yield warning(
            "preprocessing",
            f"{side.name}: --data gives {_words(given)}; its publishers take {_words(own)}",
            "its accuracy will differ a little from the published one",
            f"see which of imagenet:FOLDER@PREPROCESSING comes nearest, or prepare an npz:FILE by {own}",
        )


def _words(name: str) -> str:
    """`Res232Crop224` in words."""
    found = PARTS.fullmatch(name)
    if found is None:
        return name
    kind = "bicubic" if found[1] else "bilinear"
    steps = [
        f"resized to {found[2]} ({kind})" if found[2] else "",
        f"cropped to {found[3]}" if found[3] else "",
    ]
    return ", ".join(filter(None, steps)) or name

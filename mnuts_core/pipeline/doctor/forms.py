"""Whether the images have the form that the models want: normalised once, RGB, of their size."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mnuts_core.functional.paired import mcnemar
from mnuts_core.pipeline.diagnostics import takes_grey_for_colour
from mnuts_core.pipeline.doctor.case import Case
from mnuts_core.pipeline.doctor.findings import Finding, error, ok, warning
from mnuts_core.pipeline.doctor.sizes import GAIN, SURE, P, better_size
from mnuts_core.pipeline.readings import best_reading

REMEDIES = {
    "normalised-twice": "load the network without the second normalisation",
    "not-normalised": "put the normalisation into the model: models take pixels in [0, 1]",
    "pixels-255": "let the model multiply by 255 first: models take pixels in [0, 1]",
    "channels-swapped": "let the model flip the channels first, images.flip(1), or give images as RGB",
}
PARTS = re.compile(r"(Bicubic)?(?:Res(\d+))?(?:Crop(\d+))?")


def inputs(case: Case) -> Iterator[Finding]:
    """Whether a model gets clearly more images right when they are given otherwise."""
    for side in case.answering:
        for diagnostic in takes_grey_for_colour(side.name, side.model, side.images[:8]):
            yield warning(diagnostic.code, diagnostic.message)
        found = best_reading(side.ask, side.images, side.labels)
        if found is not None:
            better = int((found.changed & ~found.plain).sum())
            worse = int((found.plain & ~found.changed).sum())
            if mcnemar(better, worse) <= P:
                say = error if (better - worse) / len(found.plain) >= SURE else warning
                yield say(found.reading.code, f"{side.name}: {found}", remedy=REMEDIES[found.reading.code])
                continue
        if (size := better_size(side)) is not None:
            yield size
            continue
        why = (
            f"no other form of the images raises {100 * side.accuracy.value:.1f} % by {100 * GAIN:.0f} points"
        )
        yield ok("inputs", f"{side.name}: {known}, not 10 points more in any other form of the images")


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

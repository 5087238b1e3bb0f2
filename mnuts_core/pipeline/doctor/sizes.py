"""Whether a model wants images of another size than those at hand."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from mnuts_core.errors import ParameterError
from mnuts_core.functional.paired import mcnemar
from mnuts_core.functional.statistics import share_of
from mnuts_core.models.predict import predicted
from mnuts_core.pipeline.doctor.case import Bools, Side
from mnuts_core.pipeline.doctor.findings import Finding, error, warning

SIZES = (28, 32, 64, 96, 128, 160, 224, 256, 299, 384)
"""Sides of images that networks are made for."""
RESIZED = (2.0, 4.0)
"""Enlargements that are tried besides 32 and 224 pixels."""
LARGEST = 8
"""Images are enlarged by this factor at most."""
FEW = 32
"""So many images are resized: a pass over large ones is dear."""
GAIN, SURE, P = 0.1, 0.15, 0.01
"""By so much must accuracy rise: for a warning, for an error; and so unlikely must that be by chance."""
POOR = 0.7
"""Only a model that gets fewer right is tried at other sizes."""


def resized(images: Tensor, side: int) -> Tensor:
    """Images (N, C, H, W) at another size, bilinear."""
    return F.interpolate(images, size=(side, side), mode="bilinear", antialias=True).clamp(0, 1)


def size_that_works(side: Side) -> int | None:
    """A size at which a model that fails on the images answers with logits; None if there is none."""
    for size in SIZES:
        if size in side.images.shape[2:]:
            continue
        try:
            side.ask(resized(side.images[:2], size))
        except ParameterError:
            continue
        return size
    return None


def better_size(side: Side) -> Finding | None:
    """What to say of a model that gets clearly more images right once they are enlarged."""
    images, right = side.images[:FEW], side.right[:FEW]
    own = max(images.shape[2:])
    if right.mean() > POOR:
        return None
    tried = {}
    for size in sorted({32, 224, *(round(own * factor) for factor in RESIZED)} - {own}):
        if not own < size <= LARGEST * own:
            continue
        try:
            tried[size] = _right(side, resized(images, size))
        except ParameterError:
            continue
    if not tried:
        return None
    size, found = max(tried.items(), key=lambda item: int(item[1].sum()))
    better, worse = int((found & ~right).sum()), int((right & ~found).sum())
    gain = (better - worse) / len(right)
    if gain < GAIN or mcnemar(better, worse) > P:
        return None
    say = error if gain >= SURE else warning
    return say(
        "input-size",
        f"{side.name}: {share_of(found, 'clean')} are right on images enlarged to {size} × {size}, "
        f"{share_of(right, 'clean').tally} at {own} × {own}",
        "the model was trained on larger images",
        "give the images in its size, or a model for theirs",
    )


def _right(side: Side, images: Tensor) -> Bools:
    found: Bools = (predicted(side.ask(images)) == side.labels[: len(images)]).cpu().numpy()
    return found

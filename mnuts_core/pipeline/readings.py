"""In which form a model wants its images: whether it does better on images that are given otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnuts_core.models.inputs import Model
from mnuts_core.models.predict import predicted

ReadingCode = Literal["normalised-twice", "not-normalised", "pixels-255", "channels-swapped"]

USUAL_NORMALISATIONS = ((0.449, 0.226), (0.473, 0.251), (0.5, 0.5), (0.131, 0.308))
"""Mean and standard deviation of pixels: ImageNet's, CIFAR's, one half, MNIST's; channels averaged."""
CLEAR_GAIN = 0.1
"""Images in another form raise accuracy by so much only where that is the form that the model wants."""


class Reading(NamedTuple):
    """A form in which a model may want its images.

    Attributes:
        code: What is wrong with images in [0, 1] for such a model.
        words: The form, in words.
        change: Images in [0, 1] → images in that form.
        guess: What is probably the case then, in words.
        colour: Whether it makes sense for three channels alone.
    """

    code: ReadingCode
    words: str
    change: Callable[[Tensor], Tensor]
    guess: str
    colour: bool = False


TWICE = tuple(
    Reading(
        "normalised-twice",
        f"images times {deviation} plus {mean}",
        lambda images, mean=mean, deviation=deviation: images * deviation + mean,  # type: ignore[misc]
        "they seem to be normalised twice",
    )
    for mean, deviation in USUAL_NORMALISATIONS
)
"""One normalisation undone."""
NOT_AT_ALL = tuple(
    Reading(
        "not-normalised",
        f"images minus {mean}, over {deviation}",
        lambda images, mean=mean, deviation=deviation: (images - mean) / deviation,  # type: ignore[misc]
        "the model does not seem to normalise",
    )
    for mean, deviation in USUAL_NORMALISATIONS
)
"""One normalisation more."""
READINGS = (
    *TWICE,
    *NOT_AT_ALL,
    Reading(
        "pixels-255", "images times 255", lambda images: images * 255.0, "the model seems to want [0, 255]"
    ),
    Reading(
        "channels-swapped",
        "images with red and blue swapped",
        lambda images: images.flip(1),
        "the model seems to want BGR, not RGB",
        colour=True,
    ),
)


class Found(NamedTuple):
    """A form in which a model does clearly better.

    Attributes:
        reading: The form.
        plain: Which of the images it gets right as they are, bool, shape (N,).
        changed: Which it gets right in that form.
    """

    reading: Reading
    plain: NDArray[np.bool_]
    changed: NDArray[np.bool_]

    def __str__(self) -> str:
        return (
            f"{100 * self.changed.mean():.1f} % are right on {self.reading.words}, "
            f"{100 * self.plain.mean():.1f} % on the images: {self.reading.guess}"
        )


@torch.no_grad()
def best_reading(
    model: Model, images: Tensor, labels: Tensor, readings: Sequence[Reading] = READINGS
) -> Found | None:
    """The form in which a model gets most images right, if it gets clearly more of them right than as given.

    Args:
        model: Images → logits.
        images: In [0, 1], on the model's device.
        labels: True classes, likewise.
        readings: The forms to try.
    """

    def right(points: Tensor) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = (predicted(model(points)) == labels).cpu().numpy()
        return found

    plain = right(images)
    if plain.mean() + CLEAR_GAIN > 1.0:
        return None  # nothing can do better by so much
    tried = [
        Found(reading, plain, right(reading.change(images)))
        for reading in readings
        if images.shape[1] == 3 or not reading.colour
    ]
    best = max(tried, key=lambda found: int(found.changed.sum()))
    return best if best.changed.mean() >= plain.mean() + CLEAR_GAIN else None

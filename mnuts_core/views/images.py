"""The images one by one, by which what is selected in one plot is found in the others."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnuts_core.remix.answers import Remix
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.views.margins import Array
from mnuts_core.views.own_points import OwnPoints, base_points

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


class AttackedImages(NamedTuple):
    """The attacked images, one entry each; arrays of shape (m,).

    Attributes:
        row: Which clean image it is.
        margin: M(h)'s confidence margin at its point of least margin.
        mapped_right: Whether M(h) is right there.
        mix_class: What the mix predicts where it is wrong, if it is so at any point.
    """

    row: Ints
    margin: Array
    mapped_right: Bools
    mix_class: Ints


class Images(NamedTuple):
    """The clean images, one entry each; arrays of shape (N,).

    Attributes:
        label: True class.
        mix_class: What the mix predicts.
        margin: M(h)'s confidence margin, in [0, 1].
        std_margin: That of g.
        rob_margin: That of h.
        ln_margin: That of LN∘h.
        std_right: Whether g is right.
        rob_right: Whether h is, and so LN∘h.
        mapped_right: Whether M(h) is.
        mix_right: Whether the mix is.
        attacked: The attacked images; None without any.
    """

    label: Ints
    mix_class: Ints
    margin: Array
    std_margin: Array
    rob_margin: Array
    ln_margin: Array
    std_right: Bools
    rob_right: Bools
    mapped_right: Bools
    mix_right: Bools
    attacked: AttackedImages | None


def images(engine: RemixEngine, remix: Remix) -> Images:
    """Every image under a mix.

    Args:
        engine: The engine of the bundle.
        remix: The mix.
    """
    n, clean, base = engine.n_clean, remix.on_clean, base_points(engine)
    return Images(
        label=engine.bundle.clean_labels,
        mix_class=clean.mix_class,
        margin=clean.margin,
        std_margin=_of_clean(base["g"], n),
        rob_margin=_of_clean(base["h"], n),
        ln_margin=_of_clean(base["LN h"], n),
        std_right=base["g"].right[:n],
        rob_right=base["h"].right[:n],
        mapped_right=clean.right,
        mix_right=clean.mix_right,
        attacked=_attacked(engine, remix),
    )


def _of_clean(points: OwnPoints, n: int) -> Array:
    return points.margin[:n]


def _attacked(engine: RemixEngine, remix: Remix) -> AttackedImages | None:
    found = remix.on_images
    if found is None:
        return None
    index = engine.bundle.require_attacked().first.index
    return AttackedImages(index, found.margin, found.right, found.mix_class)

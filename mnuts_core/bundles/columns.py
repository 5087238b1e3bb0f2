"""Columns that a bundle may have beside its logits: a mixing weight, and a certified radius, for each image.

`clean.alpha` and `adv.alpha` are the weights of a method that chooses α by the image, such as adaptive
smoothing (Bai et al., 2024a), whose mixing network says α(x); they lie in [0, 1]. The weight at an attacked
point is that of the attacked image, which only the method itself can say: it is never taken from the clean
one. Points that join the pool later have NaN there; what follows for the method's figures stands in
`views.adaptive_alpha`.

`clean.certified_radius` says of each clean image how far h is certified there; what that means stands in the
manifest's `certificate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnuts_core.errors import BundleError

LARGEST_RADIUS = 1e6
"""Of a certificate; images whose pixels lie in [0, 1] are nearer to each other."""


def check_columns(tensors: Mapping[str, NDArray[Any]]) -> None:
    """Check the ranges of the columns that are there, and that they have what they belong to.

    Args:
        tensors: The bundle's tensors, each of its own dtype and shape, in the order of the pool.

    Raises:
        BundleError: With the first thing that is wrong.
    """
    if "clean.alpha" in tensors:
        _check_range("clean.alpha", tensors["clean.alpha"], 1.0, "the weight of h for each image")
    if "adv.alpha" in tensors:
        _check_alpha_of_points(tensors)
    if "clean.certified_radius" in tensors:
        meaning = "a radius in pixels of [0, 1], 0 where nothing is certified"
        _check_range("clean.certified_radius", tensors["clean.certified_radius"], LARGEST_RADIUS, meaning)


def _check_alpha_of_points(tensors: Mapping[str, NDArray[Any]]) -> None:
    if "clean.alpha" not in tensors:
        raise BundleError("adv.alpha needs clean.alpha: give the weights of the clean images, too")
    alpha, index = tensors["adv.alpha"], tensors["adv.index"]
    first = np.unique(index, return_index=True)[1]
    if np.isnan(alpha[first]).any():
        row = int(index[first][np.isnan(alpha[first])][0])
        raise BundleError(
            f"adv.alpha must be known at the first point of each attacked image, got NaN at that of clean "
            f"row {row}: only points that joined later may lack it"
        )
    _check_range("adv.alpha", alpha[~np.isnan(alpha)], 1.0, "the weight of h at each point")


def _check_range(name: str, values: NDArray[Any], most: float, meaning: str) -> None:
    if values.size and (values.min() < 0 or values.max() > most):
        raise BundleError(
            f"{name} must lie in [0, {most:g}], got {values.min():g} to {values.max():g}: it is {meaning}"
        )

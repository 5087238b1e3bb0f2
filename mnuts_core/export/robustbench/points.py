"""The adversarial points of a verification as RobustBench takes them: one plain tensor in a `.pt` file."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mnuts_core.bundles.manifest import ThreatModel
from mnuts_core.bundles.tensors import content_digest
from mnuts_core.errors import ConfigError
from mnuts_core.export.config import MixConfig
from mnuts_core.io.zipped_arrays import read_npz, read_torch
from mnuts_core.text import counted

OUTSIDE = 1e-6
"""A point may lie so far beyond ε: float32 rounds the sum of image and perturbation."""


def points_of(path: str | os.PathLike[str], config: MixConfig) -> Tensor:
    """The points that `mnuts evaluate --points` wrote, once they are known to be those of a verification.

    Args:
        path: The `.npz` file.
        config: The configuration, verified.

    Returns:
        The misclassified point of each image, or the image where the attack failed: float32, (N, C, H, W).

    Raises:
        ConfigError: If the file is broken, or of another verification.
    """
    arrays = read_npz(path, ("images", "predictions"), ConfigError)
    if len(arrays) < 2:
        raise ConfigError(
            f"{path} must hold images and predictions, as `mnuts evaluate --points` writes them"
        )
    points, predictions = arrays["images"], arrays["predictions"]
    known = None if config.verified is None else config.verified.digest
    if content_digest({"points": points, "predictions": predictions}) != known:
        raise ConfigError(
            f"{path} holds the points of another verification than the configuration's: give the file that "
            "the same `mnuts evaluate` wrote by --points"
        )
    return torch.from_numpy(np.ascontiguousarray(points, np.float32))


def points_file(points: Tensor) -> bytes:
    """A tensor as the content of a `.pt` file that loads with `weights_only`."""
    content = io.BytesIO()
    torch.save(points.contiguous(), content)
    return content.getvalue()


def read_points(path: Path) -> Tensor:
    """The tensor in a `.pt` file.

    Raises:
        ConfigError: If there is anything else in it.
    """
    found = read_torch(path, ConfigError)
    if not isinstance(found, Tensor):
        raise ConfigError(f"{path} must hold one plain tensor, got a {type(found).__name__}")
    return found


def faults_of_points(points: Tensor, n: int, dataset: str) -> Iterator[str]:
    """What is wrong with points by themselves.

    Args:
        points: As read.
        n: How many images were verified.
        dataset: RobustBench's name of the data set.
    """
    shape = tuple(points.shape)
    images = "(N, 3, 32, 32)" if dataset.startswith("cifar") else "(N, 3, H, W)"
    if points.dtype != torch.float32:
        yield f"the points must be float32, got {points.dtype}"
    if len(shape) != 4 or shape[1] != 3 or (dataset.startswith("cifar") and shape[2:] != (32, 32)):
        yield f"the points must be of shape {images} like the test images, got {shape}"
    if len(shape) == 0 or shape[0] != n:
        yield f"there must be a point for each image that was verified ({n:,}), got shape {shape}"
    if points.is_floating_point() and points.numel():
        low, high = points.aminmax()
        if not (low >= 0 and high <= 1):  # NaN is neither
            yield f"the points must lie in [0, 1], got {low:.4g} to {high:.4g}"


def faults_of_distances(points: Tensor, images: Tensor, threat: ThreatModel) -> Iterator[str]:
    """Which points are not around their images.

    Args:
        points: The points, shape (N, C, H, W).
        images: The clean images, in the same order, likewise.
        threat: What the attack may change.
    """
    order = 2 if threat.norm == "L2" else torch.inf
    distances = torch.linalg.vector_norm((points - images).flatten(1).double(), order, dim=1)
    outside = ~(distances <= threat.eps + OUTSIDE)
    if outside.any():
        rows = ", ".join(str(row) for row in outside.nonzero().flatten()[:5].tolist())
        yield (
            f"beyond {threat} around the images: {counted(int(outside.sum()), 'point')}, up to "
            f"{distances.max():.4g} (rows {rows}, counted from 0)"
        )

"""SYNTHETIC images in the place of CIFAR-10's, for rehearsals: the class shows in the colour."""

from __future__ import annotations

import torch

from mnuts_core.bundles.manifest import DataCard
from mnuts_core.datasets.base import LoadedData
from mnuts_core.datasets.specs import CIFAR10_CLASSES

SYNTHETIC = "synthetic"
"""What stands in the place of the data's spec."""


def coloured(n: int, seed: int) -> LoadedData:
    """One colour a class, and noise; one label in nine is wrong: a search needs images that h gets wrong."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 10, (n,), generator=generator)
    colours = torch.rand(10, 3, 1, 1, generator=torch.Generator().manual_seed(7))
    images = (0.8 * colours[labels] + 0.2 * torch.rand(n, 3, 32, 32, generator=generator)).clamp(0.0, 1.0)
    labels[::9] = (labels[::9] + 1) % 10
    return LoadedData(
        images, labels, CIFAR10_CLASSES, DataCard(name="SYNTHETIC colours", split=f"{n} images")
    )

"""scikit-learn's digits: 1,797 real images of 8 × 8 pixels, split into training and test images."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from mnuts_core.bundles.manifest import DataCard
from mnuts_core.extras import import_extra

N_TRAIN = 797
"""Images to train on; the other 1,000 of the 1,797 are the validation images."""

SEED = 0
"""Seed of the split, the first weights and the training."""


DATA = DataCard(
    name="digits",
    split=f"validation: {1797 - N_TRAIN} of 1,797 images, stratified by class, seed {SEED}",
    source=(
        "Optical Recognition of Handwritten Digits (E. Alpaydin, C. Kaynak; UCI Machine Learning Repository, "
        "CC BY 4.0), its test part as scikit-learn carries it (sklearn.datasets.load_digits): 8 x 8 pixels "
        "of 17 grey levels, divided by 16. Images in the bundle are rounded to 1/255."
    ),
)

CLASSES = tuple("0123456789")


class Split(NamedTuple):
    """Part of the digits: images float64 (N, 1, 8, 8) in [0, 1], labels int64 (N,) in [0, 10)."""

    images: Tensor
    labels: Tensor


def load_digits_split() -> tuple[Split, Split]:
    """The training and the validation images of scikit-learn's digits, always the same.

    Each class is shuffled and spread evenly over a list; the list's first 797 images train. So both
    parts, and each prefix of the validation part, hold the classes in nearly equal shares.
    """
    raw = import_extra("sklearn.datasets").load_digits()
    images = torch.from_numpy(raw.images / 16.0).unsqueeze(1)
    labels = torch.from_numpy(raw.target).long()
    generator = torch.Generator().manual_seed(SEED)
    place = torch.empty(len(labels), dtype=torch.float64)
    for digit in range(len(CLASSES)):
        rows = (labels == digit).nonzero().squeeze(1)
        shuffled = rows[torch.randperm(len(rows), generator=generator)]
        place[shuffled] = (torch.arange(len(rows), dtype=torch.float64) + 0.5) / len(rows)
    order = place.argsort(stable=True)
    first, rest = order[:N_TRAIN], order[N_TRAIN:]
    return Split(images[first], labels[first]), Split(images[rest], labels[rest])

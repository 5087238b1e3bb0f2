"""Whether images and models at hand are those that a bundle was built from."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.errors import ParameterError
from mnuts_core.functional.margins import check_labels
from mnuts_core.models.predict import BASE_MODELS, listed, predict
from mnuts_core.text import counted

N_LOOKED_AT = 32
"""Of so many images, spread over the attacked ones, logits are computed again."""
TOLERANCE = 1e-2
"""Logits may differ by this share of the largest: another processor, another memory layout rounds anew."""


def attacked_images(
    bundle: LogitBundle,
    models: tuple[nn.Module, nn.Module],
    images: Tensor,
    labels: Tensor,
    *,
    batch_size: int,
    device: str | torch.device,
    channels_last: bool = False,
) -> tuple[Tensor, Tensor]:
    """A bundle's attacked images, once they are known to be those that it was built from.

    Args:
        bundle: A bundle with an attacked part.
        models: g and h.
        images: Clean images in [0, 1]: those of the bundle's clean rows in their order, at least up to the
            last attacked one, shape (N, C, H, W).
        labels: Their true classes, shape (N,).
        batch_size: Images at a time.
        device: Where to compute.
        channels_last: Lay images and weights out as NHWC.

    Returns:
        The images and labels of the attacked rows.

    Raises:
        ParameterError: If there are too few images, or labels or logits are not the bundle's.
    """
    index = bundle.require_attacked().index[: bundle.n_adv]
    last = int(index.max())
    if len(images) <= last:
        raise ParameterError(
            f"images must reach to the last attacked row of bundle {bundle.name!r}, {last}, "
            f"got {counted(len(images), 'image')}: give the data that it was built from"
        )
    labels = check_labels(labels, torch.zeros(1).expand(len(images), bundle.num_classes))
    n = min(len(labels), bundle.n_clean)
    _check_same_labels(bundle, labels[:n], np.arange(n))
    chosen = torch.from_numpy(index)
    images, labels = images[chosen], labels[chosen]
    check_same_images(
        bundle,
        models,
        images,
        labels,
        index,
        batch_size=batch_size,
        device=device,
        channels_last=channels_last,
    )
    return images, labels


def check_same_images(
    bundle: LogitBundle,
    models: tuple[nn.Module, nn.Module],
    images: Tensor,
    labels: Tensor,
    rows: NDArray[np.int64],
    *,
    batch_size: int,
    device: str | torch.device,
    channels_last: bool = False,
) -> None:
    """Check that images are those of a bundle's clean rows, and the models its models.

    Args:
        bundle: The bundle.
        models: g and h.
        images: In [0, 1], shape (N, C, H, W), at least one.
        labels: Their true classes, shape (N,).
        rows: The clean row that each is to be, int64, shape (N,).
        batch_size: Images at a time.
        device: Where to compute.
        channels_last: Lay images and weights out as NHWC.

    Raises:
        ParameterError: If labels are others than the bundle's, or the models answer some of the images
            otherwise.
    """
    _check_same_labels(bundle, labels, rows)
    some = torch.from_numpy(np.unique(np.linspace(0, len(rows) - 1, N_LOOKED_AT).astype(int)))
    numbers = rows[some.numpy()]
    stored = (bundle.clean_std_logits, bundle.clean_rob_logits)
    for name, model, logits in zip(BASE_MODELS, models, stored, strict=True):
        found = predict(
            model,
            images[some],
            batch_size=batch_size,
            device=device,
            channels_last=channels_last,
            name=name,
            classes=bundle.num_classes,
            numbers=torch.from_numpy(numbers),
        )
        scale = max(float(np.abs(logits[numbers]).max()), 1e-6)
        apart = np.abs(found.numpy() - logits[numbers]).max() / scale
        if not apart <= TOLERANCE:
            raise ParameterError(
                f"{name} must answer the clean images as bundle {bundle.name!r} has it, but its logits "
                f"differ by up to {100 * apart:.2g} % of the largest: give the models and the data that it "
                "was built from"
            )


def _check_same_labels(bundle: LogitBundle, labels: Tensor, rows: NDArray[np.int64]) -> None:
    other = rows[labels.numpy() != bundle.clean_labels[rows]]
    if len(other):
        raise ParameterError(
            f"labels must be those of bundle {bundle.name!r}, but {len(other):,} differ (rows "
            f"{listed(other.tolist())}, counted from 0): give the data that it was built from, in its order"
        )

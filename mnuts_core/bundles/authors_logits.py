"""The authors' `logits.pt`, which their `calc_spca.py` searches, from a bundle; `importers` reads it."""

from __future__ import annotations

import io
import os

import numpy as np

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.errors import BundleError
from mnuts_core.io.files import write_atomically


def save_logits(bundle: LogitBundle, path: str | os.PathLike[str]) -> dict[str, int]:
    """Write raw logits of h where Algorithm 1 looks: wrong at clean images, right at attacked ones.

    As in the authors' scripts, the clean images are the attacked ones before the attack, and the attacked
    points are the first of each image, which are MMAA's.

    Args:
        bundle: A bundle with an attacked part.
        path: Where to write.

    Returns:
        How many `cln_incorr` (clean and wrong) and `atk_corr` (attacked and right) there are.

    Raises:
        BundleError: If there is no attacked part, none of either kind, or the file cannot be written.
    """
    import torch

    if bundle.attacked is None:
        raise BundleError(f"{bundle.name} has no attacked part, on which Algorithm 1 works")
    first = bundle.attacked.first
    clean, labels = bundle.clean_rob_logits[first.index], bundle.clean_labels[first.index]
    wrong, right = clean.argmax(axis=1) != labels, first.rob_logits.argmax(axis=1) == labels
    if not wrong.any() or not right.any():
        raise BundleError(f"{bundle.name} has no wrong clean or no right attacked image of the robust model")
    parts = {"atk_corr": first.rob_logits[right], "cln_incorr": clean[wrong]}
    tensors = {name: torch.from_numpy(np.ascontiguousarray(rows, np.float32)) for name, rows in parts.items()}
    content = io.BytesIO()
    torch.save(tensors, content)
    write_atomically(path, content.getvalue(), BundleError)
    return {name: len(rows) for name, rows in parts.items()}

"""Rows of logits as searches take them: layer-normed, classes sorted, equal rows once."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnuts_core.functional.transform import layer_norm
from mnuts_core.params import LARGEST_LOGIT, VARIANCE_FLOOR

LOGITS_AT_ONCE = 1 << 19
"""So many logits are normed at a time: they stay in the cache."""


def sort_classes(logits: Tensor) -> Tensor:
    """Each row from the largest logit to the smallest; on the CPU NumPy sorts ten times as fast as torch."""
    if logits.device.type != "cpu":
        return logits.sort(dim=1, descending=True).values
    z = logits.neg().contiguous()  # fresh memory costs more than the sort: this is all of it
    z.numpy().sort(axis=1)
    return z.neg_()


def normed_rows(logits: Tensor, ln_k: int) -> Tensor:
    """`layer_norm`, its largest logits found by `sort_classes`, which is faster than torch.

    Args:
        logits: Raw logits of h, float64, shape (R, K).
        ln_k: So many of the largest logits give the statistics; 0 returns the logits.
    """
    if not 0 < ln_k < logits.shape[1]:
        return layer_norm(logits, ln_k)
    normed = logits.clamp(-LARGEST_LOGIT, LARGEST_LOGIT)
    for rows in torch.split(normed, max(1, LOGITS_AT_ONCE // logits.shape[1])):
        top = sort_classes(rows)[:, :ln_k]
        variance = top.var(dim=1, keepdim=True, correction=1)
        rows.sub_(top.mean(dim=1, keepdim=True)).div_((variance + VARIANCE_FLOOR).sqrt())
    return normed


def distinct_rows(normed: Tensor) -> tuple[Tensor, NDArray[np.int64]]:
    """Rows with sorted classes, those that come out equal kept once.

    So examples whose logits are the same but for their order have the same margin to the last bit.

    Args:
        normed: Layer-normed logits, shape (R, K).

    Returns:
        The rows, shape (U, K), U ≤ R, so ordered that neighbours are alike, and which of them each given
        row is, shape (R,).
    """
    z = sort_classes(normed)
    weights = 1.0 / torch.arange(1, z.shape[1] + 1, dtype=z.dtype, device=z.device)
    marks = (z * weights).sum(dim=1).cpu().numpy()
    _, chosen, which = np.unique(marks, return_index=True, return_inverse=True)
    if len(chosen) < len(z) and not torch.equal(z[chosen][which], z):  # equal marks of unequal rows
        chosen = marks.argsort(kind="stable")
        which = chosen.argsort()
    return z[chosen], which

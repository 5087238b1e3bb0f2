"""What M does to the robust model's own predictions in every cell of a grid (Assumption 4.2, D.8.2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnuts_core.clamps import Clamp, clamp_logits
from mnuts_core.functional.transform import signed_power
from mnuts_core.remix.stages import overtaken
from mnuts_core.search.cell_margins import Array
from mnuts_core.search.grids import GridSpec
from mnuts_core.search.sorted_rows import sort_classes


@dataclass(frozen=True, eq=False)
class Changes:
    """What M does to predictions, shape (p, c): s does not matter to them.

    Attributes:
        loss: Accuracy that the robust model loses, the larger of clean and attacked, as a share.
        clean_changes: Share of the clean examples whose prediction changes.
        attacked_changes: Share of the attacked ones.
    """

    loss: Array
    clean_changes: Array
    attacked_changes: Array


def prediction_changes(
    normed: Tensor, labels: NDArray[np.int64], n_clean: int, n_images: int, grid: GridSpec, clamp: Clamp
) -> Changes:
    """What M changes in every cell, on the clean rows and at the first points of the attacked images.

    Args:
        normed: Layer-normed logits, shape (R, K): the clean rows, the first points, then others.
        labels: Their labels, shape (R,).
        n_clean: How many clean rows.
        n_images: How many first points.
        grid: The cells.
        clamp: Clamping function.
    """
    of_row = torch.from_numpy(labels).to(normed.device)
    first, last = normed.max(dim=1), normed.min(dim=1)
    ends, before = leaders(normed), first.indices == of_row
    plain_tie = ends[:, 0] == ends[:, 1]
    loss, changes = np.empty((2, *grid.shape[1:])), np.empty((2, *grid.shape[1:]))
    for k, c in enumerate(grid.c.tolist()):
        swapped = overtaken(first.values, last.values, c, clamp)
        top = torch.where(swapped, last.indices, first.indices)
        own_tie = plain_tie & ~swapped
        two = clamp_logits(ends + c, clamp).topk(2, dim=1).values.T
        near = (may_tie(two[0], two[1], float(grid.p[0])) & ~own_tie).nonzero().squeeze(1)
        tied, few = torch.zeros_like(own_tie), two[:, near].contiguous()
        for j, p in enumerate(grid.p.tolist()):
            one, other = signed_power(few, p)
            tied[near] = one == other  # `mnuts_core.functional.mixing`
            right, changed = (top == of_row) & ~tied, (top != first.indices) | tied
            for part, of in enumerate((slice(0, n_clean), slice(n_clean, n_clean + n_images))):
                lost = int(before[of].sum()) - int(right[of].sum())
                loss[part, j, k] = lost / len(before[of])
                changes[part, j, k] = int(changed[of].sum()) / len(before[of])
    return Changes(loss.max(axis=0), *changes)


def may_tie(one: Tensor, two: Tensor, least_power: float) -> Tensor:
    """Whether powers of two clamped logits, one ≥ two, can come out equal, bool: few can.

    They differ too little, or their powers may underflow or overflow.
    """
    alike = one - two <= one.abs() * (1e-9 / min(1.0, least_power))
    return alike | (torch.maximum(one.abs(), two.abs()) < 1e-2) | (two.abs() > 1e2)


def leaders(normed: Tensor) -> Tensor:
    """Each row's two largest and two smallest logits, (R, 4): a clamp's two largest are among them."""
    z = sort_classes(normed)
    return torch.cat([z[:, :2], z[:, max(2, z.shape[1] - 2) :]], dim=1)

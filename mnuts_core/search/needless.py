"""Points that decide nothing: another point of their image has the smaller margin in every cell of a grid.

With d the distances of the clamped logits from the largest, sorted, the margin of M(h) rises with each of
them: `(1 - exp(-s·d₂)) / Σ exp(-s·dᵢ)` after the power. And where p ≥ 1, a point whose largest clamped logit
and whose distances are all at least another's keeps that lead after the power, whatever p and s. So a few
comparisons for each c spare the exponentials of all its cells.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnuts_core.clamps import CLAMP_RECORDS, Clamp, clamp_logits
from mnuts_core.search.grids import GridSpec
from mnuts_core.search.kernel import FROM_CLASSES
from mnuts_core.search.sorted_rows import sort_classes

Bools = NDArray[np.bool_]


def needless_points(
    z: Tensor,
    of: NDArray[np.int64],
    grid: GridSpec,
    clamp: Clamp,
    *,
    rivals: Tensor | None = None,
    wrong: Bools | None = None,
) -> Bools:
    """Which points never have the least margin of their image, or share it with one that is not needless.

    Only what can be shown at once is found; with many classes, or powers below 1, nothing.

    Args:
        z: Layer-normed logits, classes sorted from the largest, float64, shape (R, K).
        of: The image of each point, from 0, shape (R,).
        grid: The cells.
        clamp: Clamping function.
        rivals: Of each point the layer-normed logit of some class, shape (R,): then not the margin counts,
            but how far that class's probability is below the largest.
        wrong: For each c where M(h) is wrong, so that 0 takes the margin's place, shape (c, R).

    Returns:
        Shape (R,).
    """
    found = np.zeros(len(z), bool)
    if z.shape[1] >= FROM_CLASSES or float(min(grid.p)) < 1.0:
        return found
    if wrong is None:
        wrong = np.zeros((len(grid.c), len(z)), bool)
    first, lead = z[:, 0].cpu().numpy(), (z[:, 0] - z[:, 1]).cpu().numpy()
    for rank in (first, lead):  # against the point of the least distances in sum, then of the least lead
        rows = np.flatnonzero(~found)
        rows = rows[np.lexsort((rank[rows], of[rows]))]
        new = np.append(True, of[rows][1:] != of[rows][:-1])
        least = rows[new][np.cumsum(new) - 1]
        few = (first[rows] >= first[least]) & (lead[rows] >= lead[least]) & ~new
        rows, least = rows[few], least[few]
        for k, c in enumerate(grid.c.tolist()):
            ahead = _at_least(z, rivals, rows, least, float(c), clamp)
            kept = wrong[k, least] | (~wrong[k, rows] & ahead)
            rows, least = rows[kept], least[kept]
        found[rows] = True
    return found


def _at_least(
    z: Tensor,
    rivals: Tensor | None,
    rows: NDArray[np.int64],
    least: NDArray[np.int64],
    c: float,
    clamp: Clamp,
) -> Bools:
    """Whether the margins of some rows are at least those of others for all s, and all p ≥ 1."""
    (one, behind), (two, limit) = (_distances(z, rivals, of, c, clamp) for of in (rows, least))
    tops, lowest = (v[:, 0] for v in (one, two)), one[:, 0] - behind[:, : z.shape[1]].amax(dim=1)
    top, other = tops
    ahead = (top >= other) & (other >= 0) & (other >= -lowest) & (behind >= limit).all(dim=1)
    return np.asarray(ahead.cpu().numpy())


def _distances(
    z: Tensor, rivals: Tensor | None, rows: NDArray[np.int64], c: float, clamp: Clamp
) -> tuple[Tensor, Tensor]:
    """Clamped logits, sorted, and their distances from the largest; the rival's comes last."""
    chosen = torch.from_numpy(rows).to(z.device)
    v = clamp_logits(z[chosen] + c, clamp)
    if not CLAMP_RECORDS[clamp].monotone:
        v = sort_classes(v)
    columns = v if rivals is None else torch.cat([v, clamp_logits(rivals[chosen] + c, clamp)[:, None]], dim=1)
    return v, v[:, :1] - columns

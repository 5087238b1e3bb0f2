"""What a point says of mixes: how soon it fools them, and how small it makes M(h)'s margin.

A point is worth keeping where it says more than its image's other points do, for some transform. Transforms
are endless, so a few that span the grids of the paper and beyond stand for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mnuts_core.clamps import clamp_logits
from mnuts_core.functional.margins import signed_margin
from mnuts_core.functional.mixing import mixed_logits
from mnuts_core.functional.transform import layer_norm, signed_power
from mnuts_core.params import MixParams

SCALES, POWERS, BIASES = (0.1, 0.5, 1.5, 5.0, 50.0), (1.0, 2.0, 4.0), (-1.1, -0.4, 0.0)
"""The transforms looked at, with the default clamp and layer norm; the plain mix is another."""
N_PROBED = 2 * (1 + len(SCALES) * len(POWERS) * len(BIASES))
"""So many of a point's values are of transforms; the rest say whether a classifier is right there."""
RELATIVE, ABSOLUTE = 0.1, 0.005
"""Values in [0, 1] say the same if they differ by less than the second and the first times the distance to
the nearer end. On digits, six mixes: a quarter of the points, attacked accuracy 0 to 0.2 points higher.
Chosen among six pairs on these same mixes.
"""
NEVER = 2.0
"""Odds (1-α)/α beyond all that there are."""
BLOCK = 2**21
"""So many logits are looked at, at once."""


def values(
    std_logits: NDArray[Any], rob_logits: NDArray[Any], labels: NDArray[np.int64], target: MixParams | None
) -> NDArray[np.float64]:
    """What points say, less being worse for the mixes, shape (P, values).

    Of each transform: M(h)'s margin, and the odds `(1-α)/α` from which g outvotes it for a wrong class. Then
    whether g is right, and whether the target is.

    Args:
        std_logits: g, shape (P, K).
        rob_logits: h, shape (P, K).
        labels: True classes, shape (P,).
        target: A mix with α set, which is looked at by itself.
    """
    blocks = _blocks(std_logits, rob_logits, labels)
    return torch.cat([_of_block(std, rob, own, target) for std, rob, own in blocks]).numpy()


def _blocks(*arrays: NDArray[Any]) -> Iterator[tuple[Tensor, ...]]:
    """So many rows of all arrays at a time, as tensors, that their logits stay few."""
    step = max(1, BLOCK // max(1, arrays[0].shape[1]))
    parts = (torch.split(torch.from_numpy(np.ascontiguousarray(array)), step) for array in arrays)
    return zip(*parts, strict=True)


def fools(
    std_logits: NDArray[Any], rob_logits: NDArray[Any], labels: NDArray[np.int64], mixes: Sequence[MixParams]
) -> NDArray[np.bool_]:
    """Whether points fool g, h, and mixes, shape (2 + mixes, P).

    Args:
        std_logits: g, shape (P, K).
        rob_logits: h, shape (P, K).
        labels: True classes, shape (P,).
        mixes: Mixes with α set.
    """
    rows = [logits.argmax(axis=1) != labels for logits in (std_logits, rob_logits)]
    for mix in mixes:
        blocks = _blocks(std_logits, rob_logits, labels)
        wrong = [mixed_logits(std, rob, mix).argmax(dim=1) != own for std, rob, own in blocks]
        rows.append(torch.cat(wrong).numpy())
    return np.stack(rows)


def _of_block(std: Tensor, rob: Tensor, labels: Tensor, target: MixParams | None) -> Tensor:
    voted, rob = std.argmax(dim=1), rob.double()
    std_right = voted == labels
    columns = []
    for logits in _transformed(rob):
        shares = logits.softmax(dim=1)
        behind = shares.amax(dim=1) - shares.gather(1, voted.unsqueeze(1)).squeeze(1)
        columns += [signed_margin(logits, labels).clamp_min(-2 * ABSOLUTE), behind + NEVER * std_right]
    columns.append(std_right.double())
    if target is not None:
        columns.append((mixed_logits(std.double(), rob, target).argmax(dim=1) == labels).double())
    return torch.stack(columns, dim=1)


def _transformed(rob: Tensor) -> Iterator[Tensor]:
    """H itself, and M(h) for each of the transforms."""
    yield rob
    normed = layer_norm(rob)
    for c in BIASES:
        clamped = clamp_logits(normed + c)
        for p in POWERS:
            power = signed_power(clamped, p)
            yield from (s * power for s in SCALES)


def say_more(new: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether points say more than what is known of their images, shape (P,).

    Args:
        new: Their `values`.
        known: The least of their image's other points, the same shape.
    """
    inside = np.clip(known, 0.0, 1.0)
    return np.asarray((new < known - ABSOLUTE - RELATIVE * np.minimum(inside, 1.0 - inside)).any(axis=1))

"""Adding points to the pool of attacked points: what is kept of an attack, and why.

Every point x + δ is a valid perturbation whoever found it, so each one bounds the robust accuracy of every
mix from above. What bounds nothing more than others do is not kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnuts_core.bundles.attacked import AttackedPart, margins_of
from mnuts_core.errors import BundleError

LOGITS_PER_SOURCE = 1600
"""Of each model, one source keeps about so many for an image: 8 points of 10 or 100 classes, 1 of 1,000."""
MOST_PER_SOURCE = 8


def kept_per_source(classes: int) -> int:
    """How many points of one source are kept for an image.

    Args:
        classes: K.

    Example:
        >>> kept_per_source(10), kept_per_source(100), kept_per_source(1000)
        (8, 8, 1)
    """
    return max(1, min(MOST_PER_SOURCE, LOGITS_PER_SOURCE // classes))


def add_points(
    part: AttackedPart,
    source: int,
    index: NDArray[np.int64],
    std_logits: NDArray[np.floating[Any]],
    rob_logits: NDArray[np.floating[Any]],
    *,
    stay: Sequence[int] = (),
) -> AttackedPart:
    """The pool with the points of one more source.

    A settled image (some point fools g and h) keeps its first point, which the paper's rule and the margins
    of Table 6 need, and one that settles it: at T = 0 no mix whose transform keeps h's class is right there.
    Any other image keeps, of the points in the order given, the first few that are new. Points of a
    verification stay in settled images, too: a mix at T > 0, or whose transform changes classes, may be right
    where g and h are wrong, and no figure of it may exceed what was verified.

    Args:
        part: The pool.
        source: The number of the source.
        index: The clean row of each point, int64, shape (Q,); the most useful points of an image first.
        std_logits: g there, shape (Q, K).
        rob_logits: h there, shape (Q, K).
        stay: Numbers of the sources that are verifications.

    Raises:
        BundleError: If a row is not that of an attacked image, or the arrays do not fit.
    """
    k = part.rob_logits.shape[1]
    index = np.asarray(index, np.int64)
    for name, logits in (("std_logits", std_logits), ("rob_logits", rob_logits)):
        if logits.shape != (len(index), k) or not np.isfinite(logits).all():
            raise BundleError(
                f"{name} of new points must be finite, of shape {(len(index), k)}, got {logits.shape}"
            )
    if strangers := set(index.tolist()) - set(part.index[: part.n_images].tolist()):
        raise BundleError(
            f"new points must belong to attacked images, got clean row {min(strangers)}: "
            "attack the images that the bundle's first attack was run on"
        )
    labels = _labels_of(part, index)
    old = np.zeros(len(part), np.int64) if part.source is None else part.source
    new = AttackedPart(
        index=np.concatenate([part.index, index]),
        std_logits=np.concatenate([part.std_logits, std_logits.astype(part.std_logits.dtype)]),
        rob_logits=np.concatenate([part.rob_logits, rob_logits.astype(part.rob_logits.dtype)]),
        margin=np.concatenate([part.margin, margins_of(np.ascontiguousarray(rob_logits), labels)]),
        labels=np.concatenate([part.labels, labels]),
        source=np.concatenate([old, np.full(len(index), source, np.int64)]),
        images=part.images,
    )
    return new.rows(_useful(new, len(part), stay)).in_order()


def _labels_of(part: AttackedPart, index: NDArray[np.int64]) -> NDArray[np.int64]:
    firsts = part.index[: part.n_images]
    order = np.argsort(firsts)
    labels: NDArray[np.int64] = part.labels[: part.n_images][order[np.searchsorted(firsts[order], index)]]
    return labels


def _useful(part: AttackedPart, n_old: int, stay: Sequence[int]) -> NDArray[np.bool_]:
    """Which points stay, where those from `n_old` on are new ones of one source."""
    m, limit = part.n_images, kept_per_source(part.rob_logits.shape[1])
    kept = np.zeros(len(part), bool)
    kept[:m] = True
    image_of, settles, settled = part.of, part.settles, np.zeros(m, bool)
    for place in np.flatnonzero(settles).tolist():  # in order: first points, old ones, new ones
        if not settled[image_of[place]]:
            settled[image_of[place]], kept[place] = True, True
    assert part.source is not None  # `add_points` has numbered all
    stays = np.isin(part.source, stay)
    seen: dict[int, set[bytes]] = {}
    counts = np.zeros(m, np.int64)
    for place in range(m, len(part)):
        image = int(image_of[place])
        if kept[place] or (settled[image] and not stays[place]):
            continue
        if place < n_old:
            kept[place] = True
            continue
        known = seen.setdefault(image, _known(part, image, n_old))
        if counts[image] < limit and (point := _bytes_of(part, place)) not in known:
            known.add(point)
            counts[image] += 1
            kept[place] = True
    return kept


def _known(part: AttackedPart, image: int, n_old: int) -> set[bytes]:
    """The points of an image that the pool had before."""
    return {_bytes_of(part, place) for place in np.flatnonzero(part.of[:n_old] == image).tolist()}


def _bytes_of(part: AttackedPart, place: int) -> bytes:
    return bytes(part.std_logits[place].tobytes() + part.rob_logits[place].tobytes())

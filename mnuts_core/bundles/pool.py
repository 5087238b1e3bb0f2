"""Adding points to the pool of attacked points: what is kept of an attack, and why.

Every point x + δ is a valid perturbation whoever found it, so each one bounds the robust accuracy of every
mix from above. What bounds nothing more than others do is not kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnuts_core.bundles.attacked import AttackedPart, margins_of
from mnuts_core.bundles.usefulness import N_PROBED, fools, say_more, values
from mnuts_core.errors import BundleError
from mnuts_core.params import MixParams

LOGITS_PER_IMAGE = 2400
"""Of each model, an image keeps at most so many of points that say more than its others: 6 points of 10 or
100 classes, 2 of 1,000."""
MOST_PER_IMAGE = 6
LOGITS_ON_AVERAGE, MOST_ON_AVERAGE = 1700, 8
"""Over all images, so many logits of each model, and so many points, are kept on average beside the first
ones, whatever they say. So 1,000 images × 10 classes stay under 1 MB and 5,000 × 1,000 under 150 MB, clean
logits and first points included."""


def kept_per_image(classes: int) -> int:
    """How many further points an image keeps at most, but for those that no limit holds for.

    Args:
        classes: K.

    Example:
        >>> kept_per_image(10), kept_per_image(100), kept_per_image(1000)
        (6, 6, 2)
    """
    return max(2, min(MOST_PER_IMAGE, LOGITS_PER_IMAGE // classes))


def most_points(classes: int, images: int) -> int:
    """How many further points a pool keeps, verifications' excepted, which always stay.

    Args:
        classes: K.
        images: m, how many images were attacked.

    Example:
        >>> most_points(10, 1000), most_points(1000, 5000)
        (8000, 8500)
    """
    return int(images * min(MOST_ON_AVERAGE, LOGITS_ON_AVERAGE / classes))


def add_points(
    part: AttackedPart,
    source: int,
    index: NDArray[np.int64],
    std_logits: NDArray[np.floating[Any]],
    rob_logits: NDArray[np.floating[Any]],
    target: MixParams | None = None,
    *,
    earlier: Sequence[MixParams] = (),
    stay: Sequence[int] = (),
) -> AttackedPart:
    """The pool with the points of one more source; what it has already stays, but at images newly settled.

    A settled image (some point fools g and h) keeps its first point, which the paper's rule and the margins
    of Table 6 need, and one that settles it: at T = 0 no mix whose transform keeps h's class is right there.
    Other mixes may be: of a target that is, the point that fools it stays, too, and so do all points of a
    verification, as no figure of its mix may exceed what was verified.
    Any other image keeps, in the order given, the points that say more than those before them (see
    `usefulness`), up to `kept_per_image`. A point that is the first to fool g or the target is kept in any
    case: with these points, the target's attacked accuracy is not above that of the attack on it.
    Where this makes more than `most_points`, points go that no mix of the sources needs to be wrong (those of
    the fullest images first), and only then others.

    Args:
        part: The pool.
        source: The number of the source.
        index: The clean row of each point, int64, shape (Q,); the most useful points of an image first.
        std_logits: g there, shape (Q, K).
        rob_logits: h there, shape (Q, K).
        target: The mix that was attacked, with α set, if it was one.
        earlier: The mixes, with α set, that sources before it attacked.
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
    new = AttackedPart(
        index=np.concatenate([part.index, index]),
        std_logits=np.concatenate([part.std_logits, std_logits.astype(part.std_logits.dtype)]),
        rob_logits=np.concatenate([part.rob_logits, rob_logits.astype(part.rob_logits.dtype)]),
        margin=np.concatenate([part.margin, margins_of(np.ascontiguousarray(rob_logits), labels)]),
        labels=np.concatenate([part.labels, labels]),
        source=np.concatenate([sources_of(part), np.full(len(index), source, np.int64)]),
        images=part.images,
        alpha=None if part.alpha is None else np.concatenate([part.alpha, np.full(len(index), np.nan)]),
    )
    kept = new.rows(_kept(new, len(part), target, stay)).in_order()
    mixes = [*earlier, *([] if target is None else [target])]
    return _within(kept, most_points(k, part.n_images), mixes, stay)


def sources_of(part: AttackedPart) -> NDArray[np.int64]:
    """The number of each point's source, shape (P,)."""
    return np.zeros(len(part), np.int64) if part.source is None else part.source


def _labels_of(part: AttackedPart, index: NDArray[np.int64]) -> NDArray[np.int64]:
    firsts = part.index[: part.n_images]
    order = np.argsort(firsts)
    labels: NDArray[np.int64] = part.labels[: part.n_images][order[np.searchsorted(firsts[order], index)]]
    return labels


def _kept(part: AttackedPart, n_old: int, target: MixParams | None, stay: Sequence[int]) -> NDArray[np.bool_]:
    """Which points stay, where those from `n_old` on are new ones of one source."""
    m, of = part.n_images, part.of
    kept = np.zeros(len(part), bool)
    kept[:m] = True
    settling = np.flatnonzero(part.settles)  # first points, old ones, new ones
    settled, first = np.unique(of[settling], return_index=True)
    kept[settling[first]] = True
    kept[:n_old] |= ~np.isin(of[:n_old], settled)
    kept |= np.isin(sources_of(part), stay)
    before, new = np.flatnonzero(kept), n_old + np.flatnonzero(~kept[n_old:])
    if len(new):
        room = np.full(m, kept_per_image(part.rob_logits.shape[1])) + 1 - np.bincount(of[before], minlength=m)
        room[settled] = 0
        images = np.unique(of[new])
        before = before[np.isin(of[before], images)]
        seen = part.rows(np.concatenate([before, new]))
        kept[new] = _useful(seen, len(before), room[of[before[: len(images)]]], target)
    return kept


def _within(part: AttackedPart, most: int, mixes: Sequence[MixParams], stay: Sequence[int]) -> AttackedPart:
    """A pool without the further points that are too many."""
    m, of, sources = part.n_images, part.of, sources_of(part)
    over = len(part) - m - most
    if over <= 0:
        return part
    loose = m + np.flatnonzero(~np.isin(sources[m:], stay))
    _, first, of_loose = np.unique(of[loose], return_index=True, return_inverse=True)
    rank = np.arange(len(loose)) - first[of_loose]  # an image's points stand beside each other
    order = np.lexsort((-sources[loose], -rank, _needed(part, mixes)[loose]))
    kept = np.ones(len(part), bool)
    kept[loose[order[:over]]] = False
    return part.rows(kept)


def _needed(part: AttackedPart, mixes: Sequence[MixParams]) -> NDArray[np.bool_]:
    """Which points are the first of their image's to fool one of both models or a mix, shape (P,)."""
    found, needed = fools(part.std_logits, part.rob_logits, part.labels, mixes), np.zeros(len(part), bool)
    for fooled in found:
        places = np.flatnonzero(fooled)
        _, first = np.unique(part.of[places], return_index=True)
        needed[places[first]] = True
    return needed


def _useful(
    part: AttackedPart, n_old: int, room: NDArray[np.int64], target: MixParams | None
) -> NDArray[np.bool_]:
    """Which of the points from `n_old` on say more than those of their images before them, or fool first.

    Args:
        part: Old points, and then new ones.
        n_old: How many are old.
        room: For so many points of each image there is room, shape (m,).
        target: The target.
    """
    of, room = part.of, room.copy()
    found = values(part.std_logits, part.rob_logits, part.labels, target)
    known = np.full((part.n_images, found.shape[1]), np.inf)
    np.minimum.at(known, of[:n_old], found[:n_old])
    useful = np.zeros(len(part), bool)
    for places in _rounds(of, n_old):
        image = of[places]
        fools = (found[places] < known[image])[:, N_PROBED:].any(axis=1)
        more = say_more(found[places], known[image]) & (room[image] > 0)
        chosen, image = places[fools | more], image[fools | more]
        useful[chosen] = True
        known[image] = np.minimum(known[image], found[chosen])
        room[image] -= 1
    return useful[n_old:]


def _rounds(of: NDArray[np.int64], n_old: int) -> Iterator[NDArray[np.int64]]:
    """The places of the points from `n_old` on: each image's first new one, then each one's second, ..."""
    new = n_old + np.argsort(of[n_old:], kind="stable")
    image = of[new]
    rank = np.arange(len(new)) - np.searchsorted(image, image)
    order = np.argsort(rank, kind="stable")
    yield from np.split(new[order], np.flatnonzero(np.diff(rank[order])) + 1)

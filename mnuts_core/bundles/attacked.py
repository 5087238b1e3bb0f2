"""The attacked part of a bundle: both models' logits at the points that attacks have found."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnuts_core.bundles.tensors import Tensors, check_array, check_index, check_rows, part_of
from mnuts_core.errors import BundleError, ParameterError

BLOCK = 2**22
"""Margins are computed of so many logits at a time."""
_NEEDED = ("index", "std_logits", "rob_logits")
_ONE_AN_IMAGE = ("images",)
"""Columns that only first points have."""


@dataclass(frozen=True, eq=False, kw_only=True)
class AttackedPart:
    """The pool of attacked points, one row each.

    First stands one point for each attacked image, in a bundle by MMAA its minimum-margin point; then all
    further points of these images, sorted by image, then by source.

    Attributes:
        index: For each point its image's row among the clean ones, int64, shape (P,).
        std_logits: g at the point, float32 or float64, shape (P, K).
        rob_logits: h at the point, shape (P, K).
        margin: Signed margin of LN∘h there, float32, shape (P,), in [-1, 1].
        labels: True classes, int64, shape (P,): those of the clean rows.
        source: Which of the manifest's sources found the point, int64, shape (P,); None: all the first.
        images: uint8, shape (m, H, W, C), of the first points, or None.
        alpha: The weight of a method that chooses α by the image, float64, shape (P,), in [0, 1], NaN where
            it is not known; None without such a method (see `columns`).
    """

    index: NDArray[np.int64]
    std_logits: NDArray[np.floating[Any]]
    rob_logits: NDArray[np.floating[Any]]
    margin: NDArray[np.float32]
    labels: NDArray[np.int64]
    source: NDArray[np.int64] | None = None
    images: NDArray[np.uint8] | None = None
    alpha: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        """P, how many points."""
        return len(self.index)

    @cached_property
    def n_images(self) -> int:
        """m, how many attacked images."""
        return len(np.unique(self.index))

    @cached_property
    def of(self) -> NDArray[np.int64]:
        """The number of the image that each point belongs to, in [0, m), shape (P,)."""
        return _places(self.index[: self.n_images], self.index)

    @cached_property
    def first(self) -> AttackedPart:
        """One point for each image: the first."""
        return self if self.n_images == len(self) else self.rows(np.arange(self.n_images))

    @cached_property
    def further(self) -> AttackedPart | None:
        """All points but the first ones; None if there are no others."""
        if self.n_images == len(self):
            return None
        return replace(self.rows(np.arange(self.n_images, len(self))), images=None)

    @property
    def settles(self) -> NDArray[np.bool_]:
        """Which points fool both models, so that no mix that keeps h's class is right there, shape (P,)."""
        # as `functional.mixing.fools_both`, without torch, which nobody needs who only reads a bundle
        std, rob = (logits.argmax(axis=1) for logits in (self.std_logits, self.rob_logits))
        return np.asarray((std != self.labels) & (rob != self.labels))

    @property
    def settled(self) -> NDArray[np.bool_]:
        """Which images have such a point, shape (m,): no attack could change the figures of mixes there."""
        return at_any_point(self.settles, self.of, self.n_images)

    @classmethod
    def of_tensors(cls, tensors: Tensors) -> AttackedPart | None:
        """The attacked part among a bundle's tensors, in order; None if they have none.

        A missing margin is computed as that of LN∘h (k = 250) at the attacked points.

        Args:
            tensors: Tensors of a bundle, that the others are yet to be checked against.

        Raises:
            BundleError: If the part is incomplete, or its index names no clean rows.
        """
        own = part_of(tensors, "adv")
        if not own:
            return None
        if missing := [f"adv.{name}" for name in _NEEDED if name not in own]:
            raise BundleError(f"the attacked part is incomplete: {', '.join(missing)} missing")
        for name in (
            "clean.labels",
            "clean.rob_logits",
            "adv.index",
            *(f"adv.{name}" for name in ("source", "alpha") if name in own),
        ):
            check_array(name, tensors[name])
        n, k = tensors["clean.rob_logits"].shape
        check_rows({"clean.labels": tensors["clean.labels"]}, n, k)
        check_index(own["index"], n)
        check_rows({f"adv.{name}": own[name] for name in own if name in ("index", "source", "alpha")}, n, k)
        labels = tensors["clean.labels"][own["index"]]
        if "margin" not in own:
            own["margin"] = margins_of(own["rob_logits"], labels)
        part = cls(labels=labels, **own)
        return part if part.source is None else part.in_order()

    def tensors(self) -> dict[str, NDArray[Any]]:
        """The tensors by their names in a bundle's file; labels are the clean rows'."""
        arrays = {f"adv.{name}": array for name, array in self._columns().items() if name != "labels"}
        return {name: array for name, array in arrays.items() if array is not None}

    def rows(self, chosen: NDArray[Any]) -> AttackedPart:
        """Only some of the points; images stay those of the first points that are left.

        Args:
            chosen: Places among them, or a mask; at least one, and each image's first before its others.
        """
        places = np.arange(len(self))[chosen]
        kept: dict[str, Any] = {
            name: array[places] for name, array in self._columns(shared=True).items() if array is not None
        }
        images = None if self.images is None else self.images[places[places < len(self.images)]]
        return AttackedPart(**kept, images=images)

    def of_images(self, chosen: NDArray[Any]) -> AttackedPart:
        """All points of some of the images.

        Args:
            chosen: Numbers of images, or a mask, shape (m,).
        """
        kept = np.zeros(self.n_images, bool)
        kept[np.arange(self.n_images)[chosen]] = True
        return self.rows(kept[self.of])

    def in_order(self) -> AttackedPart:
        """First points first, in the order in which images come, then the others by image and source."""
        _, places = np.unique(self.index, return_index=True)
        is_first = np.zeros(len(self), bool)
        is_first[places] = True
        firsts, others = np.flatnonzero(is_first), np.flatnonzero(~is_first)
        image = _places(self.index[firsts], self.index[others])
        order = np.concatenate([firsts, others[np.lexsort((self.source[others], image))]])  # type: ignore[index]
        if np.array_equal(order, np.arange(len(self))):
            return self
        columns = {k: v[order] for k, v in self._columns(shared=True).items() if v is not None}
        images = (
            self.images[firsts] if self.images is not None and len(self.images) == len(self) else self.images
        )
        return AttackedPart(**columns, images=images)

    def _columns(self, *, shared: bool = False) -> dict[str, Any]:
        names = (field.name for field in fields(self))
        return {name: getattr(self, name) for name in names if not (shared and name in _ONE_AN_IMAGE)}


def at_any_point(what: NDArray[np.bool_], of: NDArray[np.int64], n_images: int) -> NDArray[np.bool_]:
    """For each image, whether something holds at any of its points.

    Args:
        what: Whether it holds at each point, shape (P,).
        of: The image of each point, shape (P,).
        n_images: m.

    Returns:
        Shape (m,).
    """
    found = np.zeros(n_images, bool)
    found[of[what]] = True
    return found


def _places(rows: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each of the wanted clean rows stands among `rows`, that are all different."""
    order = np.argsort(rows)
    return order[np.searchsorted(rows[order], wanted)]


def margins_of(logits: NDArray[Any], labels: NDArray[np.int64]) -> NDArray[np.float32]:
    """Signed margins of LN∘h (k = 250).

    Args:
        logits: Raw logits of h, shape (P, K).
        labels: True classes, shape (P,).

    Returns:
        Shape (P,), in [-1, 1]; zeros where the arrays do not fit, which validation names.
    """
    import torch

    from mnuts_core.functional.margins import signed_margin
    from mnuts_core.functional.transform import layer_norm

    try:
        if logits.ndim != 2 or len(labels) != len(logits) or not len(logits):
            raise IndexError
        rows = max(1, BLOCK // max(1, logits.shape[1]))
        own = torch.from_numpy(labels)
        blocks = zip(torch.split(torch.from_numpy(logits), rows), torch.split(own, rows), strict=True)
        margins = [signed_margin(layer_norm(block.double()), label) for block, label in blocks]
        return torch.cat(margins).float().numpy()
    except (ParameterError, IndexError):
        return np.zeros(len(logits), np.float32)

"""The attacked part of a bundle: both models' logits at the points of least margin."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnuts_core.bundles.tensors import Tensors, check_array, check_index, check_rows, part_of
from mnuts_core.errors import BundleError, ParameterError

BLOCK = 2**22
"""Margins are computed of so many logits at a time."""
_NEEDED = ("index", "std_logits", "rob_logits")


@dataclass(frozen=True, eq=False, kw_only=True)
class AttackedPart:
    """The attacked examples of a bundle, one row each.

    Attributes:
        index: For each example its row among the clean ones, int64, shape (M,), no repeats.
        std_logits: g at the minimum-margin point of LN∘h, float32 or float64, shape (M, K).
        rob_logits: h at that point, shape (M, K).
        margin: Smallest signed margin of LN∘h found, float32, shape (M,), in [-1, 1].
        labels: True classes, int64, shape (M,): those of the clean rows.
        images: uint8, shape (M, H, W, C), or None.
    """

    index: NDArray[np.int64]
    std_logits: NDArray[np.floating[Any]]
    rob_logits: NDArray[np.floating[Any]]
    margin: NDArray[np.float32]
    labels: NDArray[np.int64]
    images: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        """M, how many attacked examples."""
        return len(self.index)

    @classmethod
    def of(cls, tensors: Tensors) -> AttackedPart | None:
        """The attacked part among a bundle's tensors; None if they have none.

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
        for name in ("clean.labels", "clean.rob_logits", "adv.index"):
            check_array(name, tensors[name])
        n, k = tensors["clean.rob_logits"].shape
        check_rows({"clean.labels": tensors["clean.labels"]}, n, k)
        check_index(own["index"], n)
        labels = tensors["clean.labels"][own["index"]]
        if "margin" not in own:
            own["margin"] = _margins_of(own["rob_logits"], labels)
        return cls(labels=labels, **own)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """The tensors by their names in a bundle's file; labels are the clean rows'."""
        arrays = {f"adv.{name}": array for name, array in self._columns().items() if name != "labels"}
        return {name: array for name, array in arrays.items() if name != "adv.images" or array is not None}

    def rows(self, chosen: NDArray[Any]) -> AttackedPart:
        """Only some of the examples.

        Args:
            chosen: Places among them, or a mask; at least one.
        """
        kept: dict[str, Any] = {
            name: array[chosen] for name, array in self._columns().items() if array is not None
        }
        return AttackedPart(**kept)

    def _columns(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


def _margins_of(logits: NDArray[Any], labels: NDArray[np.int64]) -> NDArray[np.float32]:
    import torch

    from mnuts_core.functional.margins import signed_margin
    from mnuts_core.functional.transform import layer_norm

    try:
        if logits.ndim != 2 or len(labels) != len(logits):
            raise IndexError
        rows = max(1, BLOCK // max(1, logits.shape[1]))
        own = torch.from_numpy(labels)
        blocks = zip(torch.split(torch.from_numpy(logits), rows), torch.split(own, rows), strict=True)
        margins = [signed_margin(layer_norm(block.double()), label) for block, label in blocks]
        return torch.cat(margins).float().numpy()
    except (ParameterError, IndexError):  # the arrays do not fit: validation names the problem
        return np.zeros(len(logits), np.float32)

"""Plotly JSON to the browser: arrays go as bytes beside the message, the rest as plain JSON.

Every array of one message lies in one buffer, each at a multiple of eight bytes, so that the page can lay
typed arrays over it without a copy. In the JSON an array leaves ``{"$nd": [type, offset, shape]}`` behind, or
``{"$as": "before"}`` where the page has it already, at the same place of the figure before.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

Json = Any
Arrays = dict[tuple[str | int, ...], tuple[str, tuple[int, ...], bytes]]
"""By its place in a figure: an array's type, shape and bytes."""

# What the page has a typed array for; anything else is turned into one of these or into a list.
_CODES = {"<f4": "f4", "<f8": "f8", "<i4": "i4", "|u1": "u1"}
_INT32 = np.iinfo(np.int32)


class Packer:
    """Collects the arrays of one message while :meth:`pack` rewrites its figures.

    Attributes:
        seen: The arrays of the figure packed last, by their place in it: what :meth:`figure` takes next time.
    """

    def __init__(self) -> None:
        self.seen: Arrays = {}
        self._known: Arrays = {}
        self._chunks: list[bytes] = []
        self._size = 0

    def figure(self, figure: Mapping[str, Any], known: Arrays | None = None) -> dict[str, Json]:
        """One figure's JSON; its arrays are kept aside.

        Only traces get typed arrays: in a layout Plotly insists on real lists (``range``, ``domain``).

        Args:
            figure: The figure.
            known: `seen` of the figure that the page has in its place; the same arrays do not travel again.
        """
        self.seen, self._known = {}, known or {}
        packed = {key: self.pack(value, binary=key == "data", at=(key,)) for key, value in figure.items()}
        packed.setdefault("layout", {})
        return packed

    def pack(self, node: Any, *, binary: bool, at: tuple[str | int, ...] = ()) -> Json:
        """`node` with arrays taken out, NumPy scalars made plain and non-finite numbers made null."""
        if isinstance(node, np.ndarray):
            return self._array(node, binary=binary, at=at)
        if isinstance(node, Mapping):
            return {str(key): self.pack(value, binary=binary, at=(*at, key)) for key, value in node.items()}
        if isinstance(node, list | tuple):
            return [self.pack(value, binary=binary, at=(*at, place)) for place, value in enumerate(node)]
        if isinstance(node, np.generic):
            return self.pack(node.item(), binary=binary)
        if isinstance(node, float) and not math.isfinite(node):
            return None
        return node

    def buffer(self) -> bytes:
        """All arrays so far, one after the other."""
        return b"".join(self._chunks)

    def _array(self, array: np.ndarray, *, binary: bool, at: tuple[str | int, ...]) -> Json:
        array = _supported(array)
        if not binary or array.ndim == 0 or array.dtype.str not in _CODES:
            return self.pack(array.tolist(), binary=False)
        content = (array.dtype.str, array.shape, array.tobytes())
        self.seen[at] = content
        if self._known.get(at) == content:
            return {"$as": "before"}
        reference = {"$nd": [_CODES[array.dtype.str], self._size, list(array.shape)]}
        padding = -array.nbytes % 8
        self._chunks += [content[2], bytes(padding)]
        self._size += array.nbytes + padding
        return reference


def _supported(array: np.ndarray) -> np.ndarray:
    """`array` in a dtype that the page knows; text, booleans and objects stay (they go as lists)."""
    kind, little = array.dtype.kind, array.dtype.newbyteorder("<")
    if little.str in _CODES:
        return array.astype(little, copy=False)
    if kind == "f":
        return array.astype("<f4" if array.dtype.itemsize < 4 else "<f8")
    if kind in "iu":
        fits = not array.size or (array.min() >= _INT32.min and array.max() <= _INT32.max)
        return array.astype("<i4" if fits else "<f8")
    if kind == "M":
        return np.datetime_as_string(array)
    return array

"""Plotly JSON to the browser: arrays go as bytes beside the message, the rest as plain JSON.

Every array of one message lies in one buffer, each at a multiple of eight bytes, so that the page can lay
typed arrays over it without a copy. In the JSON an array leaves ``{"$nd": [type, offset, shape]}`` behind.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

Json = Any

# What the page has a typed array for; anything else is turned into one of these or into a list.
_CODES = {"<f4": "f4", "<f8": "f8", "<i4": "i4", "|u1": "u1"}
_INT32 = np.iinfo(np.int32)


class Packer:
    """Collects the arrays of one message while :meth:`pack` rewrites its figures."""

    def __init__(self) -> None:
        self._chunks: list[bytes | memoryview] = []
        self._size = 0

    def figure(self, figure: Mapping[str, Any]) -> dict[str, Json]:
        """One figure's JSON; its arrays are kept aside.

        Only traces get typed arrays: in a layout Plotly insists on real lists (``range``, ``domain``).
        """
        packed = {key: self.pack(value, binary=key == "data") for key, value in figure.items()}
        packed.setdefault("layout", {})
        return packed

    def pack(self, node: Any, *, binary: bool) -> Json:
        """`node` with arrays taken out, NumPy scalars made plain and non-finite numbers made null."""
        if isinstance(node, np.ndarray):
            return self._array(node, binary=binary)
        if isinstance(node, Mapping):
            return {str(key): self.pack(value, binary=binary) for key, value in node.items()}
        if isinstance(node, list | tuple):
            return [self.pack(value, binary=binary) for value in node]
        if isinstance(node, np.generic):
            return self.pack(node.item(), binary=binary)
        if isinstance(node, float) and not math.isfinite(node):
            return None
        return node

    def buffer(self) -> bytes:
        """All arrays so far, one after the other."""
        return b"".join(self._chunks)

    def _array(self, array: np.ndarray, *, binary: bool) -> Json:
        array = _supported(array)
        if not binary or array.ndim == 0 or array.dtype.str not in _CODES:
            return self.pack(array.tolist(), binary=False)
        reference = {"$nd": [_CODES[array.dtype.str], self._size, list(array.shape)]}
        if array.size:
            self._chunks.append(memoryview(np.ascontiguousarray(array)).cast("B"))
            padding = -array.nbytes % 8
            if padding:
                self._chunks.append(bytes(padding))
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

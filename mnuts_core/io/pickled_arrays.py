"""Containers of NumPy arrays from a bare pickle that a stranger sends: nothing in it runs.

A pickle is a program that calls what it names. This reader knows the six names by which pickles of arrays
call NumPy, and in their place takes stand-ins of its own, which make arrays of numbers out of the bytes that
the pickle holds. It refuses every other name, and the instructions that allocate by a number alone.
"""

from __future__ import annotations

import io
import math
import os
import pickle
import pickletools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnuts_core.io.untrusted import Error, brief, read_bytes
from mnuts_core.text import one_line, shortened

MAX_BYTES = 2 * 2**30
"""2,000 images of 3 × 224 × 224 as float32 take 1.2 GB."""
MAX_DEPTH = 10
NUMBERS = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "b1")
_REFUSED = {"NEXT_BUFFER", "READONLY_BUFFER", "EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID"}
_REFUSED |= {"INST", "OBJ", "NEWOBJ", "NEWOBJ_EX"}
"""Instructions that arrays in plain containers do not need."""


def read_pickled_arrays(path: str | os.PathLike[str], error: Error) -> Any:
    """What `pickle.dump` wrote, if that is arrays of numbers in dicts, lists and tuples.

    Args:
        path: The file.
        error: The exception to raise if it is missing, broken, or holds anything else.
    """
    content = read_bytes(path, MAX_BYTES, error)
    try:
        for operation, _, _ in pickletools.genops(content):
            if operation.name in _REFUSED:
                raise pickle.UnpicklingError(f"it uses {operation.name}")
        return _plain(_Unpickler(io.BytesIO(content)).load())
    except Exception as problem:  # a broken pickle may fail anywhere
        raise error(
            f"{path} must be a pickle of arrays of numbers and plain containers of them: {brief(problem)}"
        ) from None


# The unpickler in Python, not the one in C: that one allocates by the index of a memo.
class _Unpickler(pickle._Unpickler):
    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        """The stand-in for a name; every other name is refused."""
        found = _STAND_INS.get((module.replace("numpy._core", "numpy.core"), name))
        if found is None:
            raise pickle.UnpicklingError(f"it names {one_line(f'{module}.{name}', 100)}")
        return found


class _Dtype:
    """Stands for `numpy.dtype`: kind and size, then the order of bytes."""

    def __init__(self, name: object = None, *_: object) -> None:
        if name not in NUMBERS:
            raise pickle.UnpicklingError(f"arrays must be of numbers, got dtype {shortened(name)}")
        self.dtype = np.dtype(str(name))

    def __setstate__(self, state: Any) -> None:
        if state[1] in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """Stands for an array that is made first and filled later, by its state."""

    array: NDArray[Any] | None = None

    def __init__(self, *_: object) -> None:
        """What the pickle says of subtype, shape and dtype is that of an empty array."""

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, fortran, content = state
        self.array = _filled(content, dtype, shape, "F" if fortran else "C")


def _ndarray(*_: object) -> None:
    """Stands for `numpy.ndarray`, which pickles name and do not call."""
    raise pickle.UnpicklingError("it makes an array of its own accord")


def _from_buffer(content: Any, dtype: Any, shape: Any, order: Any) -> _Array:
    made = _Array()
    made.array = _filled(content, dtype, shape, order)
    return made


def _filled(content: Any, dtype: Any, shape: Any, order: Any) -> NDArray[Any]:
    """An array of the very bytes that the pickle holds."""
    sound = isinstance(content, (bytes, bytearray)) and isinstance(dtype, _Dtype) and order in ("C", "F")
    if (
        not sound
        or not isinstance(shape, tuple)
        or not all(type(side) is int and side >= 0 for side in shape)
    ):
        raise pickle.UnpicklingError("it holds a broken array")
    if math.prod(shape) * dtype.dtype.itemsize != len(content):
        raise pickle.UnpicklingError(f"an array of shape {shortened(shape)} has {len(content):,} bytes")
    array = np.frombuffer(content, dtype.dtype).reshape(shape, order=order)
    return array.astype(dtype.dtype.newbyteorder("="), copy=False)


def _encode(text: str, _: object) -> bytes:
    """Stands for `codecs.encode`, by which old protocols write bytes."""
    return text.encode("latin1")


def _no_bytes() -> bytes:
    """Stands for `bytes`, which old protocols call for an empty one."""
    return b""


_STAND_INS: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): _ndarray,
    ("numpy", "dtype"): _Dtype,
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy.core.numeric", "_frombuffer"): _from_buffer,
    ("_codecs", "encode"): _encode,
    ("__builtin__", "bytes"): _no_bytes,
}


def _plain(value: Any, depth: int = 0) -> Any:
    """The value with arrays in the place of stand-ins; a container within itself is refused."""
    if depth > MAX_DEPTH:
        raise pickle.UnpicklingError(f"it is nested more than {MAX_DEPTH} deep")
    if isinstance(value, _Array):
        if value.array is None:
            raise pickle.UnpicklingError("it holds an array without contents")
        return value.array
    if isinstance(value, dict):
        return {key: _plain(inside, depth + 1) for key, inside in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inside, depth + 1) for inside in value]
    if value is None or isinstance(value, (str, bytes, bool, int, float)):
        return value
    raise pickle.UnpicklingError(f"it holds a {type(value).__name__}")

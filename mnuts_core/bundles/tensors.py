"""The tensors of a bundle: their names, dtypes and shapes, and whether they fit each other."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mnuts_core.bundles.columns import check_columns
from mnuts_core.errors import BundleError

Tensors = Mapping[str, NDArray[Any]]
"""Arrays by their names in a bundle's file."""

TENSORS: Mapping[str, tuple[type, int]] = {
    "clean.labels": (np.int64, 1),
    "clean.std_logits": (np.float32, 2),
    "clean.rob_logits": (np.float32, 2),
    "adv.index": (np.int64, 1),
    "adv.source": (np.int64, 1),
    "adv.std_logits": (np.float32, 2),
    "adv.rob_logits": (np.float32, 2),
    "adv.margin": (np.float32, 1),
    "clean.images": (np.uint8, 4),
    "adv.images": (np.uint8, 4),
    "clean.alpha": (np.float64, 1),
    "adv.alpha": (np.float64, 1),
    "clean.certified_radius": (np.float64, 1),
}
"""Name in the file → dtype in memory and in the file (logits may be float64), number of dimensions."""
REQUIRED = ("clean.labels", "clean.std_logits", "clean.rob_logits")
PARTLY_KNOWN = ("adv.alpha",)
"""Columns in which NaN stands for what nobody has said."""


def argument_of(name: str) -> str:
    """What `LogitBundle.from_arrays` calls a tensor: `adv_index` for `adv.index`."""
    return name.replace(".", "_", 1)


def part_of(tensors: Tensors, part: str) -> dict[str, NDArray[Any]]:
    """The tensors of one part, `clean` or `adv`, by their names in it: `index` for `adv.index`."""
    prefix = f"{part}."
    return {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)}


def coerce(name: str, value: ArrayLike) -> NDArray[Any]:
    """A user's array as the tensor of a name.

    Raises:
        BundleError: If it is of a kind that cannot be meant.
    """
    dtype, _ = TENSORS[name]
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:
        raise BundleError(f"{name} cannot be read as an array: {error}") from None
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if dtype is np.float32 and array.dtype == np.float64 and name.endswith("logits"):
        return np.ascontiguousarray(array)
    floating = np.dtype(dtype).kind == "f"
    if array.dtype.kind not in "iuf" or (not floating and array.dtype.kind == "f"):
        wanted = "numbers" if floating else "integers"
        hint = ": a mask of right and wrong is not classes" if array.dtype.kind == "b" else ""
        raise BundleError(f"{name} must be {wanted}, got dtype {array.dtype}{hint}")
    if dtype is np.uint8 and array.dtype != np.uint8:
        raise BundleError(f"{name} must be uint8 in [0, 255], got dtype {array.dtype}")
    with np.errstate(over="ignore"):  # what becomes infinite is refused further on
        return np.ascontiguousarray(array.astype(dtype, copy=False))


def content_digest(tensors: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 over named arrays: names in order, with dtype, shape and little-endian bytes."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        digest.update(f"{name}|{array.dtype.str}|{array.shape}|".encode())
        digest.update(array.data)
    return f"sha256:{digest.hexdigest()}"


def validate(tensors: Tensors, n_classes: int, n_sources: int = 1) -> None:
    """Check every tensor of a bundle against the others.

    Args:
        tensors: The bundle's tensors.
        n_classes: How many classes the manifest names.
        n_sources: How many sources of attacked points it lists.

    Raises:
        BundleError: With the first thing that is wrong.
    """
    for name, array in tensors.items():
        check_array(name, array)
    n, k = tensors["clean.rob_logits"].shape
    check_rows(tensors, n, k)
    labels = tensors["clean.labels"]
    if labels.min() < 0 or labels.max() >= k:
        hint = ": these seem to count from 1, subtract 1" if labels.min() == 1 and labels.max() == k else ""
        raise BundleError(
            f"clean.labels must lie in [0, {k}), got {labels.min()} to {labels.max()}: "
            f"labels count classes from 0{hint}"
        )
    if n_classes != k:
        raise BundleError(f"the manifest names {n_classes} classes, but the logits have {k}")
    _check_images(tensors)
    check_columns(tensors)
    if "adv.index" in tensors:
        check_index(tensors["adv.index"], n)
        check_source(tensors, n_sources)
        _check_margin(tensors["adv.margin"])


def check_array(name: str, array: object) -> None:
    """Check the dtype and the number of dimensions of a tensor, and that its numbers are finite.

    Raises:
        BundleError: If one is wrong.
    """
    dtype, ndim = TENSORS[name]
    if not isinstance(array, np.ndarray):
        raise BundleError(f"{name} must be a NumPy array, got {type(array).__name__}: use from_arrays")
    allowed = (np.float32, np.float64) if dtype is np.float32 else (dtype,)
    if array.dtype not in allowed:
        names = " or ".join(np.dtype(a).name for a in allowed)
        raise BundleError(f"{name} must have dtype {names}, got {array.dtype}")
    if array.ndim != ndim:
        raise BundleError(f"{name} must have {ndim} dimensions, got shape {array.shape}")
    unsound = np.isinf(array) if name in PARTLY_KNOWN else ~np.isfinite(array)
    if array.dtype.kind == "f" and unsound.any():
        row = int(np.argwhere(unsound)[0][0])
        raise BundleError(f"{name} must be finite, got {array[row]} in row {row}: remove such examples")


def check_index(index: NDArray[np.int64], n: int) -> None:
    """Check that the attacked points name clean rows.

    Args:
        index: Integers, shape (P,).
        n: How many clean rows there are.

    Raises:
        BundleError: If they do not.
    """
    if len(index) == 0:
        raise BundleError("the attacked part is empty: leave adv.* out instead")
    if index.min() < 0 or index.max() >= n:
        raise BundleError(
            f"adv.index must lie in [0, {n}), got {index.min()} to {index.max()}: "
            "it names the clean row of each attacked example"
        )


def check_source(tensors: Tensors, n_sources: int) -> None:
    """Check where the points come from: an image has several only if each says so.

    Args:
        tensors: The bundle's tensors, with an attacked part.
        n_sources: How many sources the manifest lists.

    Raises:
        BundleError: If an image has several points and these no sources, or a source is not listed.
    """
    index, source = tensors["adv.index"], tensors.get("adv.source")
    if source is None:
        if len(np.unique(index)) != len(index):
            raise BundleError(
                "adv.index names a clean row twice: keep one attacked example for each image, or say in "
                "adv.source which attack each point comes from"
            )
    elif source.min() < 0 or source.max() >= n_sources:
        raise BundleError(
            f"adv.source must lie in [0, {n_sources}), got {source.min()} to {source.max()}: "
            "it names an entry of the manifest's attacks"
        )


def check_rows(tensors: Tensors, n: int, k: int) -> None:
    """Check that tensors have one row for each example, and logits one column for each class.

    Raises:
        BundleError: If they do not.
    """
    if n < 1 or k < 2:
        raise BundleError(f"clean.rob_logits needs at least 1 example and 2 classes, got shape {(n, k)}")
    index = tensors.get("adv.index", np.empty(0, np.int64))
    for name, array in tensors.items():
        rows = n if name.startswith("clean") else len(index)
        if name == "adv.images":  # of the first points
            rows = len(np.unique(index))
        wanted = (rows, k) if name.endswith("logits") else (rows, *array.shape[1:])
        if array.shape != wanted:
            raise BundleError(
                f"{name} must have shape {wanted} to match the other tensors, got {array.shape}"
            )


def _check_margin(margin: NDArray[np.float32]) -> None:
    if margin.min() < -1 - 1e-6 or margin.max() > 1 + 1e-6:
        raise BundleError(f"adv.margin must lie in [-1, 1], got {margin.min():g} to {margin.max():g}")


def _check_images(tensors: Tensors) -> None:
    sizes = {array.shape[1:] for name, array in tensors.items() if name.endswith("images")}
    if any(0 in size for size in sizes):
        raise BundleError(
            f"images must have at least one pixel and channel, got {sizes.pop()}: leave them out"
        )
    if len(sizes) > 1:
        raise BundleError(f"clean.images and adv.images must be of one size, got {sorted(sizes)}")

"""Logit bundles: both models' cached logits on clean and attacked images, in one `.safetensors` file.

No pickle anywhere: a bundle that somebody sends you cannot run code. Reading validates everything.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import ValidationError
from safetensors import safe_open
from safetensors.numpy import save as to_safetensors

from mnuts_core.bundles.manifest import (
    DataCard,
    Manifest,
    ModelCard,
    first_problem,
    library_versions,
    now,
    numbered_classes,
    parse_manifest,
    sealed_json,
)
from mnuts_core.errors import BundleError, ParameterError
from mnuts_core.io.files import write_atomically
from mnuts_core.io.untrusted import brief, safetensors_header
from mnuts_core.text import shortened

METADATA_KEY = "mnuts"
BLOCK = 2**22
"""Margins are computed of so many logits at a time."""

# attribute → tensor name in the file, dtype in memory and in the file, number of dimensions
_TENSORS: Mapping[str, tuple[str, type, int]] = {
    "clean_labels": ("clean.labels", np.int64, 1),
    "clean_std_logits": ("clean.std_logits", np.float32, 2),
    "clean_rob_logits": ("clean.rob_logits", np.float32, 2),
    "adv_index": ("adv.index", np.int64, 1),
    "adv_std_logits": ("adv.std_logits", np.float32, 2),
    "adv_rob_logits": ("adv.rob_logits", np.float32, 2),
    "adv_margin": ("adv.margin", np.float32, 1),
    "clean_images": ("clean.images", np.uint8, 4),
    "adv_images": ("adv.images", np.uint8, 4),
}
_REQUIRED = ("clean_labels", "clean_std_logits", "clean_rob_logits")
_ATTACKED = ("adv_index", "adv_std_logits", "adv_rob_logits")


@dataclass(frozen=True, eq=False)
class LogitBundle:
    """Cached logits of a standard and a robust classifier on the same images.

    Attributes:
        clean_labels: True classes, int64, shape (N,), in [0, K).
        clean_std_logits: Raw logits g(x) of the standard model, float32 or float64, shape (N, K).
        clean_rob_logits: Raw logits h(x) of the robust model, shape (N, K).
        manifest: Where the numbers come from.
        adv_index: For each attacked example its row among the clean ones, int64, shape (M,), no repeats.
        adv_std_logits: g at the minimum-margin point of LN∘h, shape (M, K).
        adv_rob_logits: h at that point, shape (M, K).
        adv_margin: Smallest signed margin of LN∘h found, float32, shape (M,), in [-1, 1].
        clean_images: uint8, shape (N, H, W, C), or None.
        adv_images: uint8, shape (M, H, W, C), or None.

    A bundle without the `adv_*` part is fine: robust figures are then absent.

    Raises:
        BundleError: If shapes, dtypes, ranges or counts do not fit; the message says which and why.
    """

    clean_labels: NDArray[np.int64]
    clean_std_logits: NDArray[np.floating[Any]]
    clean_rob_logits: NDArray[np.floating[Any]]
    manifest: Manifest = field(repr=False)
    adv_index: NDArray[np.int64] | None = None
    adv_std_logits: NDArray[np.floating[Any]] | None = None
    adv_rob_logits: NDArray[np.floating[Any]] | None = None
    adv_margin: NDArray[np.float32] | None = None
    clean_images: NDArray[np.uint8] | None = None
    adv_images: NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        validate(self)

    def __repr__(self) -> str:
        return (
            f"LogitBundle({self.name!r}: {self.n_clean} clean and {self.n_adv} attacked examples, "
            f"{self.num_classes} classes)"
        )

    @property
    def num_classes(self) -> int:
        """K."""
        return int(self.clean_rob_logits.shape[1])

    @property
    def n_clean(self) -> int:
        """N, how many clean examples."""
        return len(self.clean_labels)

    @property
    def n_adv(self) -> int:
        """M, how many attacked examples; 0 without an attacked part."""
        return 0 if self.adv_index is None else len(self.adv_index)

    @property
    def adv_labels(self) -> NDArray[np.int64]:
        """True classes of the attacked examples, shape (M,).

        Raises:
            BundleError: If the bundle has no attacked part.
        """
        return self.clean_labels[self.require_attacked().adv_index]

    @property
    def name(self) -> str:
        """The bundle's name."""
        return self.manifest.name

    @property
    def digest(self) -> str:
        """SHA-256 over all tensors: names, dtypes, shapes and bytes."""
        return content_digest(self.tensors())

    def require_attacked(self) -> LogitBundle:
        """The bundle itself, if it has an attacked part.

        Raises:
            BundleError: If it has none.
        """
        if self.adv_index is None:
            raise BundleError(
                f"bundle {self.name!r} holds no attacked examples (adv.index, adv.std_logits, "
                "adv.rob_logits), which this needs: build it with an attack, or import attacked logits"
            )
        return self

    def tensors(self) -> dict[str, NDArray[Any]]:
        """The tensors by their name in the file, those that are present."""
        present = {name: getattr(self, attribute) for attribute, (name, _, _) in _TENSORS.items()}
        return {name: array for name, array in present.items() if array is not None}

    @classmethod
    def from_arrays(
        cls,
        *,
        clean_labels: ArrayLike,
        clean_std_logits: ArrayLike,
        clean_rob_logits: ArrayLike,
        adv_index: ArrayLike | None = None,
        adv_std_logits: ArrayLike | None = None,
        adv_rob_logits: ArrayLike | None = None,
        adv_margin: ArrayLike | None = None,
        clean_images: ArrayLike | None = None,
        adv_images: ArrayLike | None = None,
        name: str = "unnamed",
        classes: Sequence[str] | None = None,
        manifest: Manifest | None = None,
    ) -> LogitBundle:
        """A bundle from arrays (NumPy, torch on the CPU, lists): the way to bring your own logits.

        Args:
            clean_labels: As the attribute, and so on for all arrays. Logits keep float64, any other
                number type becomes float32. A missing `adv_margin` is computed as the signed margin of
                LN∘h (k = 250) at the attacked points.
            clean_std_logits: See the class.
            clean_rob_logits: See the class.
            adv_index: See the class.
            adv_std_logits: See the class.
            adv_rob_logits: See the class.
            adv_margin: See the class.
            clean_images: See the class.
            adv_images: See the class.
            name: Name of the bundle, if no manifest is given.
            classes: Class names, if no manifest is given; "0", "1", ... otherwise.
            manifest: The whole manifest.

        Raises:
            BundleError: If anything does not fit.

        Example:
            >>> bundle = LogitBundle.from_arrays(
            ...     clean_labels=[0, 1], clean_std_logits=[[2, 0], [0, 2]], clean_rob_logits=[[1, 0], [1, 0]])
            >>> bundle.n_clean, bundle.n_adv, bundle.num_classes
            (2, 0, 2)
        """
        given = {key: value for key, value in locals().items() if key in _TENSORS and value is not None}
        arrays = {key: _coerce(key, value) for key, value in given.items()}
        if "adv_rob_logits" in arrays and "adv_margin" not in arrays:
            arrays["adv_margin"] = _margins_of(arrays)
        if manifest is None:
            manifest = _plain_manifest(name, classes, arrays["clean_rob_logits"])
        return cls(manifest=manifest, **arrays)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the bundle; the file appears whole or not at all.

        Args:
            path: Where to; the ending should be `.safetensors`.

        Raises:
            BundleError: If the folder does not exist.
        """
        tensors = {name: np.ascontiguousarray(array) for name, array in self.tensors().items()}
        metadata = {METADATA_KEY: sealed_json(self.manifest.model_copy(update={"digest": self.digest}))}
        return write_atomically(path, to_safetensors(tensors, metadata=metadata), BundleError)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> LogitBundle:
        """Read and validate a bundle.

        Args:
            path: A `.safetensors` file written by `save`.

        Raises:
            BundleError: If the file is missing, too large, no bundle, of another version, or damaged.
        """
        path = Path(path)
        manifest, tensors = _read(path)
        expected = {name for name, _, _ in _TENSORS.values()}
        unknown, missing = set(tensors) - expected, {_TENSORS[a][0] for a in _REQUIRED} - set(tensors)
        if unknown or missing:
            what = f"lacks {', '.join(sorted(missing))}" if missing else f"holds unknown {sorted(unknown)}"
            raise BundleError(f"{path} {what}: tensors of a bundle are {', '.join(sorted(expected))}")
        if manifest.digest != content_digest(tensors):
            raise BundleError(
                f"{path} is damaged: its tensors do not match the digest in its manifest; get it again, "
                "or rebuild it"
            )
        try:
            return cls(
                manifest=manifest, **{a: tensors[n] for a, (n, _, _) in _TENSORS.items() if n in tensors}
            )
        except BundleError as error:
            raise BundleError(f"{path}: {error}") from None


def _plain_manifest(name: str, classes: Sequence[str] | None, logits: NDArray[Any]) -> Manifest:
    """The manifest of arrays that a user gives without one."""
    k = logits.shape[1] if logits.ndim == 2 else 0
    try:
        return Manifest(
            name=name,
            data=DataCard(name="unknown", source="arrays given by the user"),
            classes=tuple(classes or numbered_classes(k)),
            std_model=ModelCard(spec="unknown"),
            rob_model=ModelCard(spec="unknown"),
            versions=library_versions(),
            created=now(),
        )
    except ValidationError as error:
        raise BundleError(f"name or classes are wrong at {first_problem(error)}") from None


def content_digest(tensors: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 over named arrays: names in order, with dtype, shape and little-endian bytes."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        digest.update(f"{name}|{array.dtype.str}|{array.shape}|".encode())
        digest.update(array.data)
    return f"sha256:{digest.hexdigest()}"


def validate(bundle: LogitBundle) -> None:
    """Check every array of a bundle against the others.

    Raises:
        BundleError: With the first thing that is wrong.
    """
    for attribute, (name, dtype, ndim) in _TENSORS.items():
        array = getattr(bundle, attribute)
        if array is not None:
            _check_array(name, array, dtype, ndim)
    n, k = bundle.clean_rob_logits.shape
    if n < 1 or k < 2:
        raise BundleError(f"clean.rob_logits needs at least 1 example and 2 classes, got shape {(n, k)}")
    _check_rows(bundle, n, k)
    labels = bundle.clean_labels
    if labels.min() < 0 or labels.max() >= k:
        hint = ": these seem to count from 1, subtract 1" if labels.min() == 1 and labels.max() == k else ""
        raise BundleError(
            f"clean.labels must lie in [0, {k}), got {labels.min()} to {labels.max()}: "
            f"labels count classes from 0{hint}"
        )
    if len(bundle.manifest.classes) != k:
        raise BundleError(
            f"the manifest names {len(bundle.manifest.classes)} classes, but the logits have {k}"
        )
    _check_images(bundle)
    _check_attacked(bundle)


def _check_images(bundle: LogitBundle) -> None:
    sizes = {images.shape[1:] for images in (bundle.clean_images, bundle.adv_images) if images is not None}
    if any(0 in size for size in sizes):
        raise BundleError(
            f"images must have at least one pixel and channel, got {sizes.pop()}: leave them out"
        )
    if len(sizes) > 1:
        raise BundleError(f"clean.images and adv.images must be of one size, got {sorted(sizes)}")


def _check_array(name: str, array: object, dtype: type, ndim: int) -> None:
    if not isinstance(array, np.ndarray):
        raise BundleError(f"{name} must be a NumPy array, got {type(array).__name__}: use from_arrays")
    allowed = (np.float32, np.float64) if dtype is np.float32 else (dtype,)
    if array.dtype not in allowed:
        names = " or ".join(np.dtype(a).name for a in allowed)
        raise BundleError(f"{name} must have dtype {names}, got {array.dtype}")
    if array.ndim != ndim:
        raise BundleError(f"{name} must have {ndim} dimensions, got shape {array.shape}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        row = int(np.argwhere(~np.isfinite(array))[0][0])
        raise BundleError(f"{name} must be finite, got {array[row]} in row {row}: remove such examples")


def _check_rows(bundle: LogitBundle, n: int, k: int) -> None:
    m = None if bundle.adv_index is None else len(bundle.adv_index)
    for attribute, (name, _, _) in _TENSORS.items():
        array = getattr(bundle, attribute)
        rows = n if attribute.startswith("clean") else m
        if array is None or rows is None:
            continue
        wanted = (rows, k) if attribute.endswith("logits") else (rows, *array.shape[1:])
        if array.shape != wanted:
            raise BundleError(
                f"{name} must have shape {wanted} to match the other tensors, got {array.shape}"
            )


def _check_attacked(bundle: LogitBundle) -> None:
    present = [_TENSORS[a][0] for a in _ATTACKED if getattr(bundle, a) is not None]
    if not present and bundle.adv_margin is None and bundle.adv_images is None:
        return
    if len(present) < len(_ATTACKED):
        missing = [_TENSORS[a][0] for a in _ATTACKED if _TENSORS[a][0] not in present]
        raise BundleError(f"the attacked part is incomplete: {', '.join(missing)} missing")
    index = bundle.adv_index
    assert index is not None  # for the type checker: `present` is complete
    if len(index) == 0:
        raise BundleError("the attacked part is empty: leave adv.* out instead")
    if index.min() < 0 or index.max() >= bundle.n_clean:
        raise BundleError(
            f"adv.index must lie in [0, {bundle.n_clean}), got {index.min()} to {index.max()}: "
            "it names the clean row of each attacked example"
        )
    if len(np.unique(index)) != len(index):
        raise BundleError("adv.index names a clean row twice: keep one attacked example for each image")
    margin = bundle.adv_margin
    if margin is not None and (margin.min() < -1 - 1e-6 or margin.max() > 1 + 1e-6):
        raise BundleError(f"adv.margin must lie in [-1, 1], got {margin.min():g} to {margin.max():g}")


def _coerce(attribute: str, value: ArrayLike) -> NDArray[Any]:
    name, dtype, _ = _TENSORS[attribute]
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:
        raise BundleError(f"{name} cannot be read as an array: {error}") from None
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if dtype is np.float32 and array.dtype == np.float64 and attribute.endswith("logits"):
        return np.ascontiguousarray(array)
    if array.dtype.kind not in "iuf" or (dtype is not np.float32 and array.dtype.kind == "f"):
        wanted = "integers" if dtype is not np.float32 else "numbers"
        hint = ": a mask of right and wrong is not classes" if array.dtype.kind == "b" else ""
        raise BundleError(f"{name} must be {wanted}, got dtype {array.dtype}{hint}")
    if dtype is np.uint8 and array.dtype != np.uint8:
        raise BundleError(f"{name} must be uint8 in [0, 255], got dtype {array.dtype}")
    with np.errstate(over="ignore"):  # what becomes infinite is refused further on
        return np.ascontiguousarray(array.astype(dtype, copy=False))


def _margins_of(arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
    import torch

    from mnuts_core.functional.margins import signed_margin
    from mnuts_core.functional.transform import layer_norm

    labels, logits = arrays["clean_labels"], torch.from_numpy(arrays["adv_rob_logits"])
    try:
        own = torch.from_numpy(labels[arrays["adv_index"]])
        if logits.ndim != 2 or len(own) != len(logits):
            raise IndexError
        rows = max(1, BLOCK // max(1, logits.shape[1]))
        blocks = zip(torch.split(logits, rows), torch.split(own, rows), strict=True)
        margins = [signed_margin(layer_norm(block.double()), label) for block, label in blocks]
        return torch.cat(margins).float().numpy()
    except (ParameterError, IndexError, KeyError):  # the arrays do not fit: validation names the problem
        return np.zeros(len(logits), np.float32)


def _read(path: Path) -> tuple[Manifest, dict[str, NDArray[Any]]]:
    if not os.path.isfile(path):
        raise BundleError(f"no bundle at {path}: give the path of a .safetensors file")
    header = safetensors_header(path, BundleError)
    metadata = header.pop("__metadata__", None)
    try:
        with safe_open(path, framework="numpy") as handle:  # which compares the header with the file
            manifest = _manifest_in(path, metadata)
            return manifest, {name: handle.get_tensor(name) for name in header}
    except BundleError:
        raise
    except Exception as error:  # of the library, which knows dtypes that NumPy lacks
        raise BundleError(f"{path} is not a readable safetensors file: {brief(error)}") from None


def _manifest_in(path: Path, metadata: Any) -> Manifest:
    """The manifest in a file's metadata, which hold nothing else."""
    if not isinstance(metadata, dict) or not isinstance(metadata.get(METADATA_KEY), str):
        raise BundleError(f"{path} is a safetensors file, but holds no MixedNUTS bundle manifest")
    if unknown := [name for name in metadata if name != METADATA_KEY]:
        raise BundleError(f"{path} holds unknown metadata {shortened(unknown)} beside its manifest")
    return parse_manifest(metadata[METADATA_KEY], str(path))

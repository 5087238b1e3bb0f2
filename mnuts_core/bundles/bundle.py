"""Logit bundles: both models' cached logits on clean and attacked images, in one `.safetensors` file.

No pickle anywhere: a bundle that somebody sends you cannot run code. Reading validates everything.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from safetensors.numpy import save as to_safetensors

from mnuts_core.bundles.attacked import AttackedPart
from mnuts_core.bundles.certificate import check_certificate
from mnuts_core.bundles.manifest import (
    MAX_SOURCES,
    Manifest,
    SourceCard,
    sealed_json,
)
from mnuts_core.bundles.reading import METADATA_KEY, plain_manifest, read_file
from mnuts_core.bundles.tensors import (
    REQUIRED,
    TENSORS,
    Tensors,
    argument_of,
    coerce,
    content_digest,
    part_of,
    validate,
)
from mnuts_core.errors import BundleError
from mnuts_core.io.files import write_atomically


@dataclass(frozen=True, eq=False)
class LogitBundle:
    """Cached logits of a standard and a robust classifier on the same images.

    Attributes:
        clean_labels: True classes, int64, shape (N,), in [0, K).
        clean_std_logits: Raw logits g(x) of the standard model, float32 or float64, shape (N, K).
        clean_rob_logits: Raw logits h(x) of the robust model, shape (N, K).
        manifest: Where the numbers come from.
        attacked: Logits at the attacked points, or None: robust figures are then absent.
        clean_images: uint8, shape (N, H, W, C), or None.
        clean_alpha: The weight of a method that chooses α by the image, float64, shape (N,), or None.
        clean_certified_radius: How far h is certified, float64, shape (N,), or None; see `columns`.

    Raises:
        BundleError: If shapes, dtypes, ranges or counts do not fit; the message says which and why.
    """

    clean_labels: NDArray[np.int64]
    clean_std_logits: NDArray[np.floating[Any]]
    clean_rob_logits: NDArray[np.floating[Any]]
    manifest: Manifest = field(repr=False)
    attacked: AttackedPart | None = None
    clean_images: NDArray[np.uint8] | None = None
    clean_alpha: NDArray[np.float64] | None = None
    clean_certified_radius: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        validate(self.tensors(), len(self.manifest.classes), len(self.manifest.sources))
        attacked = self.attacked
        if attacked is not None and not np.array_equal(attacked.labels, self.clean_labels[attacked.index]):
            raise BundleError(
                "labels of attacked examples must be those of their clean rows: use from_arrays"
            )
        check_certificate(self.manifest.certificate, self.clean_certified_radius is not None)

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
        """m, how many attacked images; 0 without an attacked part."""
        return 0 if self.attacked is None else self.attacked.n_images

    @property
    def n_points(self) -> int:
        """P, how many attacked points these have together."""
        return 0 if self.attacked is None else len(self.attacked)

    @property
    def name(self) -> str:
        """The bundle's name."""
        return self.manifest.name

    @property
    def digest(self) -> str:
        """SHA-256 over all tensors: names, dtypes, shapes and bytes."""
        return content_digest(self.tensors())

    @property
    def clean_digest(self) -> str:
        """The same over the clean labels and logits alone: it stays as points join the pool."""
        own = {name: array for name, array in self.tensors().items() if name in REQUIRED}
        return content_digest(own)

    @property
    def first_digest(self) -> str:
        """The digest of the bundle with its first points alone, as the first attack has left it."""
        if self.attacked is None or self.attacked.source is None:
            return self.digest
        return content_digest(replace(self, attacked=replace(self.attacked.first, source=None)).tensors())

    def require_attacked(self) -> AttackedPart:
        """The attacked part.

        Raises:
            BundleError: If there is none.
        """
        if self.attacked is None:
            raise BundleError(
                f"bundle {self.name!r} holds no attacked examples (adv.index, adv.std_logits, "
                "adv.rob_logits), which this needs: build it with an attack, or import attacked logits"
            )
        return self.attacked

    def require_room(self, more: int = 1) -> None:
        """Check that attacks may add their points, before they are run.

        Args:
            more: How many sources are to come.

        Raises:
            BundleError: If there would be more than can be read again.
        """
        there = len(self.manifest.sources)
        if there + more > MAX_SOURCES:
            raise BundleError(
                f"bundle {self.name!r} has points of {there:,} attacks, and {more} more would be over "
                f"{MAX_SOURCES:,}, the most that a bundle holds: add them to the one it was made from"
            )

    def tensors(self) -> dict[str, NDArray[Any]]:
        """The tensors by their name in the file, those that are present."""
        clean = {name: getattr(self, argument_of(name)) for name in TENSORS if name.startswith("clean.")}
        present = {name: array for name, array in clean.items() if array is not None}
        return present | ({} if self.attacked is None else self.attacked.tensors())

    def with_points(
        self,
        source: SourceCard,
        index: NDArray[np.int64],
        std_logits: NDArray[np.floating[Any]],
        rob_logits: NDArray[np.floating[Any]],
    ) -> LogitBundle:
        """The bundle with the points of one more attack (see `pool.add_points`).

        Args:
            source: Which attack on what.
            index: The clean row of each point, int64, shape (Q,); each of an attacked image.
            std_logits: g there, shape (Q, K).
            rob_logits: h there, shape (Q, K).

        Raises:
            BundleError: If a point belongs to no attacked image, or does not fit otherwise, or the bundle
                has as many sources as it can hold.
        """
        # here, since what joins a pool is judged with torch, which nobody needs who only reads a bundle
        from mnuts_core.bundles.pool import add_points

        self.require_room()
        sources = (*self.manifest.sources, source.model_copy(update={"before": self.digest}))
        stay = [number for number, each in enumerate(sources) if each.verified]
        *earlier, target = (each.mix for each in sources)
        pool = add_points(
            self.require_attacked(),
            len(sources) - 1,
            index,
            std_logits,
            rob_logits,
            target,
            earlier=[mix for mix in earlier if mix is not None],
            stay=stay,
        )
        manifest = self.manifest.model_copy(update={"attacks": sources, "digest": None})
        return replace(self, manifest=manifest, attacked=pool)

    @classmethod
    def from_arrays(
        cls,
        *,
        clean_labels: ArrayLike,
        clean_std_logits: ArrayLike,
        clean_rob_logits: ArrayLike,
        adv_index: ArrayLike | None = None,
        adv_source: ArrayLike | None = None,
        adv_std_logits: ArrayLike | None = None,
        adv_rob_logits: ArrayLike | None = None,
        adv_margin: ArrayLike | None = None,
        clean_images: ArrayLike | None = None,
        adv_images: ArrayLike | None = None,
        clean_alpha: ArrayLike | None = None,
        adv_alpha: ArrayLike | None = None,
        clean_certified_radius: ArrayLike | None = None,
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
            adv_index: See `AttackedPart`; an image may have several points if these have sources.
            adv_source: See `AttackedPart`; without a manifest, sources are called by their numbers.
            adv_std_logits: See `AttackedPart`.
            adv_rob_logits: See `AttackedPart`.
            adv_margin: See `AttackedPart`.
            clean_images: See the class.
            adv_images: See `AttackedPart`.
            clean_alpha: See the class.
            adv_alpha: See `AttackedPart`.
            clean_certified_radius: See the class; the manifest's `certificate` says what it proves.
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
        values = locals()
        given = {name: values[argument_of(name)] for name in TENSORS}
        tensors = {name: coerce(name, value) for name, value in given.items() if value is not None}
        if manifest is None:
            manifest = plain_manifest(name, classes, tensors["clean.rob_logits"], tensors.get("adv.source"))
        return cls._of(manifest, tensors)

    @classmethod
    def _of(cls, manifest: Manifest, tensors: Tensors) -> LogitBundle:
        clean = {f"clean_{name}": array for name, array in part_of(tensors, "clean").items()}
        return cls(manifest=manifest, attacked=AttackedPart.of_tensors(tensors), **clean)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the bundle; the file appears whole or not at all.

        Args:
            path: Where to; the ending should be `.safetensors`.

        Raises:
            BundleError: If the folder does not exist.
        """
        return write_atomically(path, self.to_bytes(), BundleError)

    def to_bytes(self) -> bytes:
        """The content of the bundle's file."""
        tensors = {name: np.ascontiguousarray(array) for name, array in self.tensors().items()}
        metadata = {METADATA_KEY: sealed_json(self.manifest.model_copy(update={"digest": self.digest}))}
        return to_safetensors(tensors, metadata=metadata)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> LogitBundle:
        """Read and validate a bundle.

        Args:
            path: A `.safetensors` file written by `save`.

        Raises:
            BundleError: If the file is missing, too large, no bundle, of another version, or damaged.
        """
        path = Path(path)
        manifest, tensors = read_file(path)
        unknown, missing = set(tensors) - set(TENSORS), set(REQUIRED) - set(tensors)
        if unknown or missing:
            what = f"lacks {', '.join(sorted(missing))}" if missing else f"holds unknown {sorted(unknown)}"
            raise BundleError(f"{path} {what}: tensors of a bundle are {', '.join(sorted(TENSORS))}")
        if manifest.digest != content_digest(tensors):
            raise BundleError(
                f"{path} is damaged: its tensors do not match the digest in its manifest; get it again, "
                "or rebuild it"
            )
        try:
            return cls._of(manifest, tensors)
        except BundleError as error:
            raise BundleError(f"{path}: {error}") from None

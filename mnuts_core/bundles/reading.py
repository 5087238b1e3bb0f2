"""A bundle's file and manifest: what is read, and what arrays without a manifest get."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors import safe_open

from mnuts_core.bundles.manifest import (
    MAX_SOURCES,
    DataCard,
    Manifest,
    ModelCard,
    SourceCard,
    first_problem,
    library_versions,
    now,
    numbered_classes,
    parse_manifest,
)
from mnuts_core.errors import BundleError
from mnuts_core.io.untrusted import brief, safetensors_header
from mnuts_core.text import shortened

METADATA_KEY = "mnuts"


def plain_manifest(
    name: str, classes: Sequence[str] | None, logits: NDArray[Any], source: NDArray[np.int64] | None
) -> Manifest:
    """The manifest of arrays that a user gives without one."""
    k = logits.shape[1] if logits.ndim == 2 else 0
    sources = 0 if source is None or not source.size else min(max(int(source.max()) + 1, 0), MAX_SOURCES)
    try:
        return Manifest(
            name=name,
            data=DataCard(name="unknown", source="arrays given by the user"),
            classes=tuple(classes or numbered_classes(k)),
            std_model=ModelCard(spec="unknown"),
            rob_model=ModelCard(spec="unknown"),
            versions=library_versions(),
            attacks=tuple(SourceCard(name=f"unknown {number + 1}") for number in range(sources)),
            created=now(),
        )
    except ValidationError as error:
        raise BundleError(f"name or classes are wrong at {first_problem(error)}") from None


def read_file(path: Path) -> tuple[Manifest, dict[str, NDArray[Any]]]:
    """Manifest and tensors of a file, not yet compared with each other.

    Raises:
        BundleError: If it is no bundle.
    """
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

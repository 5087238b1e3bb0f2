"""Logits that a user already has, from `.npz`, `.pt`, `.csv` and `.parquet`, as a `LogitBundle`.

**Named arrays** (`.npz`; `.pt`, `.pth` with a dict of tensors): the names are those of
`LogitBundle.from_arrays`.

| name | shape | |
|---|---|---|
| `clean_labels` | (N,) | integers, from 0 |
| `clean_std_logits`, `clean_rob_logits` | (N, K) | raw logits of both models |
| `adv_std_logits`, `adv_rob_logits` | (M, K) | at the attacked images; may be left out, with all `adv_*` |
| `adv_index` | (M,) | clean row of each attacked image; 0, 1, ... if it is left out and M = N |
| `adv_margin` | (M,) | smallest signed margin of LN∘h; computed if left out |
| `clean_images`, `adv_images` | (N or M, H, W, C) | uint8; may be left out |
| `clean_alpha`, `adv_alpha` | (N,), (M,) | weights in [0, 1] of a method that chooses α by the image |
| `clean_certified_radius` | (N,) | how far h is certified; `certificate` says what that means |
| `classes` | (K,) | names; may be left out |

**Tables** (`.csv`, `.parquet`): one row an image, and one column for each of `label`, `std_0` to
`std_{K-1}` and `rob_0` to `rob_{K-1}`. That is the minimal form, clean images only. With attacked images
there are two more columns: `part`, which is `clean` or `adv`, and `index`, which numbers the images: an
attacked row has the number of its clean one. Where clean rows have no `index`, they count from 0 in the
order of the file. Attacked rows may leave `label` empty; if they have one, it must be their clean row's.
`margin` is as `adv_margin`. `alpha` is the weight of a method that chooses α by the image (adaptive
smoothing, Bai et al., 2024a), in [0, 1], in every row or in the clean ones alone; `certified_radius` stands
in clean rows, and `certificate` says what it means.

**The authors' `logits.pt`**: a dict of the robust model's raw logits, `atk_corr` (M, K), at attacked
images that it gets right, and `cln_incorr` (N, K), at clean images that it gets wrong. It suffices for
Algorithm 1 alone: see `algorithm1_bundle`. Both names work in an `.npz` file too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import ValidationError

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.certificate import CertificateCard
from mnuts_core.bundles.logit_tables import Arrays, read_csv, read_parquet
from mnuts_core.bundles.manifest import (
    NOT_REAL,
    DataCard,
    Manifest,
    ModelCard,
    first_problem,
    library_versions,
    now,
    numbered_classes,
)
from mnuts_core.errors import BundleError
from mnuts_core.io.untrusted import existing_file
from mnuts_core.io.zipped_arrays import class_names, npz_headers, read_npz, read_torch, tensor_array
from mnuts_core.text import shortened

REQUIRED = ("clean_labels", "clean_std_logits", "clean_rob_logits")
OPTIONAL = (
    *("adv_index", "adv_std_logits", "adv_rob_logits", "adv_margin", "clean_images", "adv_images"),
    *("clean_alpha", "adv_alpha", "clean_certified_radius"),
)
CLASSES = "classes"
AUTHORS = ("atk_corr", "cln_incorr")


def import_logits(
    path: str | os.PathLike[str],
    *,
    name: str | None = None,
    classes: Sequence[str] | None = None,
    certificate: CertificateCard | None = None,
) -> LogitBundle:
    """A bundle from a file of logits; the module's text tells the forms.

    Args:
        path: A `.npz`, `.pt`, `.pth`, `.csv` or `.parquet` file. Nothing in it is run.
        name: The bundle's name; the file's, without its ending, if None.
        classes: K class names; those in the file, else "0", "1", ..., if None.
        certificate: What is certified of h: what the file's certified radii prove, or a Lipschitz constant.

    Raises:
        BundleError: If the file is missing, broken, or not in one of the forms.
    """
    path = existing_file(path, BundleError)
    if path.suffix.lower() not in READERS:
        raise BundleError(f"{path} must end in {', '.join(READERS)} to be imported")
    arrays = READERS[path.suffix.lower()](path)
    name = path.stem if name is None else name
    if set(AUTHORS) <= set(arrays):
        return algorithm1_bundle(arrays["atk_corr"], arrays["cln_incorr"], name=name, source=path.name)
    _check_names(path, arrays)
    names = arrays.pop(CLASSES, None) if classes is None else classes
    _complete(path, arrays)
    try:
        manifest = _manifest(
            name, f"logits imported from {path.name}", _class_names(names, arrays["clean_rob_logits"])
        ).model_copy(update={"certificate": certificate})
        return LogitBundle.from_arrays(**arrays, manifest=manifest)
    except BundleError as error:
        raise BundleError(f"{path}: {error}") from None


def algorithm1_bundle(
    atk_corr: ArrayLike, cln_incorr: ArrayLike, *, name: str, source: str = "arrays given by the user"
) -> LogitBundle:
    """What Algorithm 1 needs and nothing else, as the authors' code caches it, in the form of a bundle.

    The true classes and the standard model are not in such a file. Labels are made up so that each example
    is as right or wrong as the file says: the predicted class for `atk_corr`, the class with the smallest
    logit for `cln_incorr`. The robust logits stand in for the standard ones, and the attacked logits for
    the clean ones of the attacked images. The name and the manifest say so: **accuracies of this bundle
    mean nothing.** Search it with `grid_search(bundle, grid, beta, clean="all", max_accuracy_loss=None)`:
    that is the paper's plain rule on exactly these logits.

    Args:
        atk_corr: The robust model's raw logits at attacked images that it gets right, shape (M, K).
        cln_incorr: The same at clean images that it gets wrong, shape (N, K).
        name: What to call the bundle, before the warning that the name will hold.
        source: Where the logits come from.

    Raises:
        BundleError: If the two do not fit together.
    """
    right, wrong = _logits("atk_corr", atk_corr), _logits("cln_incorr", cln_incorr)
    if right.shape[1] != wrong.shape[1]:
        raise BundleError(f"atk_corr has {right.shape[1]} classes, cln_incorr {wrong.shape[1]}: give one K")
    predicted, label = wrong.argmax(axis=1), wrong.argmin(axis=1)
    label = np.where(label == predicted, (predicted + 1) % wrong.shape[1], label)  # where all logits agree
    clean = np.concatenate([wrong, right])
    manifest = _manifest(
        f"{name[:120]} (Algorithm 1 only: labels and standard logits are not real)",
        f"{source}: wrong clean and right attacked examples of one robust model (cln_incorr, atk_corr). "
        "Labels and standard logits are made up: read no accuracy off this bundle, only search results",
        numbered_classes(right.shape[1]),
        std_model=NOT_REAL,
    )
    return LogitBundle.from_arrays(
        clean_labels=np.concatenate([label, right.argmax(axis=1)]),
        clean_std_logits=clean,
        clean_rob_logits=clean,
        adv_index=np.arange(len(wrong), len(clean)),
        adv_std_logits=right,
        adv_rob_logits=right,
        manifest=manifest,
    )


def for_search_only(bundle: LogitBundle) -> bool:
    """Whether a bundle is one of `algorithm1_bundle`, whose accuracies mean nothing."""
    return bundle.manifest.std_model.spec == NOT_REAL


def _manifest(name: str, source: str, classes: tuple[str, ...], std_model: str = "unknown") -> Manifest:
    try:
        return Manifest(
            name=name,
            data=DataCard(name="unknown", source=source),
            classes=classes,
            std_model=ModelCard(spec=std_model),
            rob_model=ModelCard(spec="unknown"),
            versions=library_versions(),
            created=now(),
        )
    except ValidationError as error:
        raise BundleError(f"name or classes are wrong at {first_problem(error)}") from None


def _logits(name: str, value: ArrayLike) -> NDArray[Any]:
    array = np.asarray(value)
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.ndim != 2 or array.dtype.kind != "f" or not len(array) or array.shape[1] < 2:
        raise BundleError(
            f"{name} must be numbers of shape (examples, K), with at least 1 example and K ≥ 2, "
            f"got {array.dtype} of shape {array.shape}"
        )
    if not np.isfinite(array).all():
        raise BundleError(f"{name} must be finite, got NaN or infinity: remove such examples")
    return array


def _class_names(names: Any, logits: Any) -> tuple[str, ...]:
    """The given names, else one number a class, as far as K is known."""
    if names is None:
        shape = np.shape(logits)
        return numbered_classes(shape[1] if len(shape) == 2 else 2)
    return class_names(names, BundleError)


def _check_names(path: Path, names: Collection[str], required: Sequence[str] = REQUIRED) -> None:
    """Refuse missing and unknown names."""
    missing = [name for name in required if name not in names]
    unknown = sorted(set(names) - {*REQUIRED, *OPTIONAL, CLASSES} - set(() if required else AUTHORS))
    if missing or unknown:
        what = f"lacks {', '.join(missing)}" if missing else f"holds unknown {', '.join(unknown)}"
        allowed = ", ".join((*REQUIRED, *OPTIONAL, CLASSES))
        raise BundleError(
            f"{path} {what[:200]}: allowed are {allowed} (or {' and '.join(AUTHORS)} for Algorithm 1 alone)"
        )


def _complete(path: Path, arrays: Arrays) -> None:
    """Count the attacked rows where all images are attacked."""
    if "adv_rob_logits" in arrays and "adv_index" not in arrays:
        m, n = (np.atleast_1d(arrays[name]).shape[0] for name in ("adv_rob_logits", "clean_labels"))
        if m != n:
            raise BundleError(
                f"{path} lacks adv_index, which must say which of the {n} clean rows each of the {m} "
                f"attacked ones belongs to: add it (0 to {m - 1}, if those are the first)"
            )
        arrays["adv_index"] = np.arange(m)


def _from_npz(path: Path) -> Arrays:
    names = list(npz_headers(path, BundleError))
    _check_names(path, names, required=())
    return dict(read_npz(path, names, BundleError))


def _from_torch(path: Path) -> Arrays:
    import torch

    content = read_torch(path, BundleError)
    if not isinstance(content, Mapping) or not all(isinstance(name, str) for name in content):
        raise BundleError(f"{path} must hold a dict of named tensors, got {type(content).__name__}")
    _check_names(path, content, required=())
    arrays: Arrays = {}
    for name, value in content.items():
        if isinstance(value, torch.Tensor):
            arrays[name] = tensor_array(f"{path}: {name}", value, BundleError)
        elif name == CLASSES and isinstance(value, (list, tuple)):
            arrays[name] = value
        else:
            raise BundleError(f"{path}: {name} must be a tensor, got {shortened(value)}")
    return arrays


READERS: Mapping[str, Callable[[Path], Arrays]] = {
    ".npz": _from_npz,
    ".pt": _from_torch,
    ".pth": _from_torch,
    ".csv": read_csv,
    ".parquet": read_parquet,
}
"""How each kind of file is read, by its ending."""

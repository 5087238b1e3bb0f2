"""What the authors' `calc_margins.py` leaves of one model on one set of images.

| file | what |
|---|---|
| `NAME_margins.json` | `{"correct": [...], "incorrect": [...]}`: probability margins of each prediction |
| `NAME_summary.csv` | three sentences: accuracy and number of images; mean and median margins |
| `NAME_Nexamples.pt` | a pickle of `margins`, `images`, `labels`, `probs`: each `correct` and `incorrect` |

The probabilities are the softmax of LN∘h, or of h without LN. Their logarithms differ from these logits by
a constant in each row alone, so that LN of them is LN∘h itself: two such files, of clean and of attacked
images, hold what Algorithm 1 needs.
"""

from __future__ import annotations

import os
import re
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.importers import algorithm1_bundle
from mnuts_core.errors import BundleError
from mnuts_core.io.pickled_arrays import read_pickled_arrays
from mnuts_core.io.untrusted import parse_json, read_bytes
from mnuts_core.text import shortened

MAX_JSON = 64 * 2**20
MAX_SUMMARY = 2**16
ROUNDING = 0.01
"""Sums of probabilities may be so far from 1: half precision rounds so."""
PARTS = ("correct", "incorrect")
_ACCURACY = re.compile(
    r"Accuracy of the (.{1,200}?) (?:model|network) on (?:the )?(\d{1,9}) (\S{1,50}) test images: "
    r"([\d.]{1,20}) %\."
)
_MARGINS = re.compile(
    r"Mean / median margin for (correct|incorrect) predictions: (\S{1,30}) / (\S{1,30})\.(?:\s|$)"
)


class Margins(NamedTuple):
    """Probability margins of predictions, the largest probability less the second.

    Attributes:
        correct: Of correct predictions, in [0, 1], float64, shape (R,).
        incorrect: Of wrong ones, shape (W,).
    """

    correct: NDArray[np.float64]
    incorrect: NDArray[np.float64]

    @property
    def accuracy(self) -> float:
        """The share of correct predictions, in [0, 1]."""
        return len(self.correct) / (len(self.correct) + len(self.incorrect))


class Summary(NamedTuple):
    """What `NAME_summary.csv` says; numbers are rounded to three digits there.

    Attributes:
        model: The model's name.
        images: Which images: `clean`, `pgd20` or `aa`.
        n: How many.
        accuracy: In [0, 1].
        mean: Mean margins of correct and of incorrect predictions.
        median: The medians.
    """

    model: str
    images: str
    n: int
    accuracy: float
    mean: tuple[float, float]
    median: tuple[float, float]


class Examples(NamedTuple):
    """What `NAME_Nexamples.pt` holds of correct, or of incorrect predictions.

    Attributes:
        images: In [0, 1], float32, shape (N, C, H, W).
        labels: True classes, int64, shape (N,).
        probs: The model's probabilities, float32, shape (N, K).
    """

    images: NDArray[np.float32]
    labels: NDArray[np.int64]
    probs: NDArray[np.float32]


def read_margins(path: str | os.PathLike[str]) -> Margins:
    """Margins from `NAME_margins.json`.

    Raises:
        BundleError: If the file is missing or broken, or holds something else than margins.
    """
    content = parse_json(read_bytes(path, MAX_JSON, BundleError), str(path), BundleError)
    if not isinstance(content, dict) or set(content) != set(PARTS):
        raise BundleError(
            f"{path} must hold margins of correct and incorrect predictions, got {shortened(content)}"
        )
    margins = Margins(*(_margins(content[part], f"{path} at {part}") for part in PARTS))
    if not len(margins.correct) + len(margins.incorrect):
        raise BundleError(f"{path} holds no margins")
    return margins


def read_summary(path: str | os.PathLike[str]) -> Summary:
    """The figures of `NAME_summary.csv`, three sentences in spite of its ending.

    Raises:
        BundleError: If the file is missing or says something else.
    """
    text = read_bytes(path, MAX_SUMMARY, BundleError).decode("utf-8", "replace")
    accuracy = _ACCURACY.search(text)
    found = {name: (mean, median) for name, mean, median in _MARGINS.findall(text)}
    try:
        if accuracy is None:
            raise ValueError
        model, n, images, percent = accuracy.groups()
        pairs = [tuple(map(float, found[part])) for part in PARTS]
        mean, median = ((pairs[0][i], pairs[1][i]) for i in (0, 1))
        found_shares = [float(percent) / 100, *mean, *median]
        if not int(n) or any(share < 0 or share > 1 for share in found_shares):  # of nothing a mean is NaN
            raise ValueError
        return Summary(model, images, int(n), float(percent) / 100, mean, median)
    except (KeyError, ValueError):
        raise BundleError(
            f"{path} must say 'Accuracy of the MODEL model on N KIND test images: X %.', and mean and median "
            "margins in [0, 1] for correct and incorrect predictions"
        ) from None


def read_examples(path: str | os.PathLike[str]) -> dict[str, Examples]:
    """Images, labels and probabilities of `NAME_Nexamples.pt`, for `correct` and for `incorrect`.

    The file is a pickle, read without running anything in it, see `mnuts_core.io.pickled_arrays`.

    Raises:
        BundleError: If the file is missing or broken, or holds anything else.
    """
    content = read_pickled_arrays(path, BundleError)
    try:
        parts = {
            part: Examples(*(np.asarray(content[name][part]) for name in ("images", "labels", "probs")))
            for part in PARTS
        }
    except (KeyError, TypeError, IndexError):
        raise BundleError(
            f"{path} must hold images, labels and probs, each for correct and incorrect"
        ) from None
    for part, examples in parts.items():
        _check_examples(examples, f"{path} at {part}")
        _check_predictions(examples, part, f"{path} at {part}")
    classes = [examples.probs.shape[1] for examples in parts.values() if len(examples.probs)]
    if len(set(classes)) > 1:
        raise BundleError(
            f"{path} has {classes[0]} classes at correct, {classes[1]} at incorrect: give one K"
        )
    return parts


def examples_bundle(
    clean: str | os.PathLike[str], attacked: str | os.PathLike[str], *, name: str
) -> LogitBundle:
    """What Algorithm 1 needs, from the authors' examples of one robust model; see `algorithm1_bundle`.

    Args:
        clean: `..._clean_ln_Nexamples.pt`.
        attacked: `..._aa_ln_Nexamples.pt`.
        name: The bundle's name.

    Raises:
        BundleError: If a file is broken, or there is no wrong clean or no right attacked image.
    """
    wrong = read_examples(clean)["incorrect"].probs
    right = read_examples(attacked)["correct"].probs
    for probs, path, kind in ((wrong, clean, "incorrect"), (right, attacked, "correct")):
        if not len(probs):
            raise BundleError(
                f"{path} has no {kind} predictions, without which Algorithm 1 has nothing to work on"
            )
    source = f"{os.path.basename(clean)} and {os.path.basename(attacked)}"
    least = np.finfo(np.float32).tiny
    return algorithm1_bundle(np.log(right.clip(least)), np.log(wrong.clip(least)), name=name, source=source)


def _margins(values: Any, where: str) -> NDArray[np.float64]:
    numbers = isinstance(values, list) and all(type(value) in (int, float) for value in values)
    array = np.array(values if numbers else [np.nan], np.float64)
    if not ((array >= 0) & (array <= 1)).all():
        raise BundleError(f"{where} must be a list of margins in [0, 1], got {shortened(values)}")
    return array


def _check_examples(examples: Examples, where: str) -> None:
    images, labels, probs = examples
    shapes = (
        images.ndim == 4 and labels.ndim == 1 and probs.ndim == 2 and len(images) == len(labels) == len(probs)
    )
    kinds = images.dtype.kind == probs.dtype.kind == "f" and labels.dtype.kind == "i"
    if not shapes or not kinds:
        raise BundleError(
            f"{where} must have images (N, C, H, W), labels (N,) and probs (N, K), got "
            f"{images.dtype} {images.shape}, {labels.dtype} {labels.shape}, {probs.dtype} {probs.shape}"
        )
    if not ((probs >= 0) & (probs <= 1)).all():
        raise BundleError(f"{where} must have probabilities in [0, 1]")
    if len(probs) and (probs.shape[1] < 2 or np.abs(probs.sum(axis=1) - 1).max() > ROUNDING):
        raise BundleError(f"{where} must have probabilities of K ≥ 2 classes that add up to 1")


def _check_predictions(examples: Examples, part: str, where: str) -> None:
    """Correct predictions are of the label, incorrect ones are not; where classes tie, it may be either."""
    _, labels, probs = examples
    if not len(probs):
        return
    if labels.min() < 0 or labels.max() >= probs.shape[1]:
        raise BundleError(
            f"{where} must have labels from 0 to {probs.shape[1] - 1}, got {labels.min()} to {labels.max()}"
        )
    own = np.take_along_axis(probs, labels[:, None], axis=1)
    beaten, first = (probs > own).any(axis=1), (probs >= own).sum(axis=1) == 1
    wrong = beaten if part == "correct" else first
    if wrong.any():
        raise BundleError(
            f"{where}: {wrong.sum():,} of {len(probs):,} predictions are not {part}: labels and probs are "
            "of different images"
        )

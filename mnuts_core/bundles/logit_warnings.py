"""Signs that a bundle's numbers are no raw logits, or not of its labels; `docs/warnings.md` has each code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.manifest import NOT_REAL
from mnuts_core.functional.statistics import wilson_interval
from mnuts_core.params import LARGEST_LOGIT, LN_K_DEFAULT, VARIANCE_FLOOR
from mnuts_core.text import counted

Code = Literal[
    "probabilities",
    "one-hot",
    "sigmoid-outputs",
    "masked-classes",
    "logits-too-large",
    "logits-too-small",
    "labels-do-not-fit",
    "labels-off-by-one",
]
CODES: tuple[Code, ...] = get_args(Code)

ROUNDING = 0.01
"""Probabilities may be so far above 1, and their sums so far from 1: half precision rounds so."""
FEWEST = 20
"""So many numbers in [0, 1] may be chance; logits of a network have both signs."""
MASK = -1e5
"""No network answers less than this; masks do, -1e9 or the least number of a dtype."""
HALF_MASKS = (-1e4, float(np.finfo(np.float16).min))
"""What masks in half precision."""
LEAST_SCALE = 0.99
"""The layer norm may divide by so much more than the logits' own deviation, no more."""
SAMPLED = 256
"""So many rows say how far a model's logits lie apart."""
CLEAR_GAIN = 0.25
"""Shifted labels are right for so many more images only where they were off by one."""
BLOCK = 2**22
"""So many numbers are looked at, at once."""

Logits = NDArray[np.floating[Any]]


class LogitWarning(NamedTuple):
    """A reason not to rely on a bundle's figures: a code of `docs/warnings.md`, and what was seen."""

    code: Code
    message: str

    def __str__(self) -> str:
        return f"{self.message} (see docs/warnings.md#{self.code})"


def logit_warnings(bundle: LogitBundle) -> tuple[LogitWarning, ...]:
    """Everything about a bundle's logits and labels that sound ones do not show.

    Log-probabilities are as good as logits, and are not warned of. Accuracies are judged by their 95 %
    intervals: a few images at chance prove nothing.

    Args:
        bundle: Any bundle.
    """
    models: dict[str, list[Logits]] = {
        "standard": [bundle.clean_std_logits],
        "robust": [bundle.clean_rob_logits],
    }
    if bundle.attacked is not None:
        models["standard"].append(bundle.attacked.std_logits)
        models["robust"].append(bundle.attacked.rob_logits)
    found: list[LogitWarning] = []
    for name, parts in models.items():
        found += warnings_of_values(name, parts)
        if bundle.manifest.std_model.spec != NOT_REAL:
            found += warnings_of_labels(name, parts[0], bundle.clean_labels)
    return tuple(found)


def warnings_of_values(name: str, parts: list[Logits]) -> Iterator[LogitWarning]:
    """What the numbers of one model say.

    Args:
        name: `standard` or `robust`, for the messages.
        parts: Its logits, each of shape (N, K).
    """
    seen = [_summary(block) for part in parts for block in _blocks(part)]
    least, largest = min(one.least for one in seen), max(one.largest for one in seen)
    if least >= 0 and largest <= 1 + ROUNDING:
        yield from _of_shares(name, seen)
    if masked := sum(one.masked for one in seen):
        yield LogitWarning(
            "masked-classes",
            f"the {name} model's values hold {counted(masked, 'mask')}, down to {least:.4g}, which the layer "
            "norm takes for logits: leave masked classes out",
        )
    if max(-least, largest) > LARGEST_LOGIT:
        changed = sum(one.changed for one in seen)
        effect = f"its prediction in {counted(changed, 'row')}" if changed else "no prediction"
        yield LogitWarning(
            "logits-too-large",
            f"the {name} model's values reach {max(-least, largest):.3g} in size and are clipped at "
            f"{LARGEST_LOGIT:.0e}, which changes {effect}",
        )
    if name == "robust" and not any(one.off_one < np.inf for one in seen):
        yield from _of_spread(parts[0])


def _of_spread(logits: Logits) -> Iterator[LogitWarning]:
    """Whether the number under the layer norm's root, there for constant logits, counts beside h's variance.

    g is not asked: at T = 0 the mix needs its arg max alone.
    """
    rows = logits[:: -(-len(logits) // SAMPLED)].astype(np.float64)
    k = min(LN_K_DEFAULT, rows.shape[1])
    variance = float(np.median(np.partition(rows, -k, axis=1)[:, -k:].var(axis=1, ddof=1)))
    scale = np.sqrt(variance / (variance + VARIANCE_FLOOR))
    if 0 < scale < LEAST_SCALE:
        yield LogitWarning(
            "logits-too-small",
            f"the robust model's logits lie close together: the standard deviation of a row's {k} largest is "
            f"{np.sqrt(variance):.2g} at the median, and with {VARIANCE_FLOOR:g} added to the variance LN(h) "
            f"comes out at {scale:.2g} of its size",
        )


def _of_shares(name: str, seen: list[_Summary]) -> Iterator[LogitWarning]:
    """What numbers in [0, 1] are: predictions, probabilities or scores of each class by itself."""
    if all(one.off_one <= ROUNDING for one in seen):
        if all(one.hot for one in seen):
            yield LogitWarning(
                "one-hot",
                f"the {name} model's rows are one-hot predictions, not logits: its margins mean nothing",
            )
        else:
            yield LogitWarning(
                "probabilities",
                f"the {name} model's rows are probabilities (in [0, 1], with sum 1), not raw logits: "
                "take the values before the softmax, or their logarithms",
            )
    elif sum(one.size for one in seen) >= FEWEST:
        yield LogitWarning(
            "sigmoid-outputs",
            f"the {name} model's values all lie in [0, 1], as a sigmoid's do, and are no raw logits: take "
            "the values before it",
        )


class _Summary(NamedTuple):
    """What a block of rows shows.

    Attributes:
        size: How many values.
        least: The smallest.
        largest: The largest.
        off_one: How far a row's sum is from 1, at most.
        hot: Whether all values are 0 or 1.
        masked: How many values are masks.
        changed: In how many rows clipping changes the prediction.
    """

    size: int
    least: float
    largest: float
    off_one: float
    hot: bool
    masked: int
    changed: int


def _summary(rows: Logits) -> _Summary:
    least, largest = float(rows.min()), float(rows.max())
    shares = least >= 0 and largest <= 1 + ROUNDING
    clipped = max(-least, largest) > LARGEST_LOGIT
    changed = rows.argmax(1) != rows.clip(-LARGEST_LOGIT, LARGEST_LOGIT).argmax(1) if clipped else np.zeros(1)
    return _Summary(
        size=rows.size,
        least=least,
        largest=largest,
        off_one=float(np.abs(rows.sum(1, dtype=np.float64) - 1).max()) if shares else np.inf,
        hot=bool(shares and ((rows == 0) | (rows == 1)).all()),
        masked=int(_masks(rows).sum()) if least <= max(HALF_MASKS) else 0,
        changed=int(changed.sum()),
    )


def _masks(rows: Logits) -> NDArray[np.bool_]:
    """Which values are masks: far below what a network answers, in a row whose largest is ordinary."""
    low = (rows <= MASK) | np.isin(rows, np.asarray(HALF_MASKS, rows.dtype))
    ordinary = np.abs(rows.max(axis=1, keepdims=True)) < -MASK / 10
    masks: NDArray[np.bool_] = low & ordinary
    return masks


def warnings_of_labels(name: str, logits: Logits, labels: NDArray[np.int64]) -> Iterator[LogitWarning]:
    """Whether a model's predictions have to do with the labels.

    Args:
        name: As for `warnings_of_values`.
        logits: Its logits of the clean images, shape (N, K).
        labels: Their true classes, shape (N,).
    """
    predicted, k, n = logits.argmax(axis=1), logits.shape[1], len(labels)
    right = int((predicted == labels).sum())
    high = wilson_interval(right, n)[1]
    shifted, by = max((int((predicted == labels + by).sum()), by) for by in (-1, 1))
    if shifted - right >= CLEAR_GAIN * n and wilson_interval(shifted, n)[0] > high:
        yield LogitWarning(
            "labels-off-by-one",
            f"the {name} model is right on {right:,} of {n:,} clean images, and on {shifted:,} with labels "
            f"{'raised' if by > 0 else 'lowered'} by 1: do labels or classes count from 1?",
        )
    elif high <= hardly_better_than_chance(k):
        yield LogitWarning(
            "labels-do-not-fit",
            f"the {name} model is right on {right:,} of {n:,} clean images, hardly better than chance among "
            f"{k:,} classes: are labels and logits of the same images, and classes in the same order?",
        )


def hardly_better_than_chance(k: int) -> float:
    """Up to which accuracy a model among K classes has learned next to nothing.

    Args:
        k: K.
    """
    return min(2 / k, 1 / k + 0.1 * (1 - 1 / k))


def _blocks(logits: Logits) -> Iterator[Logits]:
    step = max(1, BLOCK // logits.shape[1])
    for start in range(0, len(logits), step):
        yield logits[start : start + step]

"""Whether both models and the labels mean the same classes by the same numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from mnuts_core.bundles.logit_warnings import LogitWarning, warnings_of_labels
from mnuts_core.functional.paired import mcnemar
from mnuts_core.functional.statistics import share_of
from mnuts_core.models.predict import NO_CLASS
from mnuts_core.pipeline.doctor.case import Case, Side
from mnuts_core.pipeline.doctor.findings import Finding, error, ok

GAIN, P = 0.05, 1e-3
"""By so much must another order of classes raise accuracy, and so unlikely must that be by chance."""
FITS = 0.5
"""And so many images must be right then."""
AGREE = 0.5
"""Two models that agree so often see the same in the images."""
NAMED = 4

Classes = NDArray[np.int64]


def class_order(case: Case) -> Iterator[Finding]:
    """Whether another order of classes makes predictions fit the labels."""
    labels = case.labels.numpy()
    orders = {side.name: better_order(side.classes_found, labels, side.classes) for side in case.answering}
    for side in case.answering:
        order = orders[side.name]
        off = [each for each in _of_labels(case, side) if each.code == "labels-off-by-one"]
        moved = _of_the_next_image(side, labels)
        if off:
            yield error(off[0].code, off[0].message, remedy="subtract 1, or leave the extra class out")
        elif moved is not None:
            yield moved
        elif order is not None:
            yield _in_another_order(case, side, order, all(found is not None for found in orders.values()))
        else:
            yield ok("class-order", f"{side.name}: no other order of classes fits the labels better")
            continue
        case.explained.add(side.name)


def labels_fit(case: Case) -> Iterator[Finding]:
    """Whether predictions have to do with the labels at all, where nothing else explains that they do not."""
    agreement, words = _agreement(case)
    chance = [side for side in case.answering if side.name not in case.explained and _of_labels(case, side)]
    for side in chance:
        case.explained.add(side.name)
        (found,) = _of_labels(case, side)
        if agreement >= AGREE:
            yield error(
                found.code,
                found.message,
                f"{words}, so labels and images are not in one order",
                "look at how labels are joined with images",
            )
        else:
            yield error(
                found.code,
                found.message,
                "this model's weights may not have been loaded, or it wants other images",
                "compare its known accuracy, and look at how its checkpoint is loaded",
            )
    if not chance and words:
        yield ok("labels-do-not-fit", f"labels fit the predictions; {words}")


def _of_the_next_image(side: Side, labels: Classes) -> Finding | None:
    """What to say where labels fit the image before theirs, or the one behind."""
    plain = share_of(side.right, "clean")
    for step, which in ((1, "behind"), (-1, "before")):
        found = share_of(side.classes_found == np.roll(labels, step), "clean")
        if found.value >= max(FITS, plain.value + GAIN) and found.low > plain.high:
            return error(
                "labels-do-not-fit",
                f"{side.name} is right on {plain.tally} by their own label, on {found.tally} by that of the "
                f"image {which} them",
                "labels and images are off by one row",
                "look for a header or a first row that one of both lists has and the other not",
            )
    return None


def _of_labels(case: Case, side: Side) -> list[LogitWarning]:
    logits = side.logits.float().nan_to_num().cpu().numpy()
    return list(warnings_of_labels(side.word, logits, case.labels.numpy()))


def _agreement(case: Case) -> tuple[float, str]:
    """How often both models predict the same class."""
    if case.both is None:
        return 0.0, ""
    std, rob = case.both
    share = float((std.classes_found == rob.classes_found).mean())
    return share, f"both models agree on {100 * share:.1f} % of the images"


def better_order(predictions: Classes, labels: Classes, k: int) -> Classes | None:
    """The order of classes in which predictions fit the labels clearly better; None if there is none.

    Orders are chosen on each half of the images, by the assignment that most predictions fit, and judged on
    the other half, so that chance cannot make one up.

    Args:
        predictions: Predicted classes, `NO_CLASS` where there is none, shape (n,).
        labels: True classes, shape (n,).
        k: K.

    Returns:
        For each predicted class the label that it stands for, shape (K,).
    """
    known = predictions != NO_CLASS
    predictions, labels = predictions[known], labels[known]
    does, fits = predictions == labels, np.zeros(len(labels), dtype=bool)
    halves = np.array_split(np.random.default_rng(0).permutation(len(labels)), 2)  # labels may be in order
    for half, other in (halves, halves[::-1]):
        fits[other] = _best_order(predictions[half], labels[half], k)[predictions[other]] == labels[other]
    better, worse = int((fits & ~does).sum()), int((does & ~fits).sum())
    clear = better - worse >= GAIN * max(len(labels), 1) and mcnemar(better, worse) <= P
    return _best_order(predictions, labels, k) if clear and fits.mean() >= FITS else None


def _best_order(predictions: Classes, labels: Classes, k: int) -> Classes:
    """The label for each predicted class by which most are right; ties go to the order as it is."""
    counts = np.bincount(predictions * k + labels, minlength=k * k).reshape(k, k)
    order: Classes = linear_sum_assignment(counts + 0.5 * np.eye(k) / k, maximize=True)[1].astype(np.int64)
    return order


def _in_another_order(case: Case, side: Side, order: Classes, both: bool) -> Finding:
    known = side.classes_found != NO_CLASS
    found = float((order[side.classes_found[known]] == case.labels.numpy()[known]).mean())
    seen = np.unique(side.classes_found[known])
    moved = [int(which) for which in seen if order[which] != which]
    names = case.class_names
    pairs = [f"its {which} is {names[order[which]]!r} ({order[which]})" for which in moved[:NAMED]]
    more = f", and {len(moved) - NAMED} more" if len(moved) > NAMED else ""
    if both:
        meaning, remedy = (
            "both models say so: the labels count classes otherwise",
            "bring the labels into order",
        )
    else:
        meaning, remedy = (
            "this model counts classes otherwise",
            "index its logits with the order of the labels",
        )
    return error(
        "class-order",
        f"{side.name}: {100 * found:.1f} % are right in another order of classes, "
        f"{100 * side.accuracy.value:.1f} % as it is: {', '.join(pairs)}{more}",
        meaning,
        remedy,
    )

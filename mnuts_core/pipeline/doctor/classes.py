"""Whether both models and the labels mean the same classes by the same numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from mnuts_core.bundles.logit_warnings import warnings_of_labels
from mnuts_core.functional.paired import mcnemar
from mnuts_core.models.predict import NO_CLASS
from mnuts_core.pipeline.doctor.case import Case, Side
from mnuts_core.pipeline.doctor.findings import Finding, error, ok

GAIN, P = 0.1, 1e-3
"""By so much must another order of classes raise accuracy, and so unlikely must that be by chance."""
AGREE = 0.5
"""Two models that agree so often see the same in the images."""
NAMED = 4

Classes = NDArray[np.int64]


def class_order(case: Case) -> Iterator[Finding]:
    """Whether another order of classes makes predictions fit the labels; whether they fit at all."""
    labels = case.labels.numpy()
    orders = {side.name: better_order(side.classes_found, labels, side.classes) for side in case.answering}
    agreement = _agreement(case)
    for side in case.answering:
        if side.constant:
            continue
        order = orders[side.name]
        off = list(warnings_of_labels(side.word, side.logits.float().cpu().numpy(), labels))
        if off and off[0].code == "labels-off-by-one":
            yield error(off[0].code, off[0].message, remedy="subtract 1, or leave the extra class out")
        elif order is not None:
            yield _in_another_order(case, side, order, all(found is not None for found in orders.values()))
        elif off:
            yield error(off[0].code, off[0].message, *_why(agreement))
        else:
            yield ok("class-order", f"{side.name}: no other order fits the labels better{agreement[1]}")


def _agreement(case: Case) -> tuple[float, str]:
    """How often both models predict the same class."""
    if case.both is None:
        return 0.0, ""
    std, rob = case.both
    share = float((std.classes_found == rob.classes_found).mean())
    return share, f"; both models agree on {100 * share:.1f} %"


def _why(agreement: tuple[float, str]) -> tuple[str, str]:
    """What chance accuracy means: where both agree, they see the same, and the labels are to blame."""
    if agreement[0] >= AGREE:
        words = f"both models agree on {100 * agreement[0]:.1f} %, so labels and images are not in one order"
        return words, "look at how labels are joined with images"
    return "this model's weights may not have been loaded, or it wants other images", (
        "compare its known accuracy, and look at how its checkpoint is loaded"
    )


def better_order(predictions: Classes, labels: Classes, k: int) -> Classes | None:
    """The order of classes in which predictions fit the labels clearly better; None if there is none.

    It is chosen on every second image, by the assignment that most predictions fit, and judged on the others,
    so that chance cannot make one up.

    Args:
        predictions: Predicted classes, `NO_CLASS` where there is none, shape (n,).
        labels: True classes, shape (n,).
        k: K.

    Returns:
        For each predicted class the label that it stands for, shape (K,).
    """
    known = predictions != NO_CLASS
    predictions, labels = predictions[known], labels[known]
    counts = np.bincount(predictions[::2] * k + labels[::2], minlength=k * k).reshape(k, k)
    # Ties go to the order as it is.
    order: Classes = linear_sum_assignment(counts + 0.5 * np.eye(k) / k, maximize=True)[1].astype(np.int64)
    there, now = predictions[1::2], labels[1::2]
    fits, does = order[there] == now, there == now
    better, worse = int((fits & ~does).sum()), int((does & ~fits).sum())
    clear = better - worse >= GAIN * max(len(now), 1) and mcnemar(better, worse) <= P
    return order if clear else None


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

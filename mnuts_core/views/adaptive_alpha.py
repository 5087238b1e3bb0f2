"""A method that chooses α by the image, such as adaptive smoothing, from its weights in a bundle.

It is (1-α(x))σ(g(x)) + α(x)σ(h(x)), without a transform and with T = 1, as Bai et al. (2024a) mix. Clean
accuracy is exact. Under attack the points of the bundle are known, and α there; but they were found against
other classifiers, and neither against this method nor its mixing network: what is right at all of them is
an upper bound, and an optimistic one. At a point of which α is not known the method may be right as long as
there is an α in [0, 1] with which it would be: that, too, keeps the figure an upper bound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mnuts_core.bundles.attacked import at_any_point
from mnuts_core.functional.quantiles import TIE
from mnuts_core.functional.statistics import share_of
from mnuts_core.views.headline import Row

if TYPE_CHECKING:
    from typing import Any

    from mnuts_core.bundles.bundle import LogitBundle

LABEL = "α by the image"
CAUTION = (
    "α by the image (such as adaptive smoothing): (1-α(x))σ(g) + α(x)σ(h). No attack on it is among the "
    "points: its attacked figure is an optimistic upper bound, and no verified figure compares with it."
)


def adaptive_row(bundle: LogitBundle) -> Row | None:
    """The method's figures, as a row of the headline; None of a bundle without its weights.

    Args:
        bundle: With `clean_alpha`; the figure under attack needs the attacked part's `alpha`, too.
    """
    if bundle.clean_alpha is None:
        return None
    labels, part, attacked = bundle.clean_labels, bundle.attacked, None
    right = _right(bundle.clean_std_logits, bundle.clean_rob_logits, bundle.clean_alpha, labels)
    if part is not None and part.alpha is not None:
        known = ~np.isnan(part.alpha)
        held = _right(part.std_logits, part.rob_logits, np.nan_to_num(part.alpha), part.labels)
        if not known.all():
            further = part.std_logits[~known], part.rob_logits[~known], part.labels[~known]
            held[~known] = may_be_right(*further)
        broken = at_any_point(~held, part.of, part.n_images)
        attacked = share_of(right[part.index[: part.n_images]] & ~broken, "attacked")
    return Row("adaptive", LABEL, share_of(right, "clean"), attacked=attacked)


def adaptive_points(bundle: LogitBundle) -> tuple[Row, ...]:
    """The method's row if it has a place on the trade-off plane, that is, a figure under attack.

    Args:
        bundle: As `adaptive_row` takes it.
    """
    row = adaptive_row(bundle)
    return () if row is None or row.attacked is None else (row,)


def _right(
    std: NDArray[Any], rob: NDArray[Any], alpha: NDArray[np.float64], labels: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Where the method predicts the label, shape (R,); ties go to g, as everywhere."""
    import torch

    from mnuts_core.functional.mixing import predictions

    g, h, weight = torch.from_numpy(std).double(), torch.from_numpy(rob).double(), torch.from_numpy(alpha)
    weight = weight.unsqueeze(1)
    answers = predictions(g.softmax(dim=1), h.softmax(dim=1), (1.0 - weight, weight), g.argmax(dim=1))
    found: NDArray[np.bool_] = (answers == torch.from_numpy(labels)).numpy()
    return found


def may_be_right(std: NDArray[Any], rob: NDArray[Any], labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where some α in [0, 1] lets the label lead, or tie, in (1-α)σ(g) + ασ(h).

    The label leads class i where (1-α)(g_y - g_i) + α(h_y - h_i) ≥ 0, which is linear in α: each class leaves
    it an interval, and all of them have to meet.

    Args:
        std: g, shape (R, K).
        rob: h, shape (R, K).
        labels: True classes, shape (R,).

    Returns:
        Shape (R,).
    """
    ahead = [
        np.take_along_axis(probabilities, labels[:, None], axis=1) - probabilities
        for probabilities in (_softmax(std), _softmax(rob))
    ]
    start, slope = ahead[0] + TIE, ahead[1] - ahead[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        zero = -start / slope
    least = np.where(slope > 0, zero, np.where((slope == 0) & (start < 0), np.inf, 0.0)).max(axis=1)
    most = np.where(slope < 0, zero, 1.0).min(axis=1)
    found: NDArray[np.bool_] = np.maximum(least, 0.0) <= np.minimum(most, 1.0)
    return found


def _softmax(logits: NDArray[Any]) -> NDArray[np.float64]:
    exact = logits.astype(np.float64)
    odds = np.exp(exact - exact.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = odds / odds.sum(axis=1, keepdims=True)
    return shares

"""The losses that APGD climbs, one value per example: cross-entropy and targeted DLR.

DLR, the difference of logits ratio (Croce & Hein, 2020, section 4), does not change when the logits are
shifted or scaled, so that no classifier can hide its gradient behind large logits. All losses take logits
(not probabilities) of shape (N, K) and are larger where the attack is closer to its goal.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

_TINY = 1e-12
"""Added to a denominator, so that equal logits give 0 and not NaN."""


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """`-log σ(h)_y`, shape (N,).

    Args:
        logits: Shape (N, K).
        labels: True classes y, int64, shape (N,).
    """
    return F.cross_entropy(logits, labels, reduction="none")


def targeted_dlr(logits: Tensor, labels: Tensor, targets: Tensor) -> Tensor:
    """`-(h_y - h_t) / (h_π1 - (h_π3 + h_π4) / 2)`, shape (N,); π sorts the logits downwards.

    With K = 3 there is no fourth logit: h_π3 stands alone. With K = 2 the denominator is left out.

    Args:
        logits: Shape (N, K), K ≥ 2.
        labels: True classes y, int64, shape (N,).
        targets: Classes t ≠ y to be driven at, int64, shape (N,).
    """
    lead = _at(logits, labels) - _at(logits, targets)
    classes = logits.shape[1]
    if classes < 3:
        return -lead
    top = logits.topk(min(classes, 4), dim=1).values
    low = top[:, 2] if classes == 3 else 0.5 * (top[:, 2] + top[:, 3])
    return -lead / (top[:, 0] - low + _TINY)


def _at(logits: Tensor, classes: Tensor) -> Tensor:
    return logits.gather(1, classes.unsqueeze(1)).squeeze(1)

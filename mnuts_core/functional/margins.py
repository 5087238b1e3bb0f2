"""Confidence margins (Definition 2.1): how far the first class leads the second, in probability."""

from __future__ import annotations

import torch
from torch import Tensor

from mnuts_core.errors import ParameterError
from mnuts_core.functional.transform import check_logits


def confidence_margin(logits: Tensor) -> Tensor:
    """The confidence margin `σ(h)_top1 - σ(h)_top2` of each example (Definition 2.1).

    Computed as `(1 - exp(-(h₁ - h₂))) / Σᵢ exp(hᵢ - h₁)`: nothing cancels, so small margins keep their
    relative precision.

    Args:
        logits: Logits (not probabilities) of shape (..., K). Integer and half types are promoted.

    Returns:
        Margins in [0, 1], shape (...), float32 or float64 as the logits.

    Raises:
        ParameterError: If the logits are not a tensor of shape (..., K) with K ≥ 2.

    Example:
        >>> confidence_margin(torch.log(torch.tensor([[0.7, 0.2, 0.1]], dtype=torch.float64)))
        tensor([0.5000], dtype=torch.float64)
    """
    h = _promote(check_logits(logits))
    top = h.topk(2, dim=-1).values
    lead = -torch.expm1(top[..., 1] - top[..., 0])
    return lead / (h - top[..., :1]).exp().sum(dim=-1)


def signed_margin(logits: Tensor, labels: Tensor) -> Tensor:
    """The signed margin `σ(h)_y - max_{i≠y} σ(h)_i`: negative where the prediction is wrong.

    This is what minimum-margin attacks minimise (Definition 2.2, B.1).

    Args:
        logits: Logits (not probabilities) of shape (N, K).
        labels: True classes, integer, shape (N,), in [0, K).

    Returns:
        Margins in [-1, 1], shape (N,), float32 or float64 as the logits.

    Raises:
        ParameterError: If shapes do not match or a label lies outside [0, K).

    Example:
        >>> h = torch.log(torch.tensor([[0.7, 0.2, 0.1]] * 2, dtype=torch.float64))
        >>> signed_margin(h, torch.tensor([0, 1]))
        tensor([ 0.5000, -0.5000], dtype=torch.float64)
    """
    h = _promote(check_logits(logits))
    labels = check_labels(labels, h)
    own = h.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    rival = h.scatter(-1, labels.unsqueeze(-1), -torch.inf).amax(dim=-1)
    first = torch.maximum(own, rival)
    gap = own - rival
    lead = torch.sign(gap) * -torch.expm1(-gap.abs())
    return lead / (h - first.unsqueeze(-1)).exp().sum(dim=-1)


def check_labels(labels: object, logits: Tensor) -> Tensor:
    """The labels as int64 on the logits' device, if there is one in [0, K) for each row.

    Raises:
        ParameterError: If not.
    """
    if not isinstance(labels, Tensor) or labels.is_floating_point() or labels.is_complex():
        kind = labels.dtype if isinstance(labels, Tensor) else type(labels).__name__
        raise ParameterError(f"labels must be an integer torch.Tensor of shape (N,), got {kind}")
    if labels.shape != logits.shape[:-1]:
        raise ParameterError(
            f"labels must have shape {tuple(logits.shape[:-1])}, one for each row of logits, "
            f"got {tuple(labels.shape)}"
        )
    if labels.numel() and (labels.min() < 0 or labels.max() >= logits.shape[-1]):
        raise ParameterError(
            f"labels must lie in [0, {logits.shape[-1]}), got {int(labels.min())} to {int(labels.max())}"
        )
    return labels.to(logits.device, torch.int64)


def _promote(logits: Tensor) -> Tensor:
    return logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits

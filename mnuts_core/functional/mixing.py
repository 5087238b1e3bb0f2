"""Mixing two classifiers' probabilities (Eq. 1 and 5), and the mix as a drop-in `torch.nn.Module`."""

from __future__ import annotations

import torch
from torch import Tensor

from mnuts_core.devices import at_home
from mnuts_core.errors import ParameterError
from mnuts_core.functional.quantiles import TIE
from mnuts_core.functional.transform import check_logits, transform_logits
from mnuts_core.params import PARAMS, MixParams


def temperature_scale(logits: Tensor, temperature: float) -> Tensor:
    """Temperature scaling `g / T` (section 3.1); T = 0 is the one-hot of the arg max.

    Args:
        logits: Logits of shape (..., K).
        temperature: T ≥ 0. For T = 0 the result is 0 at the arg max and -inf elsewhere, so that its
            softmax is exactly one-hot; it carries no gradient.

    Returns:
        Logits of the same shape and dtype.

    Raises:
        ParameterError: If T is negative or not finite, or the logits are not (..., K).

    Example:
        >>> temperature_scale(torch.tensor([[1.0, 3.0]]), 0.0).softmax(-1)
        tensor([[0., 1.]])
    """
    logits = check_logits(logits)
    temperature = PARAMS["temperature"].check(temperature)
    if temperature > 0:
        return logits / temperature
    hard = torch.full_like(logits, -torch.inf)
    return hard.scatter(-1, logits.argmax(dim=-1, keepdim=True), 0.0)


def mix_probabilities(std_probabilities: Tensor, rob_probabilities: Tensor, alpha: float) -> Tensor:
    """The convex combination `(1-α)·p_std + α·p_rob` inside the logarithm of Eq. 1.

    Args:
        std_probabilities: Probabilities (not logits) of the standard model, shape (..., K).
        rob_probabilities: Probabilities of the (transformed) robust model, the same shape.
        alpha: Weight of the robust model in [1/2, 1].

    Returns:
        Probabilities of the mix, shape (..., K), in the wider of the two dtypes.

    Raises:
        ParameterError: If the shapes differ or α lies outside [1/2, 1].

    Example:
        >>> mix_probabilities(torch.tensor([1.0, 0.0]), torch.tensor([0.25, 0.75]), 0.5)
        tensor([0.6250, 0.3750])
    """
    alpha = PARAMS["alpha"].check(alpha)
    if std_probabilities.shape != rob_probabilities.shape:
        raise ParameterError(
            "std_probabilities and rob_probabilities must have the same shape, got "
            f"{tuple(std_probabilities.shape)} and {tuple(rob_probabilities.shape)}"
        )
    return (1.0 - alpha) * std_probabilities + alpha * rob_probabilities


def mixed_logits(std_logits: Tensor, rob_logits: Tensor, params: MixParams) -> Tensor:
    """The mixed classifier's logits `log((1-α)·σ(g/T) + α·σ(M(h)))` (Eq. 5), in float64.

    Ties for the largest go to the standard model's class, by one bit (see `lifted_to_std`). A row of either
    model that is not finite gives NaN throughout: at T = 0, and through the clamp, it would look like a sound
    answer.

    Args:
        std_logits: Raw logits g(x), shape (..., K).
        rob_logits: Raw logits h(x), shape (..., K).
        params: Transform, temperature and α (which must be set).

    Returns:
        Log-probabilities of shape (..., K), float64; they serve as logits, since σ(log p) = p. They are on
        the CPU where the logits' device has no float64.

    Raises:
        ParameterError: If α is None, or the shapes differ.
    """
    std_logits, rob_logits = at_home(std_logits), at_home(rob_logits)
    std = temperature_scale(std_logits.double(), params.temperature).softmax(dim=-1)
    rob = transform_with(rob_logits, params).softmax(dim=-1)
    alpha = required_alpha(params)
    mixed = mix_probabilities(std, rob, alpha).clamp_min(_TINY)
    std_class = std_logits.argmax(dim=-1, keepdim=True)
    logits = lifted_to_std(mixed.log(), std, rob, (1.0 - alpha, alpha), std_class)
    return logits.where((sound(std_logits) & sound(rob_logits)).unsqueeze(-1), torch.nan)


def transform_with(rob_logits: Tensor, params: MixParams) -> Tensor:
    """`transform_logits` with the fields of a `MixParams`."""
    return transform_logits(
        rob_logits, s=params.s, p=params.p, c=params.c, clamp=params.clamp, ln_k=params.ln_k
    )


def required_alpha(params: MixParams) -> float:
    """α, if it is set.

    Raises:
        ParameterError: If α is None, that is, still to be found from β on a bundle.
    """
    if params.alpha is None:
        raise ParameterError(
            "alpha must be a number in [0.5, 1] here, got None: take it from a search or a remix "
            "(their result carries α), or set it with params.with_(alpha=...)"
        )
    return params.alpha


_TINY = torch.finfo(torch.float64).tiny
"""Stands in for a probability of exactly 0: its logarithm, -708, keeps attack losses finite."""


def sound(logits: Tensor) -> Tensor:
    """Which rows are finite throughout, bool, shape (N,).

    Args:
        logits: Shape (N, K).
    """
    return logits.isfinite().all(dim=-1)


def fools_both(std_logits: Tensor, rob_logits: Tensor, labels: Tensor) -> Tensor:
    """Where both models are wrong, bool, shape (N,): no mix that keeps h's class is right there at T = 0.

    Each model's ties go to the first class, as everywhere. Where h ties and its first class is the true one,
    a mix can be right, so such a point does not fool both.

    Args:
        std_logits: g, shape (N, K).
        rob_logits: h, shape (N, K).
        labels: True classes, shape (N,).
    """
    return (std_logits.argmax(dim=1) != labels) & (rob_logits.argmax(dim=1) != labels)


ROUNDING = 1e-14
"""Leads this small are computed with care: the difference of two sums near 1 is off by some 1e-16."""


def predictions(
    std: Tensor, rob: Tensor, weights: tuple[float | Tensor, float | Tensor], std_class: Tensor
) -> Tensor:
    """The classes that a mix `u·σ(g/T) + v·σ(M(h))` predicts, int64, shape (R,).

    Args:
        std: `σ(g/T)`, float64, shape (R, K).
        rob: `σ(M(h))`, the same shape.
        weights: u and v, each a number or of shape (R, 1): (1-α, α), or the same over α.
        std_class: Class that g predicts, int64, shape (R,).
    """
    u, v = (torch.as_tensor(w, dtype=std.dtype, device=std.device).expand(len(std), 1) for w in weights)
    own = std_class.unsqueeze(1)
    mixed = (u * std).addcmul_(rob, v)
    top, first = mixed.max(dim=1, keepdim=True)
    lead = top - mixed.gather(1, own)
    rows = ((first != own) & (lead < ROUNDING)).squeeze(1).nonzero().squeeze(1)
    lead[rows] = lead_over_std(std[rows], rob[rows], (u[rows], v[rows]), first[rows], own[rows])
    return torch.where(lead <= TIE, own, first).squeeze(1)


def lead_over_std(
    std: Tensor,
    rob: Tensor,
    weights: tuple[float | Tensor, float | Tensor],
    other: Tensor,
    std_class: Tensor,
) -> Tensor:
    """How far a class is ahead of ŷ_std in a mix, `v(b_i - b_ŷ) - u(a_ŷ - a_i)`, shape (..., 1).

    Where both models are next to certain, each of its own class, the two differences are near 1, and what is
    between them would be rounding. There it follows from what they leave to other classes: with
    `1 - (a_ŷ - a_i) = Σ_{j≠ŷ} a_j + a_i` and `1 - (b_i - b_ŷ) = Σ_{j≠i} b_j + b_ŷ`, which are sums of small
    numbers, it is `(v-u)(a_ŷ - a_i) + v(Σ_{j≠ŷ} a_j + a_i - Σ_{j≠i} b_j - b_ŷ)`.

    Args:
        std: a = `σ(g/T)`, float64, shape (..., K).
        rob: b = `σ(M(h))`, the same shape.
        weights: u and v, see `predictions`.
        other: Class i, int64, shape (..., 1), not ŷ_std.
        std_class: Class ŷ_std, likewise.
    """
    u, v = weights
    a_own, a_other = std.gather(-1, std_class), std.gather(-1, other)
    b_own, b_other = rob.gather(-1, std_class), rob.gather(-1, other)
    behind = std.scatter(-1, std_class, 0.0).sum(dim=-1, keepdim=True) + a_other
    short = rob.scatter(-1, other, 0.0).sum(dim=-1, keepdim=True) + b_own
    certain = (a_own > 0.5) & (b_other > 0.5)
    plain = v * (b_other - b_own) - u * (a_own - a_other)
    return torch.where(certain, (v - u) * (a_own - a_other) + v * (behind - short), plain)


def lifted_to_std(
    logits: Tensor, std: Tensor, rob: Tensor, weights: tuple[float, float], std_class: Tensor
) -> Tensor:
    """A mix's logits, ŷ_std one bit above the others where it ties with them: its arg max obeys the rule.

    The bit is added after the logarithm, which would round it away.

    Args:
        logits: The logarithm of the mix's probabilities, shape (..., K).
        std: `σ(g/T)`, the same shape.
        rob: `σ(M(h))`, likewise.
        weights: 1-α and α.
        std_class: Class that g predicts, int64, shape (..., 1).
    """
    top, first = logits.max(dim=-1, keepdim=True)
    tied = lead_over_std(std.detach(), rob.detach(), weights, first, std_class) <= TIE
    above = torch.nextafter(top.detach(), torch.full_like(top, torch.inf))
    lift = torch.where(tied & (first != std_class), above - logits.detach().gather(-1, std_class), 0.0)
    return logits.scatter_add(-1, std_class, lift.to(logits.dtype))

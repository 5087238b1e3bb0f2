"""The nonlinear logit transform of MixedNUTS: layer norm, clamp, power, scale (Eq. 4).

Functions first; everything that transforms logits in this project calls these.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mnuts_core.clamps import Clamp, clamp_logits
from mnuts_core.devices import at_home
from mnuts_core.errors import ParameterError
from mnuts_core.params import LARGEST_LOGIT, LN_K_DEFAULT, PARAMS, VARIANCE_FLOOR, check_ln_k


def check_logits(logits: object, name: str = "logits") -> Tensor:
    """The logits as a floating tensor with classes in the last dimension.

    Args:
        logits: Tensor of shape (..., K), K ≥ 2, real dtype.
        name: How the argument is called in the message.

    Raises:
        ParameterError: If it is no tensor, has fewer than two classes, or is complex.
    """
    if not isinstance(logits, Tensor):
        raise ParameterError(
            f"{name} must be a torch.Tensor of shape (..., K), got {type(logits).__name__}: "
            "wrap arrays with torch.as_tensor"
        )
    if logits.ndim < 1 or logits.shape[-1] < 2:
        raise ParameterError(
            f"{name} must hold at least 2 classes in the last dimension, got shape {tuple(logits.shape)}"
        )
    if logits.is_complex() or logits.dtype == torch.bool:
        raise ParameterError(f"{name} must be real numbers, got dtype {logits.dtype}")
    return logits if logits.is_floating_point() else logits.double()


def layer_norm(logits: Tensor, k: int = LN_K_DEFAULT) -> Tensor:
    """Standardise each example's logits: `(h - mean) / sqrt(var + 1e-8)` (section 4.2, D.7).

    Mean and variance are those of the k largest logits; the variance is the unbiased one.

    Args:
        logits: Logits of shape (..., K), any floating dtype.
        k: How many of the largest logits give the statistics (all, if k ≥ K). 0 returns the logits
            unchanged.

    Returns:
        Logits of the same shape and dtype. For k ≥ K: mean 0 and unbiased variance 1 per example.

    Raises:
        ParameterError: If k is 1 or negative, or the logits are not a tensor with K ≥ 2.

    Example:
        >>> layer_norm(torch.tensor([[0.0, 1.0, 2.0]], dtype=torch.float64))
        tensor([[-1.0000,  0.0000,  1.0000]], dtype=torch.float64)
    """
    logits = check_logits(logits)
    k = check_ln_k(k)
    logits = logits.clamp(-LARGEST_LOGIT, LARGEST_LOGIT)
    if k == 0:
        return logits
    top = logits if k >= logits.shape[-1] else logits.topk(k, dim=-1).values
    mean = top.mean(dim=-1, keepdim=True)
    variance = top.var(dim=-1, keepdim=True, correction=1)
    return (logits - mean) / (variance + VARIANCE_FLOOR).sqrt()


def signed_power(v: Tensor, p: float | Tensor) -> Tensor:
    """`|v|^p · sgn(v)` (Eq. 4); the sign is kept, so non-integer p is fine for negative v."""
    return v.abs().pow(p) * v.sign()


def transform_logits(
    logits: Tensor,
    *,
    s: float,
    p: float,
    c: float,
    clamp: Clamp = "gelu",
    ln_k: int = LN_K_DEFAULT,
    dtype: torch.dtype = torch.float64,
) -> Tensor:
    """The transform M(s, p, c) of Eq. 4: `s · |v|^p · sgn(v)` with `v = clamp(LN(h) + c)`.

    Differentiable in the logits wherever clamp and power are.

    Args:
        logits: Raw logits h(x), shape (..., K), any floating dtype, on any device.
        s: Scale, in (0, 1e6].
        p: Exponent, in (0, 100].
        c: Bias that moves the clamp's cutoff, in [-100, 100].
        clamp: Clamping function.
        ln_k: Layer norm over the ln_k largest logits; 0 skips it.
        dtype: What to compute in and return. The default is float64, as in the authors' code: in
            float32, powers of small values underflow and margins near 1, which decide α, saturate.

    Returns:
        Transformed logits (not probabilities), shape (..., K), of the given dtype, on the logits' device, or
        on the CPU if that has no float64.

    Raises:
        ParameterError: If a parameter lies outside its interval or the logits are not (..., K).

    Example:
        >>> h = torch.tensor([[3.0, 0.0, 0.0]])
        >>> transform_logits(h, s=2, p=2, c=0, clamp="relu")
        tensor([[2.6667, 0.0000, 0.0000]], dtype=torch.float64)
    """
    s, p, c = PARAMS["s"].check(s), PARAMS["p"].check(p), PARAMS["c"].check(c)
    normed = layer_norm(at_home(check_logits(logits)).to(dtype), ln_k)
    return s * signed_power(clamp_logits(normed + c, clamp), p)

"""Trajectories on the probability simplex (Fig. 4): how confidence moves as a temperature varies."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from mnuts_core.errors import ParameterError
from mnuts_core.functional.mixing import transform_with
from mnuts_core.params import MixParams

Array = NDArray[np.float64]

CORNERS: Array = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(0.75)]])
"""Where the three classes sit in the plane: an equilateral triangle of side 1."""

PAPER_CASES: dict[str, tuple[float, float, float]] = {
    "Case 1: large margin": (1.0, -1.1, -1.0),
    "Case 2: small margin": (-1.0, 1.1, 1.0),
}
"""The two logit vectors of Fig. 3 and 4."""


class Trajectory(NamedTuple):
    """A path of probabilities as τ varies; arrays of shape (n, 3), (n, 2) and (n,)."""

    tau: Array
    probabilities: Array
    xy: Array


def barycentric(probabilities: ArrayLike) -> Array:
    """Points of the triangle for probabilities of three classes.

    Args:
        probabilities: Shape (..., 3), rows summing to 1.

    Returns:
        Coordinates of shape (..., 2).

    Example:
        >>> barycentric([1.0, 0.0, 0.0])
        array([0., 0.])
    """
    p = np.asarray(probabilities, np.float64)
    if p.shape[-1] != 3:
        raise ParameterError(f"the simplex needs probabilities of three classes, got shape {p.shape}")
    return np.asarray(p @ CORNERS)


def tau_grid(n: int = 121, low: float = 1e-3, high: float = 1e2) -> Array:
    """N temperatures from high to low, even in their logarithm."""
    return np.logspace(np.log10(high), np.log10(low), n)


def trajectory(
    logits: ArrayLike, params: MixParams | None = None, taus: ArrayLike | None = None
) -> Trajectory:
    """The path of `σ(h/τ)`, or of `σ(M(h)/τ)` with parameters, over the temperatures τ.

    Args:
        logits: Raw logits of one example, shape (3,), or (K,) whose top three classes are shown.
        params: The transform; None leaves the logits raw.
        taus: Temperatures > 0; `tau_grid()` if None.

    Returns:
        The path. Of K > 3 classes the three with the largest raw logits are shown, their probabilities
        renormalised to sum to 1 (the transform sees all K).

    Raises:
        ParameterError: If the logits are not one finite vector of at least three, or a τ is not > 0.
    """
    h = torch.as_tensor(np.asarray(logits, np.float64))
    if h.ndim != 1 or len(h) < 3 or not torch.isfinite(h).all():
        raise ParameterError(f"logits must be one finite vector of at least 3, got shape {tuple(h.shape)}")
    tau = tau_grid() if taus is None else np.atleast_1d(np.asarray(taus, np.float64))
    if not (np.isfinite(tau).all() and (tau > 0).all()):
        raise ParameterError("taus must be finite and > 0")
    shown = torch.arange(3) if len(h) == 3 else top_three(h)
    mapped = h if params is None else transform_with(h, params)
    # dividing before the softmax of the three shown: the rest cancels in the renormalisation
    probabilities = (mapped[shown] / torch.from_numpy(tau).unsqueeze(1)).softmax(dim=1).numpy()
    return Trajectory(tau, probabilities, barycentric(probabilities))


def top_three(logits: torch.Tensor) -> torch.Tensor:
    """The three classes with the largest logits, int64, the largest first, of equal ones the first.

    Args:
        logits: Shape (K,); of two classes there are only two.
    """
    return logits.sort(descending=True, stable=True).indices[:3]

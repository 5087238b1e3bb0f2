"""What a hard mix (T = 0) takes to err towards a class, as one loss: both of its models have to agree to it.

At T = 0 the mix says class k as soon as g says k and h's transformed probabilities of the true class y and
of k differ by at most (1-α)/α (Eq. 1). These are two conditions, each with a value that is positive where it
holds:

    A = g_k - max_{j≠k} g_j,        B = M(h)_k - M(h)_y + 2 artanh((1-α)/α),

where B > 0 suffices, and is exact where y and k have all the probability. The loss is their smooth minimum,
each measured by its size at the clean image: an attack that climbs it works on whichever condition is farther
behind. The auxiliary classifier's loss (Eq. 8) sums over both models instead, and may climb by one alone. At
T > 0 the conditions are no longer exact, but point the same way.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mnuts_core.functional.mixing import required_alpha, transform_with
from mnuts_core.params import MixParams

SHARPNESS = 4.0
"""Of the smooth minimum -1/τ · log Σ exp(-τ ·)."""
_LARGEST = 0.999
"""(1-α)/α is 1 at α = 1/2, where g decides alone: B is then bounded from below, not infinite."""
_LEAST = 1e-3
"""A condition that is nearly met at the clean image is measured by this."""


class JointLoss:
    """The loss of one mix at images that are driven at one class each.

    Args:
        params: The mix.
        clean: Both models' logits at the clean images, (g, h), each of shape (N, K).
        labels: True classes y, int64, shape (N,).
        targets: Classes k ≠ y to be driven at, int64, shape (N,).
    """

    def __init__(
        self, params: MixParams, clean: tuple[Tensor, Tensor], labels: Tensor, targets: Tensor
    ) -> None:
        alpha = required_alpha(params)
        self._params, self._shift = params, 2.0 * math.atanh(min((1.0 - alpha) / alpha, _LARGEST))
        self._labels, self._targets = labels.unsqueeze(1), targets.unsqueeze(1)
        everyone = torch.arange(len(labels), device=labels.device)
        self._sizes = self.conditions(*clean, everyone).abs().clamp_min(_LEAST)

    def conditions(self, std: Tensor, rob: Tensor, rows: Tensor) -> Tensor:
        """A and B, shape (2, R): the mix errs towards the target where both are positive.

        Args:
            std: g's logits at points, shape (R, K).
            rob: h's logits there, likewise.
            rows: Which images these are, shape (R,).
        """
        labels, targets = self._labels[rows], self._targets[rows]
        ahead = std.gather(1, targets).squeeze(1) - std.scatter(1, targets, -torch.inf).amax(dim=1)
        transformed = transform_with(rob, self._params)
        lead = (transformed.gather(1, targets) - transformed.gather(1, labels)).squeeze(1)
        return torch.stack([ahead, (lead + self._shift).to(ahead)])

    def __call__(self, std: Tensor, rob: Tensor, rows: Tensor) -> Tensor:
        """The loss, shape (R,), larger where the attack is nearer its goal; arguments as `conditions`."""
        scaled = self.conditions(std, rob, rows) / self._sizes[:, rows]
        return -torch.logsumexp(-SHARPNESS * scaled, dim=0) / SHARPNESS

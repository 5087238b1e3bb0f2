"""Whose points the library's attacks ask about."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mnuts_core.attacks.norms import Ball

BALL_TOLERANCE = 1e-6
"""By so much may a point of the library's lie outside the ball: x + δ rounds."""


class Owners:
    """Finds each point's image by where it lies: the library does not name it, and may skip some images.

    Args:
        images: Clean images, shape (R, C, H, W).
        ball: What may be done to them.
    """

    def __init__(self, images: Tensor, ball: Ball) -> None:
        self.images, self.ball, self.flat = images, ball, images.flatten(1)

    def of(self, points: Tensor) -> Sequence[tuple[Tensor, Tensor]]:
        """Points in the ball of their nearest image.

        Args:
            points: Shape (P, C, H, W).

        Returns:
            Pairs of points' and images' numbers; no image is twice in one pair.
        """
        nearest = torch.cdist(points.flatten(1), self.flat).argmin(dim=1)
        inside = self.ball.distance(points, self.images[nearest]) <= self.ball.eps + BALL_TOLERANCE
        inside &= ((points >= 0) & (points <= 1)).flatten(1).all(dim=1)
        left, pairs = inside.nonzero().squeeze(1), []
        while len(left):
            order = nearest[left].argsort(stable=True)
            owner = nearest[left][order]
            first = torch.ones_like(owner, dtype=torch.bool)
            first[1:] = owner[1:] != owner[:-1]
            pairs.append((left[order[first]], owner[first]))
            left = left[order[~first]]
        return pairs

"""Which attacks cannot win any more: what a frugal plan leaves out, and by what evidence.

A full plan runs every component at full length on every image that still stands, and most of that is spent
on images that never fall. A frugal plan does the same until there is evidence:

- **Targets** come in the order of promise, as in MALT (Melamed et al., 2024, arXiv 2407.02240): by the
  difference to the target's logit over the dual norm of its gradient, which for an almost linear classifier
  is the distance at which the target wins. APGD drives at the first `SURE_TARGETS` of them.
- **Distance.** FAB measures how far the nearest misclassified point is. A target whose nearest one is beyond
  `FAR` radii after a fifth of the steps is left. An image whose nearest one over all targets is beyond `NEAR`
  radii in the end is *hopeless*, and most of Square's queries are left out for it.
- **The evidence is checked.** All images get the first tenth of Square's queries, which follow no gradients.
  If more than `MISLED` of the hopeless ones fall there, distances mislead, and all of the batch go on. An
  image for which FAB found no misclassified point at any distance is never hopeless: nothing is known of it.

The numbers are from the digits pair, three mixes on 1,000 images at full length: the first five targets by
promise found 43, 43 and 27 of the 43, 44 and 28 images that all nine found.
What a frugal plan gives away was measured on the first 500: 0.2, 0.0 and 0.8 points (325, 317 and 342 images
right where a full plan left 324, 317 and 338), for about 0.3 of the passes. So it is no stand-in for a full
plan where a point matters.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mnuts_core.attacks.norms import Ball
from mnuts_core.models.inputs import Model

SURE_TARGETS = 5
"""Targets that APGD drives at, the most promising ones."""
PATIENCE = 0.2
"""After this share of FAB's steps, a target that is too far is left."""
FAR = 2.0
"""So many radii is too far for a target then: from 1.84, FAB still came into the ball with more steps."""
NEAR = 1.25
"""Beyond so many radii in the end, an image is hopeless: the farthest that Square broke was at 1.09."""
WITNESSED = 0.1
"""Share of Square's queries that hopeless images get all the same."""
MISLED = 0.02
"""If more of the hopeless images fall by then, none of them leaves."""


def hopeless(nearest: Tensor) -> Tensor:
    """Which images are hopeless, bool, shape (N,).

    Args:
        nearest: How far FAB's nearest misclassified point is, in radii; infinite where it found none.
    """
    return (nearest > NEAR) & nearest.isfinite()


def by_promise(model: Model, images: Tensor, labels: Tensor, ball: Ball, n_targets: int) -> Tensor:
    """The likeliest other classes, the nearest first as far as the classifier is linear, (N, n_targets).

    Args:
        model: Images → logits, through which gradients flow.
        images: Clean images, shape (N, C, H, W).
        labels: True classes, shape (N,).
        ball: Its dual norm measures gradients.
        n_targets: How many classes.
    """
    with torch.enable_grad():
        leaf = images.detach().clone().requires_grad_()
        logits = model(leaf)
        own = logits.gather(1, labels.unsqueeze(1))
        others = logits.detach().scatter(1, labels.unsqueeze(1), -torch.inf)
        likely = others.argsort(dim=1, descending=True)[:, :n_targets]
        ahead = own - logits.gather(1, likely)
        slopes = [
            _dual_norm(torch.autograd.grad(part.sum(), leaf, retain_graph=True)[0], ball) for part in ahead.T
        ]
    distance = ahead.detach() / torch.stack(slopes, dim=1).clamp_min(torch.finfo(images.dtype).tiny)
    return likely.gather(1, distance.nan_to_num(nan=torch.inf).argsort(dim=1, stable=True))


def _dual_norm(gradients: Tensor, ball: Ball) -> Tensor:
    """By how much a step of length 1 changes a linear function at most, shape (N,)."""
    return (gradients * ball.direction(gradients)).flatten(1).sum(dim=1)

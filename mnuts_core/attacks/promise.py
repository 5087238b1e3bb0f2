"""What a frugal plan runs: the likeliest winners, and little of what hardly ever wins.

A full plan runs every component at full length on every image that still stands, and most of that is spent
on images that never fall: Square's queries and FAB-T take two thirds of all passes. A frugal plan goes
without FAB-T, and puts in its place the loss that a hard mix calls for (`joint`):

- **Targets** come in the order of promise, as in MALT (Melamed et al., 2024, arXiv 2407.02240): by the
  difference to the target's logit over the dual norm of its gradient, which for an almost linear classifier
  is the distance at which the target wins. APGD drives at the first few: at `JOINT_TARGETS` by the joint
  loss, then at `SURE_TARGETS` by targeted DLR.
  Minimum-margin AutoAttack drives at these `SURE_TARGETS` by targeted DLR alone.
- **Square is a witness.** All images get the first tenth of its queries, which follow no gradients. If more
  than `MISLED` of those that the gradients had left fall there, gradients mislead, and the batch goes on.

Measured on the digits pair, 1,000 images at full length, batches of 1,000, seed 0, images right after a
frugal and a full plan: digits-beta985 658 and 660, beta95 640 and 642, plain-bound985 662 and 665,
plain-bound95 641 and 643, plain-clean985 635 and 637, plain-clean95 612 and 618. The frugal plan took 1,615
to 1,727 passes an image, forward and backward together, the full one 6,431 on digits-beta985. Fewer are
left because the joint loss broke images that nothing in the full plan breaks. On CIFAR-10, cifar10-beta985,
first 500 images, batches of 50: 214 and 215 right, 1,155 and 4,317 passes an image.

MMAA on the CIFAR-10 pair's robust network, first 200 images, 100 steps: after APGD-CE 91 are right, after
three promising targets 87, as after nine; the margins of these 87 are on average 6e-6 above those of the
full attack. By the order of logits alone the fourth target still lowered some.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from mnuts_core.attacks.norms import Ball
from mnuts_core.errors import ParameterError
from mnuts_core.models.inputs import Model

Effort = Literal["full", "frugal"]
EFFORTS: tuple[Effort, ...] = get_args(Effort)

JOINT_TARGETS = 5
"""Targets that APGD drives at by the joint loss, the most promising ones."""
SURE_TARGETS = 3
"""Targets that it drives at by DLR, likewise."""
WITNESSED = 0.1
"""Share of Square's queries that all images get."""
MISLED = 0.02
"""If more of them fall by then, none leaves."""


def check_effort(effort: str) -> None:
    """Refuse what is not an effort.

    Raises:
        ParameterError: If it is neither `full` nor `frugal`.
    """
    if effort not in EFFORTS:
        raise ParameterError(f"effort must be one of {', '.join(EFFORTS)}, got {effort!r}")


def driven_at(n_targets: int, effort: Effort) -> int:
    """How many of so many classes targeted DLR drives at.

    Args:
        n_targets: Classes that a full plan drives at.
        effort: How hard.
    """
    return min(n_targets, SURE_TARGETS) if effort == "frugal" else n_targets


def by_logits(logits: Tensor, labels: Tensor, n_targets: int) -> Tensor:
    """The likeliest other classes, the largest logit first, (N, n_targets).

    Args:
        logits: At the clean images, shape (N, K).
        labels: True classes, shape (N,).
        n_targets: How many classes.
    """
    others = logits.scatter(1, labels.unsqueeze(1), -torch.inf)
    return others.argsort(dim=1, descending=True)[:, :n_targets]


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
        likely = by_logits(logits.detach(), labels, n_targets)
        ahead = own - logits.gather(1, likely)
        slopes = [
            _dual_norm(torch.autograd.grad(part.sum(), leaf, retain_graph=True)[0], ball) for part in ahead.T
        ]
    distance = ahead.detach() / torch.stack(slopes, dim=1).clamp_min(torch.finfo(images.dtype).tiny)
    return likely.gather(1, distance.nan_to_num(nan=torch.inf).argsort(dim=1, stable=True))


def _dual_norm(gradients: Tensor, ball: Ball) -> Tensor:
    """By how much a step of length 1 changes a linear function at most, shape (N,)."""
    return (gradients * ball.direction(gradients)).flatten(1).sum(dim=1)

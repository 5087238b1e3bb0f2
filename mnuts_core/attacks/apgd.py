"""Auto-PGD (Croce & Hein, 2020, Algorithm 1): one driver for every loss and every norm.

Projected gradient ascent with momentum. It starts with steps of 2ε; at checkpoints that lie ever closer
together, an example whose loss no longer rises halves its step and goes back to its best point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from mnuts_core.attacks.norms import Ball

Model = Callable[[Tensor], Tensor]
"""Images (N, C, H, W) → logits (N, K)."""
Loss = Callable[[Tensor], Tensor]
"""Logits (N, K) → one value per example (N,), larger where the attack is closer to its goal."""
Watch = Callable[[Tensor, Tensor], None]
"""Called with points (N, C, H, W) and the attacked model's logits there, at the start and after each step."""

MOMENTUM = 0.75
"""Weight of the new step against the last one's change (the paper's α)."""
RHO = 0.75
"""An example halves its step if fewer steps than this share since the last checkpoint raised its loss."""
FIRST_PERIOD, LEAST_PERIOD, PERIOD_SHRINK = 0.22, 0.06, 0.03
"""First gap between checkpoints, the least, and how much shorter each is than the last: shares of n_iter."""


class Best(NamedTuple):
    """The point of largest loss that APGD found for each example: points (N, C, H, W), loss (N,)."""

    points: Tensor
    loss: Tensor


class _Evaluation(NamedTuple):
    loss: Tensor
    gradient: Tensor


def apgd(
    model: Model,
    loss: Loss,
    images: Tensor,
    start: Tensor,
    *,
    ball: Ball,
    n_iter: int,
    watch: Watch | None = None,
) -> Best:
    """Maximise a loss over the ball around each image.

    Everything that succeeds or fails is judged by `watch`, which sees every point: it may use the logits
    of the attacked model, or evaluate the points with another one.

    Args:
        model: Gives the gradients: images → logits.
        loss: Logits → loss per example; labels and targets are bound in it.
        images: Clean images in [0, 1], shape (N, C, H, W).
        start: Where each example starts, same shape, inside the ball.
        ball: Allowed perturbations.
        n_iter: How many steps.
        watch: Sees start and every iterate, detached.

    Returns:
        Per example the point with the largest loss, the start included.
    """
    checkpoints, project = set(checkpoint_steps(n_iter)), ball.projection(images)
    points = previous = start
    now = _evaluate(model, loss, points, watch)
    best = Best(points, now.loss)
    gradient = best_gradient = now.gradient
    step = column(torch.full_like(now.loss, 2.0 * ball.eps, dtype=images.dtype), images)
    # The reference implementation compares the first step's loss with 0, not with the start's.
    last_loss, rises = torch.zeros_like(now.loss), torch.zeros_like(now.loss)
    check = _Check(best.loss, torch.ones_like(best.loss, dtype=torch.bool), torch.zeros_like(rises))

    for i in range(1, n_iter + 1):
        weight = MOMENTUM if i > 1 else 1.0
        plain = project(ball.direction(gradient).mul_(step).add_(points))
        change = plain.sub_(points).mul_(weight).add_(points)
        points, previous = project(change.add_((points - previous).mul_(1.0 - weight))), points

        now = _evaluate(model, loss, points, watch)
        gradient = now.gradient
        better = column(now.loss > best.loss, images)
        best_gradient = torch.where(better, gradient, best_gradient)
        best = Best(torch.where(better, points, best.points), torch.maximum(now.loss, best.loss))
        rises, last_loss = rises + (now.loss > last_loss), now.loss

        if i in checkpoints:
            check = check.next(best.loss, rises, steps=i)
            halve = column(check.halved, images)
            step = torch.where(halve, step / 2.0, step)
            points = torch.where(halve, best.points, points)
            gradient = torch.where(halve, best_gradient, gradient)
    return best


def checkpoint_steps(n_iter: int) -> Iterator[int]:
    """The steps after which step sizes are reviewed (Croce & Hein, 2020, section 3.1).

    Args:
        n_iter: How many steps in all.

    Example:
        >>> list(checkpoint_steps(100))
        [22, 41, 57, 70, 80, 87, 93, 99]
    """
    period, least, shrink = (max(int(s * n_iter), 1) for s in (FIRST_PERIOD, LEAST_PERIOD, PERIOD_SHRINK))
    at = period
    while at <= n_iter:
        yield at
        period = max(period - shrink, least)
        at += period


class _Check(NamedTuple):
    """What a checkpoint remembers: best loss, who halved the step, and rises and steps until then."""

    best_loss: Tensor
    halved: Tensor
    rises: Tensor
    steps: int = 0

    def next(self, best_loss: Tensor, rises: Tensor, *, steps: int) -> _Check:
        """The next checkpoint: halve where the loss rose too rarely, or where nothing came of this step size.

        The second condition holds if the step was not halved at the last checkpoint and the best loss has
        not improved since.
        """
        too_rarely = rises - self.rises <= RHO * (steps - self.steps)
        stuck = ~self.halved & (self.best_loss >= best_loss)
        return _Check(best_loss, too_rarely | stuck, rises, steps)


def _evaluate(model: Model, loss: Loss, points: Tensor, watch: Watch | None) -> _Evaluation:
    with torch.enable_grad():
        leaf = points.detach().requires_grad_()
        logits = model(leaf)
        values = loss(logits)
        (gradient,) = torch.autograd.grad(values.sum(), leaf)
    if watch is not None:
        watch(points, logits.detach())
    return _Evaluation(values.detach(), gradient)


def column(values: Tensor, like: Tensor) -> Tensor:
    """Values of shape (N,) as (N, 1, ..., 1), to broadcast against `like`, images (N, C, H, W)."""
    return values.view(-1, *(1,) * (like.ndim - 1))

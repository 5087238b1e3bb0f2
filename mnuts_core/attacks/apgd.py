"""Auto-PGD (Croce & Hein, 2020, Algorithm 1): one driver for every loss and every norm.

Projected gradient ascent with momentum. It starts with steps of 2ε; at checkpoints that lie ever closer
together, an example whose loss no longer rises halves its step and goes back to its best point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import torch
from torch import Tensor

from mnuts_core.attacks.norms import Ball
from mnuts_core.errors import ParameterError
from mnuts_core.io.untrusted import brief
from mnuts_core.models.inputs import Model

Loss = Callable[[Tensor, Tensor], Tensor]
"""Logits (R, K) of the examples `rows` (R,) → one value each, larger where the attack is nearer its goal."""
Watch = Callable[[Tensor, Tensor, Tensor], Tensor | None]
"""Called at the start and after each step with points (R, C, H, W), the model's logits there, and which
examples these are, `rows` (R,). May return which of them to go on with, bool, shape (R,); None for all."""

MOMENTUM = 0.75
"""Weight of the new step against the last one's change (the paper's α)."""
RHO = 0.75
"""An example halves its step if fewer steps than this share since the last checkpoint raised its loss."""
LEAST_DROPPED = 0.25
"""Examples that are no longer wanted leave once they are this share of the batch; each time costs a copy."""
FIRST_PERIOD, LEAST_PERIOD, PERIOD_SHRINK = 0.22, 0.06, 0.03
"""First gap between checkpoints, the least, and how much shorter each is than the last: shares of n_iter."""


class Best(NamedTuple):
    """The point of largest loss that APGD found for each example: points (N, C, H, W), loss (N,)."""

    points: Tensor
    loss: Tensor


class _Evaluation(NamedTuple):
    loss: Tensor
    gradient: Tensor
    wanted: Tensor | None


@dataclass(frozen=True)
class _Climb:
    """Where each example stands that is still attacked; every tensor has a row for each of them."""

    rows: Tensor
    images: Tensor
    points: Tensor
    previous: Tensor
    gradient: Tensor
    best_points: Tensor
    best_loss: Tensor
    best_gradient: Tensor
    step: Tensor
    last_loss: Tensor
    rises: Tensor
    checked_loss: Tensor
    checked_rises: Tensor
    halved: Tensor

    @classmethod
    def start(cls, images: Tensor, points: Tensor, now: _Evaluation, first_step: float) -> _Climb:
        """Before the first step, with momentum and memory still empty."""
        nothing = torch.zeros_like(now.loss)  # the reference compares the first step's loss with 0, too
        return cls(
            rows=torch.arange(len(images), device=images.device),
            images=images,
            points=points,
            previous=points,
            gradient=now.gradient,
            best_points=points,
            best_loss=now.loss,
            best_gradient=now.gradient,
            step=column(torch.full_like(now.loss, first_step, dtype=images.dtype), images),
            last_loss=nothing,
            rises=nothing,
            checked_loss=now.loss,
            checked_rises=nothing,
            halved=torch.ones_like(now.loss, dtype=torch.bool),
        )

    def moved(self, points: Tensor, now: _Evaluation) -> _Climb:
        """After a step to these points."""
        better = column(now.loss > self.best_loss, points)
        return replace(
            self,
            points=points,
            previous=self.points,
            gradient=now.gradient,
            best_points=torch.where(better, points, self.best_points),
            best_loss=torch.maximum(now.loss, self.best_loss),
            best_gradient=torch.where(better, now.gradient, self.best_gradient),
            rises=self.rises + (now.loss > self.last_loss),
            last_loss=now.loss,
        )

    def checked(self, steps: int) -> _Climb:
        """After a checkpoint, so many steps after the last: halve where the loss rose too rarely or in vain.

        In vain: the step was not halved at the last checkpoint, and the best loss has not improved since.
        Who halves goes back to the best point.
        """
        too_rarely = self.rises - self.checked_rises <= RHO * steps
        halved = too_rarely | (~self.halved & (self.checked_loss >= self.best_loss))
        halve = column(halved, self.points)
        return replace(
            self,
            points=torch.where(halve, self.best_points, self.points),
            gradient=torch.where(halve, self.best_gradient, self.gradient),
            step=torch.where(halve, self.step / 2.0, self.step),
            checked_loss=self.best_loss,
            checked_rises=self.rises,
            halved=halved,
        )

    def only(self, wanted: Tensor) -> _Climb:
        """Without the examples that nobody wants any more."""
        index = wanted.nonzero().squeeze(1)
        return replace(self, **{field.name: getattr(self, field.name)[index] for field in fields(self)})


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
    of the attacked model, or evaluate the points with another one. Examples that it no longer wants leave
    the batch once they are a quarter of it, and what is left costs so much less.

    Args:
        model: Gives the gradients: images → logits.
        loss: Logits and rows → loss per example.
        images: Clean images in [0, 1], shape (N, C, H, W).
        start: Where each example starts, same shape, inside the ball.
        ball: Allowed perturbations.
        n_iter: How many steps.
        watch: Sees start and every iterate, detached.

    Returns:
        Per example the point with the largest loss, the start included, until it left.
    """
    checkpoints, last_checkpoint, project = set(checkpoint_steps(n_iter)), 0, ball.projection(images)
    rows = torch.arange(len(images), device=images.device)
    now = _evaluate(model, loss, start, rows, watch)
    climb = _Climb.start(images, start, now, 2.0 * ball.eps)
    best = Best(start.clone(), now.loss.clone())
    for i in range(1, n_iter + 1):
        if now.wanted is not None and now.wanted.float().mean() <= 1.0 - LEAST_DROPPED:
            _keep(best, climb)
            climb = climb.only(now.wanted)
            project = ball.projection(climb.images)
        if not len(climb.rows):
            break
        weight = MOMENTUM if i > 1 else 1.0
        plain = project(ball.direction(climb.gradient).mul_(climb.step).add_(climb.points))
        change = plain.sub_(climb.points).mul_(weight).add_(climb.points)
        points = project(change.add_((climb.points - climb.previous).mul_(1.0 - weight)))
        now = _evaluate(model, loss, points, climb.rows, watch)
        climb = climb.moved(points, now)
        if i in checkpoints:
            climb, last_checkpoint = climb.checked(i - last_checkpoint), i
    _keep(best, climb)
    return best


def _keep(best: Best, climb: _Climb) -> None:
    """Write what the examples have found into the result."""
    best.points[climb.rows], best.loss[climb.rows] = climb.best_points, climb.best_loss


def of_examples(loss: Callable[..., Tensor], *columns: Tensor) -> Loss:
    """A loss for `apgd` from one that takes logits and what is known of each example.

    Args:
        loss: Such as `cross_entropy` or `targeted_dlr`.
        *columns: Labels, or labels and targets: one row for each image, shape (N,).
    """
    return lambda logits, rows: loss(logits, *(column[rows] for column in columns))


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


def _evaluate(model: Model, loss: Loss, points: Tensor, rows: Tensor, watch: Watch | None) -> _Evaluation:
    with torch.enable_grad():
        leaf = points.detach().requires_grad_()
        logits = model(leaf)
        values = loss(logits, rows)
        try:
            (gradient,) = torch.autograd.grad(values.sum(), leaf)
        except Exception as error:  # a model's own backward pass may raise anything
            raise ParameterError(
                f"the model must let gradients through to its images in every batch: {brief(error)}"
            ) from error
    gradient = gradient.nan_to_num(nan=0.0)  # no direction there, but the point stays one
    wanted = None if watch is None else watch(points, logits.detach(), rows)
    return _Evaluation(values.detach(), gradient, wanted)


def column(values: Tensor, like: Tensor) -> Tensor:
    """Values of shape (N,) as (N, 1, ..., 1), to broadcast against `like`, images (N, C, H, W)."""
    return values.view(-1, *(1,) * (like.ndim - 1))

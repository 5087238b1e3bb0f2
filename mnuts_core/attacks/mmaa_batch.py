"""One batch under minimum-margin AutoAttack (B.1): runs of APGD that keep the least margin seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from mnuts_core.attacks.apgd import Loss, apgd, column, of_examples
from mnuts_core.attacks.base import MinimumMargin
from mnuts_core.attacks.losses import cross_entropy, targeted_dlr
from mnuts_core.attacks.norms import Ball, generator
from mnuts_core.attacks.promise import Effort, by_logits, by_promise, driven_at
from mnuts_core.functional.margins import signed_margin
from mnuts_core.functional.mixing import sound
from mnuts_core.models.inputs import Model, Precision, in_precision
from mnuts_core.models.predict import refuse_unsound

STRETCHES = 4
"""With reduced precision, how often in a run exact margins are computed; each costs a forward pass."""

Keep = Callable[[Tensor, Tensor], None]
"""Takes in points and the raw logits there."""


class Settings(NamedTuple):
    """What one batch is attacked with; see `mmaa.minimum_margin_attack`."""

    ball: Ball
    n_iter: int
    n_targets: int
    seed: int
    precision: Precision
    effort: Effort = "full"


class LeastMargin:
    """For each example the point of least margin among those taken so far.

    Args:
        margin: Margins to begin with, shape (B,).
        points: Where they are, shape (B, C, H, W).
    """

    def __init__(self, margin: Tensor, points: Tensor) -> None:
        self.margin, self.points = margin, points

    def take(self, margin: Tensor, points: Tensor) -> None:
        """Take in one more point for each example."""
        less = margin < self.margin  # never true of NaN
        self.margin = torch.where(less, margin, self.margin)
        self.points = torch.where(column(less, points), points, self.points)


class MarginBatch:
    """One batch under attack, and for each of its examples the point of least margin so far.

    Args:
        model: Images → raw logits.
        attacked: Raw logits → logits whose margin counts.
        climbed: Raw logits → logits whose loss APGD climbs.
        images: Shape (B, C, H, W).
        labels: Shape (B,).
        indices: Numbers of the examples in the seeds, shape (B,).
        name: What to call the model in a message.
    """

    def __init__(
        self,
        model: Model,
        attacked: Model,
        climbed: Model,
        images: Tensor,
        labels: Tensor,
        indices: Tensor,
        name: str,
    ) -> None:
        self.model, self.attacked, self.climbed = model, attacked, climbed
        self.images, self.labels, self.indices, self.name = images, labels, indices, name
        self.unsound = torch.zeros_like(labels, dtype=torch.bool)
        self.clean_logits = self._raw_logits(images)
        self.points, self.margin = images.clone(), self._margin(self.clean_logits, labels)

    def attack(self, settings: Settings, report: Callable[[int], None]) -> None:
        """Run both attacks; report how many runs of APGD the examples have behind them."""
        size = len(self.images)
        everyone = torch.arange(size, device=self.images.device)
        self._run(everyone, of_examples(cross_entropy, self.labels), 0, settings, report)
        report(size)
        order = self._targets(settings)
        for number in range(1, order.shape[1] + 1):
            rows = (self.margin > 0).nonzero().squeeze(1)
            loss = of_examples(targeted_dlr, self.labels[rows], order[rows, number - 1])
            self._run(rows, loss, number, settings, report)
            report(size * (1 + number))

    def _targets(self, settings: Settings) -> Tensor:
        """The other classes to drive at, one after another, shape (B, T); 0 where none is any more."""
        logits = self.climbed(self.clean_logits)
        candidates = min(settings.n_targets, logits.shape[1] - 1)
        if settings.effort == "full" or not candidates:
            return by_logits(logits, self.labels, candidates)
        followed = in_precision(self.model, settings.precision, self.images.device)
        climbed: Model = lambda points: self.climbed(followed(points))
        order = self.labels.new_zeros(len(self.labels), driven_at(candidates, settings.effort))
        rows = (self.margin > 0).nonzero().squeeze(1)
        if len(rows):
            images, labels = self.images[rows], self.labels[rows]
            order[rows] = by_promise(climbed, images, labels, settings.ball, candidates)[:, : order.shape[1]]
        return order

    def result(self) -> MinimumMargin:
        """The outcome by one last pass over the whole batch, never worse than the clean points."""
        logits = self._raw_logits(self.points)
        self._refuse_unsound()
        margin = self._margin(logits, self.labels)
        clean_margin = self._margin(self.clean_logits, self.labels)
        back = margin > clean_margin  # rounding alone: the attack saw this point in a smaller batch
        points = torch.where(column(back, self.points), self.images, self.points)
        logits = torch.where(back.unsqueeze(1), self.clean_logits, logits)
        margin = torch.where(back, clean_margin, margin)
        return MinimumMargin(points, margin, logits, margin > 0)

    def _run(
        self, rows: Tensor, loss: Loss, number: int, settings: Settings, report: Callable[[int], None]
    ) -> None:
        if not len(rows):
            return
        images, ball, n_iter = self.images[rows], settings.ball, settings.n_iter
        seeds = [(settings.seed, int(index), number) for index in self.indices[rows.cpu()]]
        noise = torch.stack([ball.noise(images.shape[1:], generator(*seed)) for seed in seeds])
        least = LeastMargin(self.margin[rows], self.points[rows])
        full = settings.precision == "full"
        keep = self._keep_each(rows, least) if full else self._keep_chosen(rows, least, n_iter)
        seen = iter(range(n_iter + 1))

        def watch(points: Tensor, raw: Tensor, _: Tensor) -> None:
            keep(points, raw)
            report(len(self.images) * number + len(self.images) * next(seen) // n_iter)

        apgd(
            in_precision(self.model, settings.precision, images.device),
            lambda raw, of: loss(self.climbed(raw), of),
            images,
            ball.start(images, noise.to(images)),
            ball=ball,
            n_iter=n_iter,
            watch=watch,
        )
        self._refuse_unsound()
        self.margin[rows], self.points[rows] = least.margin, least.points

    def _keep_each(self, rows: Tensor, least: LeastMargin) -> Keep:
        """Keep the least margin of all points, by the logits that come with them."""
        labels = self.labels[rows]

        def keep(points: Tensor, raw: Tensor) -> None:
            self.unsound[rows] |= ~sound(raw)
            least.take(self._margin(raw, labels), points)

        return keep

    def _keep_chosen(self, rows: Tensor, least: LeastMargin, n_iter: int) -> Keep:
        """Choose a point by its rough logits in each stretch of steps, and keep by its exact margin."""
        labels, nothing = self.labels[rows], torch.full_like(least.margin, torch.inf)
        rough, seen = LeastMargin(nothing, least.points), iter(range(n_iter + 1))
        ends = {n_iter * stretch // STRETCHES for stretch in range(1, STRETCHES + 1)}

        def keep(points: Tensor, raw: Tensor) -> None:
            rough.take(self._margin(raw, labels), points)
            if next(seen) in ends:
                exact = self._raw_logits(rough.points)
                self.unsound[rows] |= ~sound(exact)
                least.take(self._margin(exact, labels), rough.points)
                rough.margin = nothing

        return keep

    def _raw_logits(self, points: Tensor) -> Tensor:
        with torch.no_grad():
            return self.model(points)

    def _refuse_unsound(self) -> None:
        """Once a run, not at each step: it waits for the device."""
        refuse_unsound(self.name, self.unsound, self.indices, "at points near")

    def _margin(self, raw: Tensor, labels: Tensor) -> Tensor:
        return signed_margin(self.attacked(raw), labels)

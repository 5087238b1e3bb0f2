"""APGD on a mixed classifier (B.2): gradients of a surrogate, success judged on the mix at every step."""

from __future__ import annotations

import torch
from torch import Tensor

from mnuts_core.attacks.apgd import Loss, apgd, of_examples
from mnuts_core.attacks.batch import Batch
from mnuts_core.attacks.joint import JointLoss
from mnuts_core.attacks.losses import cross_entropy, targeted_dlr
from mnuts_core.attacks.norms import generator, make_ball
from mnuts_core.attacks.plan import FOLLOWS, N_TARGETS, Follow
from mnuts_core.attacks.promise import JOINT_TARGETS, SURE_TARGETS, by_logits, by_promise
from mnuts_core.attacks.surrogates import (
    Surrogate,
    halves,
    surrogate_named,
    surrogate_of,
    surrogates_of_bases,
)
from mnuts_core.models.inputs import Model, in_precision
from mnuts_core.models.predict import predicted


def apgd_ce(batch: Batch) -> Tensor:
    """Climb the cross-entropy of what the plan's attack follows."""
    run = _Apgd(batch)
    run.cross_entropy(surrogate_of(batch.mix, batch.plan.attack, batch.classes), 0)
    return run.points


def apgd_t(batch: Batch) -> Tensor:
    """Climb targeted DLR, the likeliest other class first; a few in the order of promise in a frugal plan."""
    run = _Apgd(batch)
    run.targeted(surrogate_of(batch.mix, batch.plan.attack, batch.classes))
    return run.points


def apgd_ce_along(name: Follow, batch: Batch) -> Tensor:
    """As `apgd_ce`, along another surrogate.

    Args:
        name: Which.
        batch: What it attacks.
    """
    run = _Apgd(batch)
    run.cross_entropy(surrogate_named(batch.mix, name, batch.classes), _first_start(name))
    return run.points


def apgd_t_along(name: Follow, batch: Batch) -> Tensor:
    """As `apgd_t`, along another surrogate; the arguments are those of `apgd_ce_along`."""
    run = _Apgd(batch)
    run.targeted(surrogate_named(batch.mix, name, batch.classes), _first_start(name) + 1)
    return run.points


def _first_start(name: Follow) -> int:
    """The number of the first random start along a further surrogate, which shares none with another."""
    return (1 + FOLLOWS.index(name)) * 3 * N_TARGETS


def apgd_joint(batch: Batch) -> Tensor:
    """Climb what both models have to agree to, the most promising class first."""
    run = _Apgd(batch)
    run.joint()
    return run.points


def base_transfer(batch: Batch) -> Tensor:
    """Carry over points against either base model alone."""
    run = _Apgd(batch)
    for number, surrogate in enumerate(surrogates_of_bases(batch.mix, batch.classes), N_TARGETS + 1):
        run.cross_entropy(surrogate, number)
    return run.points


class _Apgd:
    """APGD on one batch; keeps for each example the first point at which the mix is wrong."""

    def __init__(self, batch: Batch) -> None:
        self.batch, self.ball = batch, make_ball(batch.plan.norm, batch.plan.eps)
        self.points = batch.images.clone()
        self.broken = torch.zeros_like(batch.labels, dtype=torch.bool)

    def cross_entropy(self, surrogate: Surrogate, number: int) -> None:
        """Climb cross-entropy on the examples that still stand."""
        rows = (~self.broken).nonzero().squeeze(1)
        self._run(surrogate, rows, of_examples(cross_entropy, self.batch.labels[rows]), number)

    def targeted(self, surrogate: Surrogate, first: int = 1) -> None:
        """Climb targeted DLR, one class after another, from starts numbered from `first` on."""
        labels, order = self.batch.labels, self._order(surrogate)
        for number, targets in enumerate(order.T, first):
            rows = (~self.broken).nonzero().squeeze(1)
            loss = of_examples(targeted_dlr, labels[rows], targets[rows])
            self._run(surrogate, rows, loss, number)

    def joint(self) -> None:
        """Climb the joint loss of both models, one class after another."""
        batch, surrogate = self.batch, surrogate_of(self.batch.mix, "transfer", self.batch.classes)
        with torch.no_grad():
            clean = surrogate.model(batch.images)
        order = self._order(surrogate, JOINT_TARGETS)
        pair = surrogate._replace(climbed=lambda raw: raw)
        for number, targets in enumerate(order.T, N_TARGETS + 3):
            rows = (~self.broken).nonzero().squeeze(1)
            loss = JointLoss(batch.mix.params, halves(clean[rows]), batch.labels[rows], targets[rows])
            self._run(pair, rows, lambda raw, of, loss=loss: loss(*halves(raw), of), number)  # type: ignore[misc]

    def _order(self, surrogate: Surrogate, few: int = SURE_TARGETS) -> Tensor:
        """The classes to drive at, (N, targets), the likeliest first; the most promising in a frugal plan."""
        images, labels, n_targets = self.batch.images, self.batch.labels, self.batch.n_targets
        climbed: Model = lambda points: surrogate.climbed(surrogate.model(points))
        if self.batch.plan.frugal:
            return by_promise(climbed, images, labels, self.ball, n_targets)[:, :few]
        with torch.no_grad():
            return by_logits(climbed(images), labels, n_targets)

    def _run(self, surrogate: Surrogate, rows: Tensor, loss: Loss, number: int) -> None:
        if not len(rows):
            return
        plan, images, labels = self.batch.plan, self.batch.images[rows], self.batch.labels

        def keep(points: Tensor, raw: Tensor, of: Tensor) -> Tensor:
            self.batch.tick()
            wrong = predicted(surrogate.judged(raw)) != labels[rows[of]]
            new = wrong & ~self.broken[rows[of]]
            if plan.precision != "full" and new.any():
                with torch.no_grad():
                    exact = predicted(surrogate.judged(surrogate.model(points[new])))
                new[new.clone()] = exact != labels[rows[of[new]]]
            self.points[rows[of[new]]] = points[new]
            self.broken[rows[of[new]]] = True
            return ~self.broken[rows[of]]

        generators = (generator(plan.seed, int(index), number) for index in self.batch.indices[rows.cpu()])
        noise = torch.stack([self.ball.noise(images.shape[1:], generator) for generator in generators])
        apgd(
            in_precision(surrogate.model, plan.precision, images.device),
            lambda raw, of: loss(surrogate.climbed(raw), of),
            images,
            self.ball.start(images, noise.to(images)),
            ball=self.ball,
            n_iter=plan.n_iter,
            watch=keep,
        )

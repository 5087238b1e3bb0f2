"""The library's own attacks on a mixed classifier, through its straight-through gradient (B.2.2)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from mnuts_core.attacks.batch import Batch, Tick
from mnuts_core.attacks.fab import Leaving
from mnuts_core.attacks.norms import make_ball
from mnuts_core.attacks.plan import Plan
from mnuts_core.attacks.promise import WITNESSED
from mnuts_core.attacks.square_on_mix import BoundedMargins
from mnuts_core.attacks.surrogates import THE_MIX
from mnuts_core.functional.mixing import sound
from mnuts_core.models.compat import attack_library
from mnuts_core.models.inputs import Model
from mnuts_core.models.predict import ask


def fab_t(batch: Batch) -> Tensor:
    """Targeted FAB on the mix; fallen images leave."""
    plan, images = batch.plan, batch.images
    model = _as_model(batch.mix, batch.tick)
    attack = _fab(model, images, plan, batch.n_targets)
    Leaving(attack, model, make_ball(plan.norm, plan.eps))
    return _perturbed(attack, images, batch.labels)


def square(batch: Batch) -> Tensor:
    """Random search by the mix's answers alone; in a frugal plan it ends early unless it breaks many."""
    plan = batch.plan
    attack = _square(batch.mix, batch.images, plan, batch.tick)
    after = math.ceil(WITNESSED * plan.n_queries) if plan.frugal else None
    margins = BoundedMargins(batch.mix, _without_nan, batch.tick, after=after)
    attack.margin_and_loss = margins.margin_and_loss
    return _perturbed(attack, batch.images, batch.labels)


def fab_t_on(
    classifier: Model, images: Tensor, labels: Tensor, plan: Plan, n_targets: int, tick: Tick
) -> Tensor:
    """Targeted FAB on any classifier.

    Args:
        classifier: Images → logits, such as a mix with its straight-through gradient.
        images: Clean images, shape (N, C, H, W).
        labels: True classes, shape (N,).
        plan: Strength.
        n_targets: Other classes to drive at.
        tick: Called at each forward pass.

    Returns:
        A point for each image, which need neither be misclassified nor lie in the ball.
    """
    return _perturbed(_fab(_as_model(classifier, tick), images, plan, n_targets), images, labels)


def square_on(classifier: Model, images: Tensor, labels: Tensor, plan: Plan, tick: Tick) -> Tensor:
    """Square on any classifier; the arguments are those of `fab_t_on`."""
    return _perturbed(_square(classifier, images, plan, tick), images, labels)


def autoattack(name: str, batch: Batch) -> Tensor:
    """One component of the library's AutoAttack, standard version.

    Each is seeded anew and sees only what is left, so that one by one they do what a whole run does.

    Args:
        name: The component, as the library calls it.
        batch: What it attacks.
    """
    attack = attack_library().AutoAttack(
        _as_model(batch.mix, batch.tick), **_common(batch.plan, batch.images)
    )
    attack.apgd_targeted.n_target_classes = attack.fab.n_target_classes = batch.n_targets
    attack.attacks_to_run = [name]
    with _own_randomness(batch.images.device):
        points: Tensor = attack.run_standard_evaluation(
            batch.images, batch.labels, batch_size=len(batch.images)
        )[0]
    return points.detach()


def _common(plan: Plan, images: Tensor) -> dict[str, Any]:
    return {"norm": plan.norm, "eps": plan.eps, "seed": plan.seed, "device": images.device}


def _fab(model: Model, images: Tensor, plan: Plan, n_targets: int) -> Any:
    return attack_library().autoattack.FABAttack_PT(
        model, n_iter=plan.n_iter, targeted=True, n_target_classes=n_targets, **_common(plan, images)
    )


def _square(classifier: Model, images: Tensor, plan: Plan, tick: Tick) -> Any:
    return attack_library().autoattack.SquareAttack(
        _as_model(classifier, tick),
        n_queries=plan.n_queries,
        p_init=0.8,
        resc_schedule=False,
        **_common(plan, images),
    )


def _perturbed(attack: Any, images: Tensor, labels: Tensor) -> Tensor:
    with _own_randomness(images.device):
        points: Tensor = attack.perturb(images, labels)
    return points.detach()


def _as_model(classifier: Model, tick: Tick) -> Model:
    """A classifier as the library's attacks take it, which know nothing of NaN.

    They go by the arg max, which is class 0 for a row of NaN; see `_without_nan`.
    """

    def forward(images: Tensor) -> Tensor:
        tick()
        return _without_nan(ask(THE_MIX, classifier, _InOrder.apply(images)))

    return forward


def _without_nan(logits: Tensor) -> Tensor:
    """Logits; with rows of NaN one class more, nobody's label, which leads in these rows alone."""
    finite = sound(logits.detach()).unsqueeze(1)
    if finite.all():
        return logits
    logits = logits.where(finite, 0.0)
    last = logits.detach().amin(dim=1, keepdim=True)
    return torch.cat([logits, (last - _FAR_BEHIND).where(finite, 1.0)], dim=1)


_FAR_BEHIND = 1e4
"""So far behind the others, a class has probability 0 and changes nothing."""


class _InOrder(torch.autograd.Function):
    """The identity; its gradient is contiguous, as the library takes a `view` of it, and has 0 for NaN."""

    @staticmethod
    def forward(_: Any, images: Tensor) -> Tensor:
        return images.view_as(images)

    @staticmethod
    def backward(_: Any, *gradients: Tensor) -> Tensor:
        return gradients[0].contiguous().nan_to_num(nan=0.0)


@contextmanager
def _own_randomness(device: torch.device) -> Iterator[None]:
    """The library seeds the global random state: have it back as it was afterwards."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        yield

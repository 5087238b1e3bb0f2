"""The components of the adaptive attacks on a mixed classifier (appendix B.2), one record each.

Three attacks are made of them; success is judged on the mix itself in all three:

- `transfer` (B.2.1): the loss is that of the auxiliary classifier f̃ (Eq. 8); a point succeeds if the mix
  is wrong there.
- `bypass` (B.2.2): the loss is that of the mix's own logits, its gradient goes straight through to f̃.
- `autoattack` (B.2.2): the library's AutoAttack, standard version, unmodified, on the same module.

A plan's further surrogates come between the white box and its witnesses: APGD-CE and APGD-T along each, on
what is left. APGD is this project's own in the first two; FAB and Square are the library's in all three.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal, NamedTuple

from torch import Tensor

from mnuts_core.attacks.adaptive import (
    apgd_ce,
    apgd_ce_along,
    apgd_joint,
    apgd_t,
    apgd_t_along,
    base_transfer,
)
from mnuts_core.attacks.batch import Batch
from mnuts_core.attacks.library import autoattack, fab_t, square
from mnuts_core.attacks.plan import QUERIES_PER_STEP, Follow, Plan
from mnuts_core.attacks.promise import JOINT_TARGETS, SURE_TARGETS, WITNESSED

WitnessCode = Literal["square-beats-white-box", "transfer-beats-white-box"]
"""Warnings that a component gives rise to; `docs/warnings.md` has an entry for each."""


class Component(NamedTuple):
    """One component of an attack.

    Attributes:
        name: As results and work folders call it.
        run: Attacks a batch; hands back a point for each image, a misclassified one where it found one.
            The caller judges.
        passes: How many it makes about an image that nothing breaks, by steps and number of targets.
        white_box: Whether it follows gradients of the auxiliary classifier.
        witness: The warning where it breaks images that those of the white box had not: it does not need
            their gradients, and shows that they were misled.
        least_classes: With fewer classes it is left out.
    """

    name: str
    run: Callable[[Batch], Tensor]
    passes: Callable[[int, int], int]
    white_box: bool = False
    witness: WitnessCode | None = None
    least_classes: int = 2

    def cost(self, plan: Plan, classes: int) -> int:
        """The passes of a plan about an image that nothing breaks, for a model of so many classes."""
        return self.passes(plan.n_iter, plan.n_targets(classes))


COMPONENTS = (
    Component("apgd-ce", apgd_ce, lambda steps, _: steps, white_box=True),
    Component("apgd-t", apgd_t, lambda steps, targets: steps * targets, white_box=True),
    # FAB looks back and forth at each step.
    Component("fab-t", fab_t, lambda steps, targets: 4 * steps * targets, white_box=True),
    Component("square", square, lambda steps, _: QUERIES_PER_STEP * steps, witness="square-beats-white-box"),
    Component("base-transfer", base_transfer, lambda steps, _: 2 * steps, witness="transfer-beats-white-box"),
)
"""In the order in which they run, each on what the ones before have left right."""

WHITE_BOX = tuple(part.name for part in COMPONENTS if part.white_box)

_LEAST_CLASSES = {"apgd-ce": 2, "apgd-t": 4, "fab-t": 2, "square": 2}
"""AutoAttack, standard version: its components, and how many classes each needs (targeted DLR needs four)."""
_AUTOATTACK = tuple(
    part._replace(run=partial(autoattack, part.name), least_classes=_LEAST_CLASSES[part.name])
    for part in COMPONENTS
    if part.name in _LEAST_CLASSES
)


_CE, _T, _FAB, _SQUARE, _BASE = COMPONENTS
_FRUGAL = (
    _CE,
    Component(
        "apgd-joint", apgd_joint, lambda steps, targets: steps * min(JOINT_TARGETS, targets), white_box=True
    ),
    _T._replace(passes=lambda steps, targets: steps * min(SURE_TARGETS, targets)),
    _SQUARE._replace(passes=lambda steps, _: round(WITNESSED * QUERIES_PER_STEP * steps)),
    _BASE,
)
"""What a frugal plan runs, see `promise`."""


def components_of(plan: Plan, classes: int) -> tuple[Component, ...]:
    """The components of a plan in the order in which they run.

    Args:
        plan: Attack and strength.
        classes: K, the model's number of classes.

    Example:
        >>> plan = Plan(norm="Linf", eps=8 / 255, n_iter=10)
        >>> {part.name: part.cost(plan, 10) for part in components_of(plan, 10)}
        {'apgd-ce': 10, 'apgd-t': 90, 'fab-t': 360, 'square': 500, 'base-transfer': 20}
    """
    return tuple(part for part in _all_of(plan) if classes >= part.least_classes)


def left_out(plan: Plan, classes: int) -> tuple[Component, ...]:
    """The components of a plan that need more classes than there are."""
    return tuple(part for part in _all_of(plan) if classes < part.least_classes)


def _all_of(plan: Plan) -> tuple[Component, ...]:
    if plan.attack == "autoattack":
        return _AUTOATTACK
    parts = _FRUGAL if plan.frugal else COMPONENTS
    further = [part for name in plan.surrogates for part in _along(name, parts)]
    white_box = [part for part in parts if part.white_box]
    return (*white_box, *further, *(part for part in parts if not part.white_box))


def _along(name: Follow, parts: tuple[Component, ...]) -> Iterator[Component]:
    """APGD-CE and APGD-T of a plan along another surrogate."""
    runs = {"apgd-ce": apgd_ce_along, "apgd-t": apgd_t_along}
    for part in parts:
        if part.name in runs:
            yield part._replace(name=f"{part.name}:{name}", run=partial(runs[part.name], name))

"""One component of an adaptive attack by its name, as tests run it."""

from __future__ import annotations

from torch import Tensor

from mnuts_core import MixedClassifier, Plan
from mnuts_core.attacks.batch import Batch, Tick
from mnuts_core.attacks.components import components_of


def run_component(
    name: str,
    mix: MixedClassifier,
    images: Tensor,
    labels: Tensor,
    indices: Tensor,
    plan: Plan,
    classes: int = 10,
    tick: Tick = lambda: None,
) -> Tensor:
    """The points that a component of the plan finds."""
    (component,) = [part for part in components_of(plan, classes) if part.name == name]
    return component.run(Batch(mix, images, labels, indices, plan, classes, tick))

"""What an adaptive attack follows: gradients of the differentiable stand-in, success on the mix itself.

At T = 0 the mix has no gradient in the standard model, so an attack that follows its own gradient sees
half of it and reports too much robustness. Here gradients come from the auxiliary classifier f̃ of Eq. 8.
"""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from mnuts_core.attacks.plan import OWN_FOLLOW, Attack, Follow
from mnuts_core.export.classifier import MixedClassifier
from mnuts_core.functional.mixing import mixed_logits
from mnuts_core.models.inputs import Model
from mnuts_core.models.predict import BASE_MODELS, ask
from mnuts_core.params import IDENTITY

THE_MIX = "the mix"
"""What messages call the mixed classifier."""


class Surrogate(NamedTuple):
    """One forward pass, looked at in two ways.

    Attributes:
        model: Images → raw output, through which gradients flow.
        climbed: Raw output → the logits whose loss is climbed.
        judged: Raw output → the mix's logits, on which success is judged.
    """

    model: Model
    climbed: Model
    judged: Model


def surrogate_of(mix: MixedClassifier, attack: Attack, classes: int | None = None) -> Surrogate:
    """What APGD climbs and what it is judged on.

    Args:
        mix: The mixed classifier.
        attack: `transfer` climbs f̃ (Eq. 8); the others the mix's own logits with the gradient of f̃.
        classes: K, if it is known.
    """
    return surrogate_named(mix, OWN_FOLLOW.get(attack, "bypass"), classes)


def surrogate_named(mix: MixedClassifier, name: Follow, classes: int | None = None) -> Surrogate:
    """A stand-in for the mix by its name; success is judged on the mix in each.

    Gradients may mislead through one of them and not through another: f̃ has α_d and r_d, which are chosen.

    - `auxiliary`: f̃ itself (Eq. 8).
    - `bypass`: the loss of the mix's own logits, its gradient that of f̃ (B.2.2).
    - `soft`: `log((1-α)σ(g/T) + ασ(M(h)))`, the mix itself, but with T = 1 in the place of 0, where it has no
      gradient in g.
    - `plain`: `log((1-α_d)σ(g) + α_d σ(h))`, f̃ without the transform, which may have flattened gradients.

    Args:
        mix: The mixed classifier.
        name: One of `FOLLOWS`.
        classes: K, if it is known.
    """
    if name == "bypass":
        return Surrogate(partial(ask, THE_MIX, mix, classes=classes), _same, _same)
    if name == "auxiliary":
        return _on_pair(mix, lambda raw: mix.auxiliary_logits(*halves(raw)), classes)
    params = IDENTITY.with_(alpha=mix.alpha_d, temperature=1.0) if name == "plain" else mix.params
    soft = params.with_(temperature=params.temperature or 1.0)
    return _on_pair(mix, lambda raw: mixed_logits(*halves(raw), soft), classes)


def surrogates_of_bases(mix: MixedClassifier, classes: int | None = None) -> tuple[Surrogate, Surrogate]:
    """The standard and the robust model, each climbed alone, while success is judged on the mix.

    Args:
        mix: The mixed classifier.
        classes: K, if it is known.
    """
    models = (mix.std_model, mix.rob_model)

    def judged(raw: Tensor) -> Tensor:
        return mixed_logits(*halves(raw), mix.params)

    def pair(images: Tensor, number: int) -> Tensor:
        parts = []
        for place, (name, model) in enumerate(zip(BASE_MODELS, models, strict=True)):
            with nullcontext() if place == number else torch.no_grad():  # a zero gradient costs a pass, too
                parts.append(ask(name, model, images, classes))
        return torch.cat(parts, dim=1)

    std, rob = (
        Surrogate(partial(pair, number=number), lambda raw, number=number: halves(raw)[number], judged)  # type: ignore[misc]
        for number in range(2)
    )
    return std, rob


def _on_pair(mix: MixedClassifier, climbed: Model, classes: int | None) -> Surrogate:
    """A surrogate on both base models' logits, side by side (N, 2K)."""
    return Surrogate(
        model=lambda images: torch.cat(mix.base_logits(images, classes), dim=1),
        climbed=climbed,
        judged=lambda raw: mixed_logits(*halves(raw), mix.params),
    )


def halves(raw: Tensor) -> tuple[Tensor, Tensor]:
    """Both models' logits, which stand side by side.

    Args:
        raw: Shape (N, 2K), g's first.
    """
    std, rob = raw.chunk(2, dim=1)
    return std, rob


def _same(raw: Tensor) -> Tensor:
    return raw

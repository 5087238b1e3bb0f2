"""What all minimum-margin attacks have in common: settings that know their range, their card and their cost.

Whoever runs an attack need not know which one it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from mnuts_core.attacks.norms import Norm, make_ball
from mnuts_core.bundles.manifest import AttackCard, Setting
from mnuts_core.functional.transform import transform_logits
from mnuts_core.models.inputs import Model, Precision, Progress, check_count
from mnuts_core.models.passes import Passes


class MinimumMargin(NamedTuple):
    """What such an attack found, on the CPU, one row for each example.

    Attributes:
        images: Points of least margin in the ball, shape (N, C, H, W), in [0, 1], dtype of the input.
        margin: Signed margin of the attacked classifier there, shape (N,), in [-1, 1].
        logits: Raw logits of the model there (not those of the surrogate), shape (N, K).
        correct: Whether the margin is positive: the attacked classifier is right there (a tie counts as
            wrong), bool, shape (N,).
    """

    images: Tensor
    margin: Tensor
    logits: Tensor
    correct: Tensor


class Transformed(NamedTuple):
    """The surrogate M(s, p, c)∘h (Eq. 4, D.9): raw logits → transformed logits."""

    s: float
    p: float
    c: float

    def __call__(self, logits: Tensor) -> Tensor:
        """M(s, p, c) of raw logits, float64."""
        return transform_logits(logits, s=self.s, p=self.p, c=self.c)

    def __str__(self) -> str:
        return f"M(s = {self.s:g}, p = {self.p:g}, c = {self.c:g})∘h_rob"


@dataclass(frozen=True, kw_only=True)
class MarginAttack(ABC):
    """One minimum-margin attack with its settings, made once and carried whole from caller to manifest.

    Attributes:
        norm: `"Linf"` or `"L2"`.
        eps: Radius in (0, inf), in units of pixels in [0, 1].
        seed: Seed of everything random: of the starts of MMAA, of the search of Square.
        surrogate: What is attacked in the place of LN∘h_rob.
        channels_last: See `minimum_margin_attack`.
    """

    norm: Norm
    eps: float
    seed: int = 0
    surrogate: Transformed | None = None
    channels_last: bool = False

    def check(self, dtype: torch.dtype, classes: int) -> None:
        """Check the settings against the images' dtype and the number of classes.

        Raises:
            ParameterError: If one is out of range, or does not fit.
        """
        make_ball(self.norm, self.eps)
        check_count("seed", self.seed, 0)
        if self.surrogate is not None:
            self.surrogate(torch.zeros(1, classes))  # refuses values outside their intervals

    @abstractmethod
    def card(self, dtype: torch.dtype, classes: int) -> AttackCard:
        """What the bundle says of the attack."""

    def settings(self) -> dict[str, Setting | None]:
        """What the attack's outcome depends on, the images' layout left out."""
        return {"norm": self.norm, "eps": self.eps, "seed": self.seed, "surrogate": self.target}

    @abstractmethod
    def cost(self, classes: int) -> int:
        """Work for each image, as `run` counts it."""

    @abstractmethod
    def passes(self, classes: int) -> Passes:
        """Passes through the model about an image that stays right to the end."""

    def run(
        self,
        model: Model,
        images: Tensor,
        labels: Tensor,
        indices: Tensor,
        *,
        batch_size: int,
        progress: Progress | None,
        device: torch.device,
        name: str = "model",
    ) -> MinimumMargin:
        """Attack images; the arguments are those of `minimum_margin_attack`."""
        return self._function()(
            model,
            images,
            labels,
            norm=self.norm,
            eps=self.eps,
            seed=self.seed,
            batch_size=batch_size,
            surrogate=self.surrogate,
            channels_last=self.channels_last,
            indices=indices,
            progress=progress,
            device=device,
            name=name,
        )

    @abstractmethod
    def _function(self) -> Callable[..., MinimumMargin]:
        """The attack, with the settings bound that it has alone."""

    def climbed(self, classes: int) -> Model | None:
        """Raw logits → the logits whose loss the attack climbs; None if it asks for no gradients."""
        return None

    @property
    def target(self) -> str:
        """The classifier that is attacked, in words."""
        return "LN∘h_rob" if self.surrogate is None else str(self.surrogate)

    def _arithmetic(self, dtype: torch.dtype, gradients: Precision = "full") -> str:
        words = str(dtype).removeprefix("torch.")
        if gradients != "full":
            words = f"{gradients} gradients, {words} margins"
        return words + (", channels last" if self.channels_last else "")

"""The two minimum-margin attacks behind one door: MMAA (B.1), and Square for models without gradients (D.5).

An attack knows its own settings: whether they make sense, what a bundle's card says of them, and how much
work an image is. Whoever runs it need not know which of the two it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple, get_args

import torch
from torch import Tensor

from mnuts_core.attacks.mmaa import N_TARGETS, MinimumMargin, climbed_of, minimum_margin_attack
from mnuts_core.attacks.norms import Norm, make_ball
from mnuts_core.attacks.square import N_QUERIES, square_margin_attack
from mnuts_core.bundles.manifest import AttackCard, Setting
from mnuts_core.errors import ParameterError
from mnuts_core.functional.transform import transform_logits
from mnuts_core.models.inputs import Model, Precision, Progress, check_count, check_precision

MarginAttackName = Literal["mmaa", "square"]
MARGIN_ATTACKS: tuple[MarginAttackName, ...] = get_args(MarginAttackName)
N_ITER = 100
"""MMAA's steps of each run of APGD, as in AutoAttack."""


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
    """What both attacks have in common.

    Attributes:
        norm: `"Linf"` or `"L2"`.
        eps: Radius in (0, inf), in units of pixels in [0, 1].
        seed: Seed of everything random.
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


@dataclass(frozen=True, kw_only=True)
class Mmaa(MarginAttack):
    """APGD on cross-entropy, then targeted APGD on DLR (B.1); see `minimum_margin_attack`."""

    n_iter: int = N_ITER
    n_targets: int = N_TARGETS
    precision: Precision = "full"

    def check(self, dtype: torch.dtype, classes: int) -> None:
        """Check the settings."""
        super().check(dtype, classes)
        check_count("n_iter", self.n_iter, 1)
        check_count("n_targets", self.n_targets, 0)
        check_precision(self.precision, dtype)

    def card(self, dtype: torch.dtype, classes: int) -> AttackCard:
        """What the bundle says of the attack."""
        return AttackCard(
            name="MMAA: APGD-CE, then targeted APGD-DLR",
            surrogate=self.target,
            n_iter=self.n_iter,
            n_targets=self.cost(classes) - 1,
            seed=self.seed,
            precision=self._arithmetic(dtype, self.precision),
        )

    def settings(self) -> dict[str, Setting | None]:
        """What the attack's outcome depends on."""
        return {
            "attack": "mmaa",
            **super().settings(),
            "n_iter": self.n_iter,
            "n_targets": self.n_targets,
            "precision": self.precision,
        }

    def cost(self, classes: int) -> int:
        """Runs of APGD for each image."""
        return 1 + min(self.n_targets, classes - 1)

    def climbed(self, classes: int) -> Model:
        """LN, or the surrogate that was asked for."""
        return climbed_of(self.surrogate and self.surrogate.__call__, classes)

    def _function(self) -> Callable[..., MinimumMargin]:
        return partial(
            minimum_margin_attack,
            n_iter=self.n_iter,
            n_targets=self.n_targets,
            precision=self.precision,
        )


@dataclass(frozen=True, kw_only=True)
class Square(MarginAttack):
    """Random search by the model's answers alone (D.5); see `square_margin_attack`."""

    n_queries: int = N_QUERIES

    def check(self, dtype: torch.dtype, classes: int) -> None:
        """Check the settings."""
        super().check(dtype, classes)
        check_count("n_queries", self.n_queries, 1)

    def card(self, dtype: torch.dtype, classes: int) -> AttackCard:
        """What the bundle says of the attack."""
        return AttackCard(
            name="Square, least margin of all queries (black box)",
            surrogate=self.target,
            n_queries=self.n_queries,
            seed=self.seed,
            precision=self._arithmetic(dtype),
        )

    def settings(self) -> dict[str, Setting | None]:
        """What the attack's outcome depends on."""
        return {"attack": "square", **super().settings(), "n_queries": self.n_queries}

    def cost(self, classes: int) -> int:
        """Queries for each image."""
        return self.n_queries

    def _function(self) -> Callable[..., MinimumMargin]:
        return partial(square_margin_attack, n_queries=self.n_queries)


def make_margin_attack(
    name: MarginAttackName,
    *,
    norm: Norm,
    eps: float,
    seed: int = 0,
    surrogate: Transformed | None = None,
    channels_last: bool = False,
    n_iter: int = N_ITER,
    n_targets: int = N_TARGETS,
    precision: Precision = "full",
    n_queries: int = N_QUERIES,
) -> MarginAttack:
    """The attack of a name with its settings.

    Args:
        name: `"mmaa"` or `"square"`.
        norm: `"Linf"` or `"L2"`.
        eps: Radius in (0, inf), in units of pixels in [0, 1].
        seed: Seed of everything random.
        surrogate: What is attacked in the place of LN∘h_rob.
        channels_last: See `minimum_margin_attack`.
        n_iter: MMAA's steps.
        n_targets: MMAA's targets.
        precision: MMAA's gradients; Square has none.
        n_queries: Square's queries.

    Raises:
        ParameterError: If there is no such attack, or a setting of the other one is changed.

    Example:
        >>> make_margin_attack("square", norm="Linf", eps=0.1, n_queries=50).cost(classes=10)
        50
    """
    if name not in MARGIN_ATTACKS:
        raise ParameterError(f"attack must be one of {', '.join(MARGIN_ATTACKS)}, got {name!r}")
    common: dict[str, Any] = {"norm": norm, "eps": eps, "seed": seed, "surrogate": surrogate}
    if name == "mmaa":
        _refuse_others(name, n_queries=(n_queries, N_QUERIES))
        own: dict[str, Any] = {"n_iter": n_iter, "n_targets": n_targets, "precision": precision}
        return Mmaa(**common, **own, channels_last=channels_last)
    steps = {"n_iter": (n_iter, N_ITER), "n_targets": (n_targets, N_TARGETS)}
    _refuse_others(name, **steps, precision=(precision, "full"))
    return Square(**common, n_queries=n_queries, channels_last=channels_last)


def _refuse_others(name: MarginAttackName, **settings: tuple[object, object]) -> None:
    """Refuse settings (value, default) of the other attack, rather than silently do without them."""
    for setting, (value, default) in settings.items():
        if value != default:
            raise ParameterError(
                f"{setting} is no setting of attack {name!r}, got {value!r}: leave it at {default!r}, or "
                "take the other attack"
            )

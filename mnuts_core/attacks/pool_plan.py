"""What an attack that fills a pool does: on which target, and how hard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch

from mnuts_core.attacks.components import COMPONENTS as ADAPTIVE
from mnuts_core.attacks.norms import Norm, make_ball
from mnuts_core.attacks.plan import N_TARGETS, Plan
from mnuts_core.bundles.manifest import Setting
from mnuts_core.errors import ParameterError
from mnuts_core.export.config import MixConfig
from mnuts_core.models.inputs import Precision, check_count, check_precision
from mnuts_core.params import R_D, STANDARD_STEPS, MixParams

COMPONENTS = ("apgd-ce", "apgd-t", "fab-t", "square")
"""What may be run, in this order."""
DEFAULT_COMPONENTS = ("apgd-ce", "apgd-t")


class PoolTarget(NamedTuple):
    """What gradients climb: a mix, by its auxiliary classifier (Eq. 8), or the standard model alone.

    Attributes:
        params: The mix, α set; None for g alone.
        alpha_d: Weight of the auxiliary classifier; α if None.
        r_d: Share of σ(h) in its robust half.
    """

    params: MixParams | None = None
    alpha_d: float | None = None
    r_d: float = R_D

    @classmethod
    def of(cls, config: MixConfig) -> PoolTarget:
        """The mix of a configuration, with its auxiliary classifier's weights if it has them."""
        auxiliary = config.auxiliary
        if auxiliary is None:
            return cls(config.params)
        return cls(config.params, auxiliary.alpha_d, auxiliary.r_d)

    def __str__(self) -> str:
        """In words, as a bundle names the target."""
        return "g" if self.params is None else str(self.params)


@dataclass(frozen=True, kw_only=True)
class PoolPlan:
    """What is run on each target, and how hard.

    Attributes:
        norm: `"Linf"` or `"L2"`.
        eps: Radius, in units of pixels in [0, 1].
        n_iter: Steps of each run of APGD and FAB; Square makes 50 queries for each.
        n_targets: Other classes that targeted attacks drive at; at most K - 1 are used.
        components: Some of `COMPONENTS`, in that order.
        seed: Seed of everything random. An image's starts of APGD depend on seed, image and run alone;
            Square's draws depend on the batches, too.
        precision: Of APGD's gradients. With `bfloat16`, what is kept is chosen at the end of each run, by
            rough logits, and computed again in float32; whether an image is settled is decided likewise.

    Raises:
        ParameterError: If one is out of range.
    """

    norm: Norm
    eps: float
    n_iter: int = STANDARD_STEPS
    n_targets: int = N_TARGETS
    components: tuple[str, ...] = DEFAULT_COMPONENTS
    seed: int = 0
    precision: Precision = "full"

    def __post_init__(self) -> None:
        make_ball(self.norm, self.eps)
        for name, least in (("n_iter", 1), ("n_targets", 1), ("seed", 0)):
            check_count(name, getattr(self, name), least)
        check_precision(self.precision, torch.float32)
        if not self.components or list(self.components) != [c for c in COMPONENTS if c in self.components]:
            given = ", ".join(map(str, self.components)) or "none"
            raise ParameterError(
                f"components must be some of {', '.join(COMPONENTS)}, each once and in this order, "
                f"got {given}"
            )

    @property
    def library(self) -> Plan:
        """What the library's FAB-T and Square take of it."""
        return Plan(norm=self.norm, eps=self.eps, n_iter=self.n_iter, seed=self.seed)

    @property
    def costs(self) -> tuple[int, ...]:
        """How many passes each component makes about an image at most.

        Example:
            >>> PoolPlan(norm="Linf", eps=8 / 255, n_iter=10).costs
            (10, 90)
        """
        passes = {part.name: part.passes(self.n_iter, self.n_targets) for part in ADAPTIVE}
        return tuple(passes[name] for name in self.components)

    def settings(self) -> dict[str, Setting]:
        """The plan as plain JSON."""
        return {
            "norm": self.norm,
            "eps": self.eps,
            "components": ", ".join(self.components),
            "n_iter": self.n_iter,
            "n_targets": self.n_targets,
            "seed": self.seed,
            "precision": self.precision,
        }

"""A plan: which adaptive attack is run on a mixed classifier (appendix B.2), and how hard.

It is made once, checks itself, and travels whole from the command line or the page to the attack and into
the result. It does not know the model; what depends on the number of classes takes it as an argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch

from mnuts_core.attacks.norms import Norm, make_ball
from mnuts_core.attacks.promise import Effort, check_effort
from mnuts_core.bundles.manifest import Setting, ThreatModel
from mnuts_core.errors import ParameterError
from mnuts_core.models.inputs import Precision, check_count, check_precision
from mnuts_core.params import STANDARD_STEPS

Attack = Literal["transfer", "bypass", "autoattack"]
ATTACKS: tuple[Attack, ...] = get_args(Attack)
Follow = Literal["auxiliary", "bypass", "soft", "plain"]
"""Differentiable stand-ins for the mix whose gradients APGD can follow, see `attacks.surrogates`."""
FOLLOWS: tuple[Follow, ...] = get_args(Follow)
OWN_FOLLOW: dict[Attack, Follow] = {"transfer": "auxiliary", "bypass": "bypass"}
"""What each attack follows anyway."""
N_TARGETS = 9
"""Other classes that targeted attacks drive at, as in AutoAttack; fewer where there are fewer."""
QUERIES_PER_STEP = 50
"""Square's queries for each step of APGD: 5,000 for 100, as in AutoAttack."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is run, and how hard.

    Attributes:
        norm: `"Linf"` or `"L2"`.
        eps: Radius in (0, inf), in units of pixels in [0, 1].
        attack: `transfer`, `bypass` or `autoattack`, see `mnuts_core.attacks.components`.
        n_iter: Steps of each run of APGD and FAB; Square makes 50 queries for each. AutoAttack takes 100.
        seed: Seed of everything random.
        precision: Of the gradients of this project's APGD. With `bfloat16` a point counts as misclassified
            only once a pass in float32 says so. FAB and Square run in float32 always.
        effort: `full`, or `frugal`, see `promise`.
        surrogates: What APGD follows besides: it is run again with the gradients of each, on the images that
            are left, so that an image counts as right only if it withstands them all.

    Raises:
        ParameterError: If one is out of range, or does not fit the others.

    Example:
        >>> Plan(norm="Linf", eps=8 / 255).n_queries
        5000
    """

    norm: Norm
    eps: float
    attack: Attack = "transfer"
    n_iter: int = STANDARD_STEPS
    seed: int = 0
    precision: Precision = "full"
    effort: Effort = "full"
    surrogates: tuple[Follow, ...] = ()

    def __post_init__(self) -> None:
        make_ball(self.norm, self.eps)
        if self.attack not in ATTACKS:
            raise ParameterError(f"attack must be one of {', '.join(ATTACKS)}, got {self.attack!r}")
        check_count("n_iter", self.n_iter, 1)
        check_count("seed", self.seed, 0)
        check_precision(self.precision, torch.float32)
        check_effort(self.effort)
        if self.attack == "autoattack":
            self._check_as_published()
        object.__setattr__(self, "surrogates", self._checked_surrogates())

    def _check_as_published(self) -> None:
        """Refuse what AutoAttack is not run with."""
        standard = {"n_iter": STANDARD_STEPS, "precision": "full", "effort": "full"}
        for name, value in standard.items():
            if (given := getattr(self, name)) != value:
                raise ParameterError(
                    f"{name} must be {value!r} for attack 'autoattack', which is run as it was published, "
                    f"got {given!r}: take 'transfer' or 'bypass' for another"
                )

    def _checked_surrogates(self) -> tuple[Follow, ...]:
        """The further surrogates, if there are such and the attack does not follow them anyway."""
        given, own = tuple(self.surrogates), OWN_FOLLOW.get(self.attack)
        if unknown := [name for name in given if name not in FOLLOWS]:
            raise ParameterError(f"surrogates must be among {', '.join(FOLLOWS)}, got {unknown[0]!r}")
        if given and own is None:
            raise ParameterError(
                f"surrogates must be left out for attack {self.attack!r}, which is run as it was published, "
                f"got {', '.join(given)}: take 'transfer' or 'bypass'"
            )
        if own in given or len(set(given)) < len(given):
            raise ParameterError(
                f"surrogates must name each stand-in once, and not {own!r}, which attack {self.attack!r} "
                f"follows anyway, got {', '.join(given)}"
            )
        return given

    @property
    def frugal(self) -> bool:
        """Whether what cannot win any more is left out."""
        return self.effort == "frugal"

    @property
    def threat(self) -> ThreatModel:
        """What the attack may change."""
        return ThreatModel(norm=self.norm, eps=self.eps)

    @property
    def n_queries(self) -> int:
        """Square's queries."""
        return QUERIES_PER_STEP * self.n_iter

    def n_targets(self, classes: int) -> int:
        """Other classes that targeted attacks drive at: 9, or all that there are."""
        return min(N_TARGETS, classes - 1)

    def settings(self, classes: int) -> dict[str, Setting]:
        """The plan for a model of so many classes, as work folders and results keep it."""
        return {
            "attack": self.attack,
            "norm": self.norm,
            "eps": self.eps,
            "n_iter": self.n_iter,
            "classes": classes,
            "seed": self.seed,
            "precision": self.precision,
            **({"effort": self.effort} if self.frugal else {}),
            **({"surrogates": ", ".join(self.surrogates)} if self.surrogates else {}),
        }

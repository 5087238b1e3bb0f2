"""What an engine answers: a mix on a bundle, and both base models by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from mnuts_core.errors import BundleError, ParameterError
from mnuts_core.functional.mixing import required_alpha
from mnuts_core.functional.statistics import Estimate
from mnuts_core.params import MixParams
from mnuts_core.remix.pooled import AttackedResults
from mnuts_core.remix.rows import Part

PointRule = Literal["pool", "mmaa"]
"""Which attacked points Algorithm 1 looks at: all of an image's, or the first one's alone."""


def check_points(points: str) -> PointRule:
    """The rule by that name.

    Raises:
        ParameterError: If there is none.
    """
    for rule in get_args(PointRule):
        if points == rule:
            return rule  # type: ignore[no-any-return]
    raise ParameterError(f"points must be one of {', '.join(get_args(PointRule))}, got {points!r}")


@dataclass(frozen=True)
class Remix:
    """One answer of the engine.

    Attributes:
        params: The parameters asked for, with α filled in.
        threshold: `(1-α)/α`, the margin from which the robust model cannot be outvoted; equals the
            quantile q of Algorithm 1 when α comes from β.
        clean: Accuracy of the mix on the clean images: exact on these n.
        attacked: Share of the attacked images that the mix gets right at every point that the bundle holds
            of them, the clean one too: an upper bound on its robust accuracy, as good as the points are.
            None without an attacked part.
        by_margin: Share of these that M(h) gets right at every attacked point with a margin ≥ threshold: what
            is right there whatever g says (Eq. 7). None likewise. It is at most `attacked`, but for images
            that are wrong only without an attack, and margins that equal the threshold.
        rob_clean: Accuracy of M(h) alone on the clean images.
        rob_attacked: Share of the attacked images that M(h) alone gets right at every point.
        optimistic: Whether no attack on a mix is among the points, so that `attacked` is too high.
        warnings: Reasons not to rely on these figures, one line each.
        on_clean: Per-example results on the clean images.
        on_attacked: The same at the first point of each attacked image, or None.
        on_images: What counts for each attacked image over all of its points, the clean one too, or None.
    """

    params: MixParams
    threshold: float
    clean: Estimate
    attacked: Estimate | None
    by_margin: Estimate | None
    rob_clean: Estimate
    rob_attacked: Estimate | None
    optimistic: bool
    warnings: tuple[str, ...]
    on_clean: Part
    on_attacked: Part | None
    on_images: AttackedResults | None

    @property
    def alpha(self) -> float:
        """The mixing weight in force."""
        return required_alpha(self.params)

    def require_attacked(self) -> Part:
        """The results at the first points of the attacked images.

        Raises:
            BundleError: If there are none.
        """
        if self.on_attacked is None:
            raise BundleError("the mix has no figures at attacked examples: its bundle holds none")
        return self.on_attacked

    def require_images(self) -> AttackedResults:
        """What counts for each attacked image over all of its points.

        Raises:
            BundleError: If there are none.
        """
        if self.on_images is None:
            raise BundleError("the mix has no figures at attacked examples: its bundle holds none")
        return self.on_images


@dataclass(frozen=True)
class BaseFigures:
    """The two base models by themselves on the bundle.

    Attributes:
        std_clean, rob_clean: Clean accuracies.
        std_attacked: Share of the attacked images that g gets right at every point; None where no attack
            on g itself is among the points.
        rob_attacked: The same of h; None without an attacked part.
        std_at_first: Share that g gets right at the first points, which were found against h: this says
            nothing of g's robustness. None likewise.
    """

    std_clean: Estimate
    rob_clean: Estimate
    std_attacked: Estimate | None
    rob_attacked: Estimate | None
    std_at_first: Estimate | None = None

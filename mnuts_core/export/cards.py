"""What a configuration says, part by part: transform, bundle, figures, auxiliary classifier, verification."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, model_validator

from mnuts_core.bundles.manifest import Card, Digest, Name, Setting, Text, ThreatModel
from mnuts_core.clamps import Clamp
from mnuts_core.export.outcomes import OutcomesCard
from mnuts_core.functional.statistics import Accuracy, Estimate, share
from mnuts_core.params import PARAMS, R_D, MixParams
from mnuts_core.remix.certified import certified_within_eps, reference_threat

if TYPE_CHECKING:
    from mnuts_core.bundles.bundle import LogitBundle
    from mnuts_core.models.passes import Passes
    from mnuts_core.remix.answers import Remix
    from mnuts_core.remix.engine import RemixEngine

Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Weight = Annotated[float, Field(strict=True, ge=PARAMS["alpha"].low, le=PARAMS["alpha"].high)]


def within(name: str) -> Any:
    """The pydantic field of a parameter, its interval taken from `PARAMS`."""
    spec = PARAMS[name]
    bounds: dict[str, Any] = {"gt" if spec.low_open else "ge": spec.low}
    if math.isfinite(spec.high):
        bounds["le"] = spec.high
    return Field(strict=True, allow_inf_nan=False, description=spec.help, **bounds)


class TransformCard(Card):
    """M(s, p, c) of Eq. 4."""

    s: float = within("s")
    p: float = within("p")
    c: float = within("c")
    clamp: Clamp
    ln_k: int = Field(
        strict=True,
        ge=0,
        json_schema_extra={"not": {"const": 1}},  # one logit has no variance; MixParams says so
        description="Layer-norm statistics over the k largest logits; 0: none.",
    )


class BundleCard(Card):
    """The bundle that the figures come from."""

    name: Name
    digest: Digest
    clean: Digest | None = Field(
        default=None, description="Of its clean logits alone, which stay as points join its pool."
    )

    @classmethod
    def of(cls, bundle: LogitBundle) -> BundleCard:
        """The card of a bundle."""
        return cls(name=bundle.name, digest=bundle.digest, clean=bundle.clean_digest)


class EstimateCard(Card):
    """One figure: what kind, its value, n, and the 95 % Wilson interval."""

    kind: Accuracy
    value: Share
    n: int = Field(strict=True, ge=1)
    ci95: tuple[Share, Share]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.ci95[0] <= self.value <= self.ci95[1]:
            raise ValueError("ci95 must be a lower and an upper end with the value between them")
        return self

    @classmethod
    def of(cls, estimate: Estimate) -> EstimateCard:
        """The card of an estimate."""
        return cls.model_validate(estimate.to_json())

    @property
    def estimate(self) -> Estimate:
        """The estimate of the card."""
        return share(round(self.value * self.n), self.n, self.kind)


class CertifiedCard(Card):
    """Certified accuracy on the clean images: a lower bound of robust accuracy."""

    accuracy: EstimateCard
    within: ThreatModel = Field(description="The radius: ε of the bundle's threat model, or the usual one.")
    basis: Text = Field(description="What is certified of h, in words; the bound holds as far as that does.")


class EstimatesCard(Card):
    """Figures from cached logits."""

    clean: EstimateCard
    attacked: EstimateCard | None = Field(
        default=None, description="Right at every point that the bundle holds: an upper bound."
    )
    by_margin: EstimateCard | None = Field(
        default=None, description="Right there by a margin that g cannot outvote (Eq. 7)."
    )
    optimistic: bool | None = Field(
        default=None, description="Whether no attack on a mix is among these points: MMAA points only."
    )
    certified: CertifiedCard | None = Field(
        default=None, description="Of bundles with a certificate of h, where it says something of the mix."
    )
    margin_bound: EstimateCard | None = Field(
        default=None, description="At MMAA's points; of configurations from before there were pools."
    )
    transfer: EstimateCard | None = Field(default=None, description="Likewise.")


class AuxiliaryCard(Card):
    """Weights of the differentiable auxiliary classifier (Eq. 8), for gradients."""

    alpha_d: Weight
    r_d: Share = R_D
    beta: Share | None = Field(default=None, description="The level that gave alpha_d.")


class PassesCard(Card):
    """What a component of an attack took: passes through the mix for each image, forward and backward."""

    forward: float = Field(ge=0, allow_inf_nan=False, strict=True)
    backward: float = Field(ge=0, allow_inf_nan=False, strict=True)

    @classmethod
    def of(cls, passes: Passes) -> PassesCard:
        """The card of counted passes, to a hundredth."""
        return cls(**passes.rounded())


class VerifiedCard(Card):
    """An adaptive attack on this very configuration."""

    accuracy: EstimateCard
    clean: EstimateCard | None = Field(default=None, description="Without an attack, on the same images.")
    components: dict[str, Share] = Field(
        default_factory=dict,
        max_length=100,
        description="Accuracy after each component of the attack and those before it.",
    )
    passes: dict[str, PassesCard] | None = Field(
        default=None,
        max_length=100,
        description="What each component took; one that is missing was not counted.",
    )
    attack: Text
    settings: dict[str, Setting] = Field(default_factory=dict, max_length=100)
    warnings: tuple[Text, ...] = Field(
        default=(), max_length=100, description="What puts the figure in doubt; see docs/warnings.md."
    )
    digest: Digest
    outcomes: OutcomesCard | None = Field(
        default=None, description="Which of the images the mix gets right, to compare mixes in pairs."
    )

    @property
    def images(self) -> Setting | None:
        """The digest of images and labels, which tells whether two mixes were verified on the same ones."""
        return self.settings.get("data_digest")

    @model_validator(mode="after")
    def _outcomes_fit(self) -> Self:
        if self.outcomes is not None:
            self.outcomes.check_figure("accuracy", self.outcomes.attacked_right, self.accuracy.estimate)
            if self.clean is not None:
                self.outcomes.check_figure("clean", self.outcomes.clean_right, self.clean.estimate)
        return self


def estimates_card(engine: RemixEngine, remix: Remix) -> EstimatesCard:
    """The figures of a mix as they go into a configuration.

    Args:
        engine: The engine of the bundle.
        remix: What it makes of the mix.
    """
    return EstimatesCard(
        clean=EstimateCard.of(remix.clean),
        attacked=None if remix.attacked is None else EstimateCard.of(remix.attacked),
        by_margin=None if remix.by_margin is None else EstimateCard.of(remix.by_margin),
        optimistic=None if remix.attacked is None else remix.optimistic,
        certified=_certified_card(engine.bundle, remix.params),
    )


def _certified_card(bundle: LogitBundle, params: MixParams) -> CertifiedCard | None:
    card, accuracy = bundle.manifest.certificate, certified_within_eps(bundle, params)
    if card is None or accuracy is None:
        return None
    within, _ = reference_threat(bundle, card)
    return CertifiedCard(accuracy=EstimateCard.of(accuracy), within=within, basis=str(card))

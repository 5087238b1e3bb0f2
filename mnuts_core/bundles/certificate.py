"""What a bundle's manifest says of a certificate of the robust model."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mnuts_core.errors import BundleError


class CertificateCard(BaseModel):
    """What is certified of h, in which norm; `functional.certified` has what follows for a mix.

    `smoothing`: the radii are those of randomized smoothing with noise of `sigma` (Cohen et al., 2019).
    `margin`: within the radii the probability of h's class stays `margin` above all others.
    `lipschitz`: no radii, but `constant` is a Lipschitz constant on all images `of` each of h's
    `probabilities`, each of its `logits`, or each of the `differences` of two logits.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["smoothing", "margin", "lipschitz"]
    norm: Literal["Linf", "L2"]
    sigma: float | None = Field(default=None, gt=0, le=1e6, allow_inf_nan=False)
    margin: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    constant: float | None = Field(default=None, gt=0, le=1e30, allow_inf_nan=False)
    of: Literal["probabilities", "logits", "differences"] | None = None

    @model_validator(mode="after")
    def _complete(self) -> CertificateCard:
        needed = {"smoothing": {"sigma"}, "margin": {"margin"}, "lipschitz": {"constant", "of"}}[self.kind]
        given = {name for name in ("sigma", "margin", "constant", "of") if getattr(self, name) is not None}
        if given != needed or (self.kind == "smoothing" and self.norm != "L2"):
            raise ValueError(f"{self.kind} has {' and '.join(sorted(needed))}, smoothing in L2 alone")
        return self

    @property
    def by_radius(self) -> bool:
        """Whether it needs a radius for each image."""
        return self.kind != "lipschitz"

    def __str__(self) -> str:
        """In words.

        Example:
            >>> str(CertificateCard(kind="smoothing", norm="L2", sigma=0.25))
            'of h, by randomized smoothing, σ = 0.25, ℓ2'
        """
        norm = "ℓ∞" if self.norm == "Linf" else "ℓ2"
        if self.constant is not None:
            return f"of h, each of its {self.of} is {self.constant:g}-Lipschitz, {norm}"
        by = f"randomized smoothing, σ = {self.sigma:g}" if self.sigma else f"a margin of {self.margin:g}"
        return f"of h, by {by}, {norm}"


def check_certificate(card: CertificateCard | None, radii: bool) -> None:
    """Check that certified radii and what is said of them come together.

    Args:
        card: What the manifest says.
        radii: Whether the bundle has radii.

    Raises:
        BundleError: If one is there without the other.
    """
    if radii == (card is not None and card.by_radius):
        return
    if radii:
        raise BundleError(
            "clean.certified_radius needs a certificate in the manifest, which says what the radii prove: "
            "give `mnuts import --certificate`, or leave the column out"
        )
    raise BundleError(
        "the certificate needs clean.certified_radius, a radius for each clean image: import it as the "
        "column certified_radius, or give a Lipschitz constant"
    )

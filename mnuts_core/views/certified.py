"""Certified accuracy: how many clean images a mix surely gets right within a radius, whatever the attack."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mnuts_core.functional.statistics import Estimate
from mnuts_core.params import MixParams
from mnuts_core.remix.certified import (
    certificate_warnings,
    certified_accuracy,
    certified_model,
    reference_threat,
    refusal,
)

if TYPE_CHECKING:
    from mnuts_core.functional.quantiles import QuantileMethod
    from mnuts_core.remix.answers import Remix
    from mnuts_core.remix.engine import RemixEngine

RADII = {
    "L2": (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0),
    "Linf": (0.0, *(levels / 255 for levels in (0.5, 1, 2, 4, 8))),
}
"""At which certified accuracy is usually given, by norm."""


class CertifiedFigures(NamedTuple):
    """Certified accuracies within one radius, beside each other: lower bounds of robust accuracy.

    Attributes:
        radius: In pixels of [0, 1], see `reference_threat`.
        norm: Its norm, the certificate's.
        of_threat: Whether it is the ε of the bundle's threat model.
        within: Both in words.
        basis: What is certified of h, in words.
        rob: h by itself.
        plain: The plain mix at the same level.
        mix: The mix; None where the certificate says nothing of it.
        refused: Why it does not; else empty.
        warnings: What puts them in doubt.
    """

    radius: float
    norm: str
    of_threat: bool
    within: str
    basis: str
    rob: Estimate
    plain: Estimate
    mix: Estimate | None
    refused: str
    warnings: tuple[str, ...]


def certified_meaning(within: str, basis: str, of_threat: bool) -> list[str]:
    """What certified accuracies mean and rest on, a sentence each, as on the page.

    Args:
        within: See `CertifiedFigures`.
        basis: Likewise.
        of_threat: Likewise.
    """
    lines = [
        f"Certified, at least: right for every g and every perturbation within {within}, by the certified "
        f"margin bound (Bai et al., 2024b, Lemma 1) from what was imported {basis}: a lower bound, as far as "
        "that holds."
    ]
    if not of_threat:
        lines.append(
            "The bundle states no ε in this norm: the radius is the customary one, and not that of the "
            "attack."
        )
    return lines


def certified_figures(
    engine: RemixEngine, params: MixParams, remix: Remix, quantile: QuantileMethod = "linear"
) -> CertifiedFigures | None:
    """Certified accuracy of a mix at the bundle's ε, beside h's and the plain mix's.

    Args:
        engine: The engine of the bundle.
        params: The parameters; the plain mix has the same level, see `headline`.
        remix: What the engine makes of them.
        quantile: How α follows from β.

    Returns:
        The figures; None of a bundle without a certificate of h.
    """
    from mnuts_core.views.headline import plain_remix

    bundle, card = engine.bundle, engine.bundle.manifest.certificate
    if card is None:
        return None
    (threat, of_threat), refused = reference_threat(bundle, card), refusal(card, remix.params)
    plain = plain_remix(engine, params, quantile).params
    return CertifiedFigures(
        radius=threat.eps,
        norm=threat.norm,
        of_threat=of_threat,
        within=str(threat),
        basis=str(card),
        rob=certified_model(bundle).accuracy(threat.eps),
        plain=certified_accuracy(bundle, plain, threat.eps),
        mix=None if refused else certified_accuracy(bundle, remix.params, threat.eps),
        refused=refused,
        warnings=certificate_warnings(engine),
    )

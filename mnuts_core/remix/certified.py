"""How far a mix is certified at each clean image of a bundle, from what is certified of its robust model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnuts_core.errors import BundleError, ParameterError
from mnuts_core.functional.statistics import Estimate, share_of
from mnuts_core.params import IDENTITY, MixParams
from mnuts_core.text import counted

if TYPE_CHECKING:
    from torch import Tensor

    from mnuts_core.bundles.bundle import LogitBundle
    from mnuts_core.bundles.certificate import CertificateCard
    from mnuts_core.bundles.manifest import ThreatModel
    from mnuts_core.remix.engine import RemixEngine

CUSTOMARY = {"L2": 0.5, "Linf": 8 / 255}
"""RobustBench's ε, by norm: the radius where a bundle's own is in another norm, or not known."""
WITHOUT_TRANSFORM = (
    "it bounds single probabilities of h, and says nothing of M(h), which all logits decide: certify the "
    "plain mix (without a transform), or give a Lipschitz constant of h's logits"
)


class Certified(NamedTuple):
    """What is certified of a mix.

    Attributes:
        radius: Of each clean image, float64, shape (N,); 0 where nothing is certified, or h is wrong.
        certificate: What it follows from.
        params: The mix.
    """

    radius: NDArray[np.float64]
    certificate: CertificateCard
    params: MixParams

    def accuracy(self, radius: float) -> Estimate:
        """The share of the clean images that the mix is certified to get right within a radius.

        Args:
            radius: In [0, ∞), in the certificate's norm; 0 asks for those that are certified at all.

        Raises:
            ParameterError: If it is negative or not finite.
        """
        if not 0.0 <= radius < float("inf"):
            raise ParameterError(f"radius must lie in [0, inf), got {radius:g}")
        return share_of((self.radius > 0) & (self.radius >= radius), "certified")

    def to_json(self, radii: Sequence[float]) -> dict[str, Any]:
        """As plain JSON, with the accuracy at some radii and the radius of every image."""
        return {
            "certificate": self.certificate.model_dump(exclude_none=True),
            "accuracy": [{"radius": radius, **self.accuracy(radius).to_json()} for radius in radii],
            "radius": self.radius.tolist(),
        }


def certified(bundle: LogitBundle, params: MixParams) -> Certified:
    """How far a mix is certified at each clean image of a bundle.

    Args:
        bundle: A bundle whose manifest has a `certificate` of h.
        params: The mix, with α set; T does not matter.

    Raises:
        BundleError: If nothing is certified of h.
        ParameterError: If what is says nothing of this mix, or α is not set.
    """
    import torch

    from mnuts_core.functional import certified as radii
    from mnuts_core.functional.mixing import required_alpha

    card, alpha = bundle.manifest.certificate, required_alpha(params)
    if card is None:
        raise BundleError(
            f"bundle {bundle.name!r} holds no certificate of its robust model: import certified radii of it "
            "(column certified_radius), or a Lipschitz constant, with `mnuts import --certificate`"
        )
    if reason := refusal(card, params):
        raise ParameterError(reason)
    if card.constant is not None:
        logits, labels = _of_model(bundle)
        if card.of == "probabilities":
            found = radii.probability_radii(logits, labels, card.constant, alpha)
        elif params.plain:
            found = radii.logit_radii(logits, labels, _growth(card), alpha)
        else:
            found = radii.transformed_radii(logits, labels, _growth(card), params)
    else:
        given = torch.from_numpy(_radii_of_model(bundle))
        if card.sigma is not None:
            found = radii.smoothing_radii(given, card.sigma, alpha)
        else:
            found = radii.margin_radii(given, card.margin or 0.0, alpha)
    return Certified(found.numpy(), card, params)


def certified_accuracy(bundle: LogitBundle, params: MixParams, radius: float) -> Estimate:
    """`Certified.accuracy` of a mix at one radius.

    Where the radius of each image would have to be searched for, only this one is looked at: on 5,000 images
    of 1,000 classes, seconds instead of minutes.

    Args:
        bundle: A bundle whose manifest has a `certificate` of h.
        params: The mix, with α set.
        radius: In (0, ∞), in the certificate's norm.

    Raises:
        BundleError: If nothing is certified of h.
        ParameterError: If what is says nothing of this mix, or α is not set.
    """
    from mnuts_core.functional.certified import transformed_kept

    card = bundle.manifest.certificate
    if card is None or card.constant is None or params.plain or refusal(card, params):
        return certified(bundle, params).accuracy(radius)
    return share_of(transformed_kept(*_of_model(bundle), _growth(card), params, radius).numpy(), "certified")


def certified_within_eps(bundle: LogitBundle, params: MixParams) -> Estimate | None:
    """Certified accuracy of a mix within `reference_threat`; None where nothing is certified of it.

    Args:
        bundle: The bundle.
        params: The mix, with α set.
    """
    card = bundle.manifest.certificate
    if card is None or refusal(card, params):
        return None
    return certified_accuracy(bundle, params, reference_threat(bundle, card)[0].eps)


def _of_model(bundle: LogitBundle) -> tuple[Tensor, Tensor]:
    """H's clean logits, float64, shape (N, K), and the labels."""
    import torch

    logits, labels = torch.from_numpy(bundle.clean_rob_logits), torch.from_numpy(bundle.clean_labels)
    return logits.double(), labels


def _growth(card: CertificateCard) -> float:
    """D: no class gains more than D‖δ‖ on another, of a certificate of logits or their differences."""
    return (card.constant or 0.0) * (2.0 if card.of == "logits" else 1.0)


def refusal(card: CertificateCard, params: MixParams) -> str:
    """Why a certificate says nothing of a mix; empty where it does.

    Args:
        card: What is certified of h.
        params: The mix.
    """
    from mnuts_core.functional.certified import WITHOUT_LAYER_NORM

    if params.plain:
        return ""
    if card.by_radius or card.of == "probabilities":
        kind = f"{card.kind}{f' of {card.of}' if card.of else ''}"
        return f"a certificate by {kind} does not carry over to this mix: {WITHOUT_TRANSFORM}"
    return WITHOUT_LAYER_NORM if params.ln_k < 2 else ""


def certified_model(bundle: LogitBundle) -> Certified:
    """How far h by itself is certified at each clean image.

    Args:
        bundle: A bundle whose manifest has a `certificate` of h.

    Raises:
        BundleError: If nothing is certified of h.
    """
    alone, card = IDENTITY.with_(alpha=1.0), bundle.manifest.certificate
    if card is None or not card.by_radius:
        return certified(bundle, alone)
    return Certified(_radii_of_model(bundle), card, alone)


def _radii_of_model(bundle: LogitBundle) -> NDArray[np.float64]:
    """The radii as imported, 0 where h is wrong: it is h's own class that is certified."""
    radii = bundle.clean_certified_radius
    assert radii is not None  # the manifest and the column belong together
    return np.where(bundle.clean_rob_logits.argmax(axis=1) == bundle.clean_labels, radii, 0.0)


def certificate_warnings(engine: RemixEngine) -> tuple[str, ...]:
    """Whether attacked points refute what is certified of h: it is wrong within a radius where it cannot be.

    Args:
        engine: The engine of the bundle.
    """
    bundle, right = engine.bundle, engine.rob_right_on_images
    card, part = bundle.manifest.certificate, bundle.attacked
    if card is None or part is None or right is None:
        return ()
    threat, of_threat = reference_threat(bundle, card)
    sure = certified_model(bundle).radius[part.index[: part.n_images]] >= threat.eps
    refuted = int((sure & ~right).sum()) if of_threat else 0
    if not refuted:
        return ()
    return (
        f"The certificate cannot hold: h is certified within {threat} on "
        f"{counted(refuted, 'attacked image')}, and wrong at known points there. What was imported belongs "
        "to another model, scale of pixels or ε.",
    )


def reference_threat(bundle: LogitBundle, card: CertificateCard) -> tuple[ThreatModel, bool]:
    """Within what certified accuracy is shown: the bundle's threat model, and True.

    Where that has another norm, or is not known, one of `CUSTOMARY`, and False.

    Args:
        bundle: The bundle.
        card: Its certificate.
    """
    from mnuts_core.bundles.manifest import ThreatModel

    threat = bundle.manifest.threat
    if threat is not None and threat.norm == card.norm:
        return threat, True
    return ThreatModel(norm=card.norm, eps=CUSTOMARY[card.norm]), False

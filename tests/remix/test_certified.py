"""Certified accuracy on a bundle: which certificate says what of which mix, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from mnuts_core.bundles.certificate import CertificateCard
from mnuts_core.errors import BundleError, ParameterError
from mnuts_core.functional.certified import threshold
from mnuts_core.params import IDENTITY, MixParams
from mnuts_core.remix.certified import certified, certified_accuracy, certified_model
from tests.synthetic import make_bundle

N = 60
PLAIN, MIX = IDENTITY.with_(alpha=0.9), MixParams(s=4, p=2, c=-0.5, alpha=0.9)
LIPSCHITZ = {"kind": "lipschitz", "norm": "Linf", "constant": 2.0}


def bundle(radius=None, **card):
    plain = make_bundle(n=N, m=10, k=4)
    manifest = plain.manifest.model_copy(update={"certificate": CertificateCard(**card)})
    return replace(plain, manifest=manifest, clean_certified_radius=radius)


def test_radii_are_those_of_right_answers_of_h():
    margin = bundle(np.full(N, 0.5), kind="margin", norm="L2", margin=0.2)
    right = margin.clean_rob_logits.argmax(axis=1) == margin.clean_labels
    assert 0 < right.sum() < N
    np.testing.assert_array_equal(certified(margin, PLAIN).radius, np.where(right, 0.5, 0.0))
    np.testing.assert_array_equal(certified_model(margin).radius, np.where(right, 0.5, 0.0))
    assert not certified(margin, IDENTITY.with_(alpha=0.8)).radius.any()
    smoothed = bundle(np.full(N, 0.5), kind="smoothing", norm="L2", sigma=0.25)
    found = certified(smoothed, PLAIN)
    assert (found.radius[right] < 0.5).all()
    assert found.accuracy(0.0).count == found.accuracy(0.4).count == right.sum()
    assert found.accuracy(0.5).count == 0


def test_at_radius_zero_it_is_what_h_wins_by_its_margin():
    logits = bundle(**LIPSCHITZ, of="logits")
    odds = np.exp(logits.clean_rob_logits.astype(float))
    ranked = odds / odds.sum(axis=1, keepdims=True)
    own = ranked[np.arange(N), logits.clean_labels]
    np.put_along_axis(ranked, logits.clean_labels[:, None], -1, axis=1)
    wins = own - ranked.max(axis=1) > threshold(0.9)
    assert certified(logits, PLAIN).accuracy(0.0).count == wins.sum()
    assert certified_model(logits).accuracy(0.0).count >= wins.sum()


def test_differences_are_twice_as_loose_as_logits():
    logits, differences = (
        certified(bundle(**LIPSCHITZ, of=of), MIX).radius for of in ("logits", "differences")
    )
    assert logits.any()
    np.testing.assert_allclose(differences, 2 * logits, rtol=1e-6)


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "margin", "norm": "L2", "margin": 0.5, "radius": np.ones(N)},
        {"kind": "smoothing", "norm": "L2", "sigma": 0.5, "radius": np.ones(N)},
        {**LIPSCHITZ, "of": "probabilities"},
    ],
)
def test_what_bounds_single_probabilities_is_refused_for_a_transform(given):
    with pytest.raises(ParameterError, match="does not carry over to this mix"):
        certified(bundle(**given), MIX)
    certified(bundle(**given), PLAIN)


@pytest.mark.parametrize("params", [PLAIN, MIX, MIX.with_(p=0.5, clamp="relu", alpha=1.0)])
@pytest.mark.parametrize("radius", [1e-6, 0.01, 0.1])
def test_at_one_radius_without_the_others(params, radius):
    differences = bundle(**LIPSCHITZ, of="differences")
    assert certified_accuracy(differences, params, radius) == certified(differences, params).accuracy(radius)


def test_refusals():
    with pytest.raises(BundleError, match="holds no certificate"):
        certified(make_bundle(n=N, m=10, k=4), PLAIN)
    with pytest.raises(ParameterError, match="ln_k must be at least 2"):
        certified_accuracy(bundle(**LIPSCHITZ, of="logits"), MIX.with_(ln_k=0), 0.1)
    with pytest.raises(ParameterError, match="alpha must be a number"):
        certified(bundle(**LIPSCHITZ, of="logits"), IDENTITY)
    with pytest.raises(ParameterError, match="radius must lie in"):
        certified(bundle(**LIPSCHITZ, of="logits"), PLAIN).accuracy(-1.0)

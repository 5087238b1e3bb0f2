"""Certified radii: closed forms by hand, and every certificate held to perturbations that try to break it."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mnuts_core.errors import ParameterError
from mnuts_core.functional.certified import (
    SLACK,
    logit_radii,
    margin_radii,
    probability_radii,
    smoothing_radii,
    threshold,
    transformed_radii,
)
from mnuts_core.functional.mixing import mixed_logits
from mnuts_core.params import IDENTITY, MixParams

K = 4


def of(*rows):
    return torch.tensor(rows, dtype=torch.float64)


def worst_g(labels, k=K):
    """The standard logits that harm each label most: all mass on one other class, for each of these."""
    for shift in range(1, k):
        yield 50.0 * torch.nn.functional.one_hot((labels + shift) % k, k).double()


def broken(rob, labels, params):
    """Whether some g makes the mix wrong at these logits of h."""
    wrong = torch.zeros(len(rob), dtype=torch.bool)
    for std in worst_g(labels):
        wrong |= mixed_logits(std, rob, params).argmax(dim=1) != labels
    return wrong


def test_the_threshold_is_that_of_the_paper_and_half_certifies_nothing():
    assert threshold(0.8) == pytest.approx(0.25, abs=2 * SLACK)
    labels, sure = torch.tensor([0]), of([50.0, 0, 0, 0])
    assert logit_radii(sure, labels, 1.0, 0.5).item() == 0
    assert smoothing_radii(of(9.0), 1.0, 0.5).item() == 0
    with pytest.raises(ParameterError, match="alpha must lie in"):
        threshold(0.49)


def test_radii_of_a_margin_serve_the_mixes_whose_threshold_it_exceeds():
    radii = of(1.0, 0.0, 2.0)
    assert margin_radii(radii, 0.3, 0.8).tolist() == [1, 0, 2]
    assert margin_radii(radii, 0.2, 0.8).tolist() == [0, 0, 0]
    assert margin_radii(radii, 0.25, 0.8).tolist() == [0, 0, 0]  # a tie is g's


def test_smoothing_loses_the_quantile_of_one_over_two_alpha():
    found = smoothing_radii(of(1.0, 0.05, 0.0), 0.5, 0.8)
    lost = 0.5 * 0.31863936396437514  # Φ⁻¹(1 / 1.6)
    assert found.tolist() == pytest.approx([1.0 - lost, 0, 0], abs=1e-8)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.51, 1.0), st.floats(0.5001, 0.9999), st.floats(0.1, 2.0), st.floats(0.0, 0.999))
def test_smoothing_against_the_worst_smoothed_classifier(alpha, p, sigma, share):
    """Of a half-space, whose smoothed probability falls as fast as it can, the bound is exact."""
    normal = torch.distributions.Normal(0.0, 1.0)
    radius = sigma * normal.icdf(of(p))
    certified = smoothing_radii(radius, sigma, alpha)
    assert (certified <= radius).all()
    at = normal.cdf((radius - share * certified) / sigma)  # the other half-space is the second class
    if certified > 0:
        assert alpha * (2 * at - 1) > 1 - alpha
    beyond = normal.cdf((radius - certified - 1e-6) / sigma)
    assert certified > 0 or alpha * (2 * normal.cdf(radius / sigma) - 1) <= (1 - alpha) + 1e-9
    assert alpha * (2 * beyond - 1) <= (1 - alpha) + 1e-9


def test_probabilities_by_hand():
    logits = of([math.log(7), math.log(2), math.log(1)])  # 0.7, 0.2, 0.1
    found = probability_radii(logits, torch.tensor([0]), 2.0, 0.8)
    assert found.item() == pytest.approx((0.5 - 0.25) / 4)
    assert probability_radii(logits, torch.tensor([1]), 2.0, 0.8).item() == 0


def test_logits_by_hand_the_margin_at_the_radius_is_the_threshold():
    logits, labels = of([3.0, 1.0, 0.0, -1.0]), torch.tensor([0])
    radius = logit_radii(logits, labels, 2.0, 0.75)
    moved = logits - 2.0 * radius * torch.tensor([1.0, 0, 0, 0])
    top = moved.softmax(dim=1).sort(descending=True).values[0]
    assert (top[0] - top[1]).item() == pytest.approx(1 / 3, abs=1e-7)


MIXES = st.builds(
    MixParams,
    s=st.floats(0.5, 6),
    p=st.floats(0.5, 4),
    c=st.floats(-1.5, 1.5),
    clamp=st.sampled_from(["gelu", "relu", "elu", "softplus", "linear"]),
    ln_k=st.sampled_from([2, 3, 250]),
    alpha=st.floats(0.55, 1.0),
)


@given(st.integers(0, 10**6), st.one_of(MIXES, st.floats(0.55, 1.0).map(lambda a: IDENTITY.with_(alpha=a))))
@settings(max_examples=15, deadline=None)
def test_no_logits_within_the_radius_and_no_g_break_a_certified_mix(seed, params):
    """Logits of 1-Lipschitz logits, moved by at most the radius each: to corners, at random, towards y."""
    generator = torch.Generator().manual_seed(seed)
    logits = 4 * torch.randn(40, K, generator=generator, dtype=torch.float64)
    labels = logits.argmax(dim=1)
    radii = (
        logit_radii(logits, labels, 2.0, params.alpha)
        if params.plain
        else transformed_radii(logits, labels, 2.0, params)
    )
    sure = radii > 0
    own = torch.nn.functional.one_hot(labels, K).bool()
    moves = [torch.where(own, -1.0, 1.0).double(), torch.where(own, 1.0, -1.0).double()]
    moves += [torch.randint(0, 2, (40, K), generator=generator).double() * 2 - 1 for _ in range(12)]
    moves += [torch.rand(40, K, generator=generator, dtype=torch.float64) * 2 - 1 for _ in range(6)]
    for move in moves:
        moved = logits + move * radii.unsqueeze(1)
        assert not (broken(moved, labels, params) & sure).any()


def test_a_transformed_mix_is_certified_at_all_and_less_far_under_a_larger_constant():
    logits, labels = of([6.0, 1.0, 0.0, -1.0], [1.0, 6.0, 0.5, 0.0]), torch.tensor([0, 0])
    params = MixParams(s=5, p=2, c=-0.5, alpha=0.9)
    near, far = (transformed_radii(logits, labels, growth, params) for growth in (4.0, 2.0))
    assert far[0] > near[0] > 0
    assert far[0] == pytest.approx(2 * near[0])
    assert far[1] == near[1] == 0  # wrong already


def test_without_layer_norm_a_transform_is_refused():
    with pytest.raises(ParameterError, match="ln_k must be at least 2"):
        transformed_radii(of([1.0, 0.0]), torch.tensor([0]), 1.0, MixParams(s=1, p=2, c=0, alpha=0.9, ln_k=0))

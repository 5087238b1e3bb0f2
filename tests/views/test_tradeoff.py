"""The curves against the engine, one point after the other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mnuts_core import (
    GridSpec,
    LogitBundle,
    MixParams,
    ParameterError,
    RemixEngine,
    alpha_curve,
    beta_frontier,
    grid_search,
)
from mnuts_core.clamps import CLAMPS
from mnuts_core.params import IDENTITY, LN_ONLY
from mnuts_core.views.stretches import right_between
from mnuts_core.views.tradeoff import alpha_grid, frontier_curve
from tests import reference
from tests.synthetic import clean_only, make_bundle, make_tied

TRANSFORMS = [
    MixParams(s=5.0, p=4.0, c=-1.1),
    MixParams(s=0.3, p=2.0, c=-2.0),
    MixParams(s=2.0, p=2.0, c=-0.5, clamp="relu"),
    LN_ONLY,
    IDENTITY,
]


@pytest.fixture(scope="module")
def engine(bundle):
    return RemixEngine(bundle, device="cpu")


def assert_matches(engine, params, curve):
    for place, alpha in enumerate(curve.alpha):
        remix = engine.remix(params.with_(alpha=float(alpha)))
        assert curve.clean[place] == pytest.approx(remix.clean.value, abs=1e-12), alpha
        assert curve.by_margin[place] == pytest.approx(remix.by_margin.value, abs=1e-12), alpha
        assert curve.attacked[place] == pytest.approx(remix.attacked.value, abs=1e-12), alpha


@pytest.mark.parametrize("temperature", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("params", TRANSFORMS, ids=str)
def test_every_alpha_is_a_remix(engine, params, temperature):
    params = params.with_(temperature=temperature)
    curve = alpha_curve(engine, params, alpha_grid(41))
    assert_matches(engine, params, curve)
    assert np.ptp(curve.clean) > 0


@pytest.mark.parametrize("params", TRANSFORMS, ids=str)
@pytest.mark.parametrize("quantile", ["linear", "lower"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_at_the_very_alphas_that_beta_gives(bundle, params, quantile, dtype):
    """There an attacked example's margin is the threshold itself: both sides must break the tie alike."""
    engine = RemixEngine(bundle, dtype=dtype)
    right = engine.rob_right[engine.n_clean :].sum()
    betas = 1 - np.arange(0, right, 7) / (right - 1)
    alphas = [engine.remix(params.with_(beta=float(b)), quantile=quantile).alpha for b in betas]
    assert_matches(engine, params, alpha_curve(engine, params, alphas))


@given(alpha=st.floats(0.5, 1.0), place=st.integers(0, len(TRANSFORMS) - 1), t=st.sampled_from([0.0, 0.7]))
def test_any_alpha(engine, alpha, place, t):
    params = TRANSFORMS[place].with_(temperature=t)
    assert_matches(engine, params, alpha_curve(engine, params, alpha))


def test_in_float32(bundle):
    engine = RemixEngine(bundle, dtype=torch.float32)
    assert_matches(engine, TRANSFORMS[0], alpha_curve(engine, TRANSFORMS[0], alpha_grid(41)))


MODERATE = st.builds(
    MixParams,
    s=st.sampled_from([0.5, 1.0, 5.0]),
    p=st.sampled_from([1.0, 2.0, 2.5]),
    c=st.sampled_from([-1.0, -0.5, 0.0, 0.75]),
    clamp=st.sampled_from(CLAMPS),
    ln_k=st.sampled_from([0, 4, 250]),
    temperature=st.sampled_from([0.0, 0.05, 0.3, 1.0]),
)
TIED = [(True, False), (False, True), (True, True)]
"""Whose largest logits are: g's, h's, both."""
ODDS = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(1e-6, 1.0))


@given(
    params=MODERATE,
    odds=st.lists(ODDS, min_size=1, max_size=3),
    k=st.sampled_from([2, 3, 10, 50]),
    seed=st.integers(0, 10**6),
    tied=st.sampled_from(TIED),
)
def test_exact_ties_obey_the_rule(params, odds, k, seed, tied):
    """Where logits of g, of h or of both are equal, against every class of every row in exact arithmetic."""
    bundle = make_tied(n=16, m=4, k=k, seed=seed, std=tied[0], rob=tied[1])
    alphas = 1 / (1 + np.array(odds))
    curve = alpha_curve(RemixEngine(bundle, device="cpu"), params, alphas)
    std = reference.std_probabilities(bundle.clean_std_logits, params.temperature)
    mapping = params.s, params.p, params.c, params.clamp, params.ln_k
    rob = reference.softmax(reference.transform(bundle.clean_rob_logits, *mapping))
    for alpha, share in zip(alphas.tolist(), curve.clean.tolist(), strict=True):
        found = reference.soft_rule(std, rob, (1 - alpha) / alpha)
        right, open_ = int((found == bundle.clean_labels).sum()), int((found == -1).sum())
        assert right <= round(share * bundle.n_clean) <= right + open_


@pytest.mark.parametrize("temperature", [0.0, 0.3])
@pytest.mark.parametrize("tied", TIED)
@given(params=MODERATE, k=st.sampled_from([2, 3, 10, 50]), seed=st.integers(0, 10**6))
@example(params=MixParams(s=0.5, p=1.0, c=-0.5, clamp="softplus", ln_k=4), k=10, seed=461992)
@settings(max_examples=15)
def test_every_alpha_is_a_remix_where_logits_tie(tied, params, k, seed, temperature):
    engine = RemixEngine(make_tied(n=24, m=12, k=k, seed=seed, std=tied[0], rob=tied[1]), device="cpu")
    params = params.with_(temperature=temperature)
    assert_matches(engine, params, alpha_curve(engine, params, [0.5, 0.7, 0.99, 1.0]))


@pytest.mark.parametrize("clamp", CLAMPS)
@pytest.mark.parametrize("p", [1.0, 2.0, 2.5, 4.0])
def test_equal_logits_stay_equally_probable(clamp, p):
    """Wherever they stand in memory."""
    params = MixParams(s=2.0, p=p, c=0.75, clamp=clamp, alpha=0.9, temperature=1.0)
    for rows in range(1, 30):
        bundle = make_tied(n=rows, m=1, k=10, seed=rows, std=False, rob=True)
        engine = RemixEngine(bundle, device="cpu")
        for h, found in zip(engine.rob_logits, engine.rob_probabilities(params), strict=True):
            assert len(found.unique()) <= len(h.unique())


def test_the_intervals_by_hand():
    """Three classes, label 0, h = log(.5, .3, .2) untransformed, g one-hot."""
    h = np.log([[0.5, 0.3, 0.2]] * 3 + [[0.2, 0.5, 0.3]] * 3)
    g = np.eye(3)[[0, 1, 2, 0, 1, 2]] * 9.0
    labels = np.zeros(6, np.int64)
    engine = RemixEngine(LogitBundle.from_arrays(clean_labels=labels, clean_std_logits=g, clean_rob_logits=h))
    low, high, closed = right_between(engine, IDENTITY.with_(alpha=0.7))
    # right at every odds; while odds < .5 - .3; while odds < .5 - .2; from .5 - .2 on; never; never
    np.testing.assert_allclose(low, [0, 0, 0, 0.3, np.inf, np.inf], atol=1e-9)
    np.testing.assert_allclose(high, [np.inf, 0.2, 0.3, np.inf, -np.inf, -np.inf], atol=1e-9)
    assert closed.tolist()[:4] == [True, False, False, True]


def test_robust_figures_rise_with_alpha_and_end_at_the_robust_model(engine):
    curve = alpha_curve(engine, TRANSFORMS[0])
    order = np.argsort(curve.alpha)
    assert (np.diff(curve.by_margin[order]) >= 0).all()
    at_one = engine.remix(TRANSFORMS[0].with_(alpha=1.0))
    assert curve.by_margin[order][-1] == at_one.rob_attacked.value
    assert (curve.attacked >= 0).all()
    assert (curve.attacked <= 1).all()


def test_the_grid_of_alphas():
    grid = alpha_grid()
    assert len(grid) == 161
    assert grid.max() == 1.0
    assert grid.min() == 0.5
    assert (np.diff(grid) < 0).all()
    assert np.count_nonzero((grid > 0.999) & (grid < 1)) > 20


def test_without_an_attack(bundle):
    curve = alpha_curve(RemixEngine(clean_only(bundle)), TRANSFORMS[0], [0.6, 0.9])
    assert np.isfinite(curve.clean).all()
    assert np.isnan(curve.by_margin).all()
    assert np.isnan(curve.attacked).all()


@pytest.mark.parametrize("bad", [[0.4], [0.9, 1.2], [float("nan"), 0.7]])
def test_bad_alphas(engine, bad):
    with pytest.raises(ParameterError, match=r"alpha must lie in \[0.5, 1\]"):
        alpha_curve(engine, TRANSFORMS[0], bad)


@pytest.mark.parametrize("k", [2, 3])
def test_few_classes(k):
    engine = RemixEngine(make_bundle(k=k, n=60, m=40))
    for temperature in (0.0, 0.5):
        params = MixParams(s=2.0, p=1.5, c=-0.3, temperature=temperature)
        assert_matches(engine, params, alpha_curve(engine, params, alpha_grid(15)))


def test_the_frontiers_points_are_remixes(bundle, engine):
    grid = GridSpec.from_ranges((0.1, 3.0), (1.0, 4.0), (-1.5, 0.0), steps=3)
    frontier = beta_frontier(grid_search(bundle, grid), np.linspace(0.3, 1, 15))
    curve = frontier_curve(engine, frontier)
    np.testing.assert_array_equal(curve.alpha, frontier.alpha)
    for place, params in enumerate(frontier.params):
        remix = engine.remix(params)
        assert curve.clean[place] == pytest.approx(remix.clean.value, abs=1e-12)
        assert curve.by_margin[place] == pytest.approx(remix.by_margin.value, abs=1e-12)
        assert curve.attacked[place] == pytest.approx(remix.attacked.value, abs=1e-12)
    assert len({params.with_(alpha=None, beta=1.0) for params in frontier.params}) > 1

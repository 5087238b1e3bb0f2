"""Several points an image: every figure against plain loops over images and their points."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnuts_core import GridSpec, MixParams, ParameterError, RemixEngine, grid_search
from mnuts_core.functional.quantiles import least_kept
from mnuts_core.params import IDENTITY
from mnuts_core.views.tradeoff import alpha_curve, plateau_curve
from tests import reference
from tests.synthetic import make_bundle, make_pool

PARAMS = [
    MixParams(s=5.0, p=4.0, c=-1.1, beta=0.9),
    MixParams(s=0.6, p=2.5, c=-2.5, beta=0.95),
    IDENTITY.with_(beta=0.8),
    MixParams(s=2.0, p=2.0, c=0.3, clamp="relu", temperature=0.7),
]


@pytest.fixture(scope="module")
def pool():
    return make_pool(n=200, m=120, sources=4)


@pytest.fixture(scope="module")
def engine(pool):
    return RemixEngine(pool, device="cpu")


def probabilities(logits, params):
    return reference.softmax(
        reference.transform(logits, params.s, params.p, params.c, params.clamp, params.ln_k)
    )


def by_image(bundle, values, start):
    """The values of each attacked image's points; `start`, by clean rows, begins each list."""
    found = [[start[row]] if start is not None else [] for row in bundle.attacked.first.index]
    for image, value in zip(bundle.attacked.of, values, strict=True):
        found[image].append(value)
    return found


def expected(bundle, params, alpha):
    """Attacked accuracy and accuracy by margin, image by image."""
    part = bundle.attacked
    right, held = [], []
    for std, rob, labels in (
        (bundle.clean_std_logits, bundle.clean_rob_logits, bundle.clean_labels),
        (part.std_logits, part.rob_logits, part.labels),
    ):
        p = probabilities(rob, params)
        mixed = reference.mixed_probabilities(reference.std_probabilities(std, params.temperature), p, alpha)
        right.append(mixed.argmax(axis=1) == labels)
        held.append((p.argmax(axis=1) == labels) & (reference.margins(p) >= least_kept((1 - alpha) / alpha)))
    attacked = [all(points) for points in by_image(bundle, right[1], right[0])]
    by_margin = [all(points) for points in by_image(bundle, held[1], None)]
    return np.array(attacked), np.array(by_margin)


@pytest.mark.parametrize("alpha", [0.55, 0.8, 0.97])
@pytest.mark.parametrize("params", PARAMS, ids=str)
def test_figures_against_loops(pool, engine, params, alpha):
    remix = engine.remix(params.with_(alpha=alpha))
    attacked, by_margin = expected(pool, params, alpha)
    np.testing.assert_array_equal(remix.on_images.mix_right, attacked)
    np.testing.assert_array_equal(remix.on_images.held(remix.threshold), by_margin)
    assert (remix.attacked.successes, remix.attacked.n) == (attacked.sum(), pool.n_adv)
    assert (remix.by_margin.successes, remix.by_margin.n) == (by_margin.sum(), pool.n_adv)
    assert (remix.attacked.kind, remix.by_margin.kind) == ("attacked", "right by margin")
    assert not remix.optimistic


@pytest.mark.parametrize("params", PARAMS, ids=str)
def test_the_row_shown_is_one_at_which_the_mix_is_wrong_if_any_is(pool, engine, params):
    remix = engine.remix(params.with_(alpha=0.7))
    rows = np.concatenate(
        [remix.on_clean.mix_class, engine.everywhere(remix.params, remix.threshold).mix_class[200:]]
    )
    labels = np.concatenate([pool.clean_labels, pool.attacked.labels])
    images = np.concatenate([pool.clean_labels * 0 - 1, pool.attacked.of])
    found = remix.on_images
    np.testing.assert_array_equal(found.mix_class, rows[found.row])
    np.testing.assert_array_equal(found.mix_right, rows[found.row] == labels[found.row])
    own = (images[found.row] == np.arange(pool.n_adv)) | (found.row == pool.attacked.first.index)
    assert own.all()


@pytest.mark.parametrize("points", ["pool", "mmaa"])
@pytest.mark.parametrize("params", PARAMS, ids=str)
def test_alpha_follows_from_the_least_margin_of_each_image(pool, params, points):
    engine, part = RemixEngine(pool, points=points), pool.attacked
    margins = reference.margins(probabilities(part.rob_logits, params))
    right = part.rob_logits.argmax(axis=1) == part.labels
    if points == "mmaa":
        levels = margins[: pool.n_adv][right[: pool.n_adv]]
    else:
        pairs = zip(by_image(pool, margins, None), by_image(pool, right, None), strict=True)
        levels = np.array([min(own) for own, good in pairs if all(good)])
    np.testing.assert_allclose(engine.level_margins(params), np.sort(levels), atol=1e-12)
    q = reference.bottom_quantile(levels, params.beta, "linear")
    assert engine.threshold(params) == pytest.approx(q, abs=1e-12)


@pytest.mark.parametrize("beta", [0.6, 0.95])
def test_algorithm_one_on_the_pool_against_a_loop(pool, beta):
    grid = GridSpec(s=[0.3, 2.0, 8.0], p=[0.8, 3.0], c=[-2.5, -1.0, 0.2])
    found = grid_search(pool, grid, beta)
    part, first = pool.attacked, pool.attacked.first
    wrong_rows = first.index[
        pool.clean_rob_logits[first.index].argmax(axis=1) != pool.clean_labels[first.index]
    ]
    right = by_image(pool, part.rob_logits.argmax(axis=1) == part.labels, None)
    for place in np.ndindex(grid.shape):
        params = MixParams(s=grid.s[place[0]], p=grid.p[place[1]], c=grid.c[place[2]])
        margins = by_image(pool, reference.margins(probabilities(part.rob_logits, params)), None)
        q = reference.bottom_quantile(
            np.array([min(own) for own, good in zip(margins, right, strict=True) if all(good)]),
            beta,
            "linear",
        )
        wrong = reference.margins(probabilities(pool.clean_rob_logits[wrong_rows], params))
        assert found.quantile[place] == pytest.approx(q, abs=1e-12)
        if 1e-12 < q < 1 - 3e-6:
            assert found.objective[place] == pytest.approx(np.mean(wrong >= q), abs=1e-12)
    assert found.n_right == sum(map(all, right))
    assert (found.n_attacked, found.points) == (pool.n_adv, "pool")
    plain = grid_search(make_bundle(n=200, m=120), grid, beta)
    paper = grid_search(pool, grid, beta, points="mmaa")
    np.testing.assert_array_equal(paper.quantile, plain.quantile)
    np.testing.assert_array_equal(paper.objective, plain.objective)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 5),
    params=st.sampled_from(PARAMS),
    temperature=st.sampled_from([0.0, 0.5]),
    alpha=st.floats(0.5, 1.0),
)
def test_curves_say_what_the_engine_says_at_each_alpha(seed, params, temperature, alpha):
    engine = RemixEngine(make_pool(n=60, m=30, sources=3, seed=seed))
    params = params.with_(temperature=temperature)
    remix, curve = engine.remix(params.with_(alpha=alpha)), alpha_curve(engine, params, [alpha])
    assert curve.clean[0] == pytest.approx(remix.clean.value, abs=1e-12)
    assert curve.attacked[0] == pytest.approx(remix.attacked.value, abs=1e-12)
    assert curve.by_margin[0] == pytest.approx(remix.by_margin.value, abs=1e-12)


def test_every_pair_of_figures_is_on_the_plateaus(engine):
    params = PARAMS[0]
    curve = plateau_curve(engine, params)
    reached = set(zip(curve.clean.round(9), curve.attacked.round(9), strict=True))
    for alpha in np.random.default_rng(0).uniform(0.5, 1, 60):
        one = alpha_curve(engine, params, [alpha])
        assert (one.clean[0].round(9), one.attacked[0].round(9)) in reached


@pytest.mark.parametrize("params", PARAMS, ids=str)
def test_more_points_never_raise_a_figure(params):
    few, many = make_pool(sources=2), make_pool(sources=4)
    for alpha in (0.6, 0.9):
        before, after = (RemixEngine(each).remix(params.with_(alpha=alpha)) for each in (few, many))
        if params.temperature == 0.0 and params.plain:  # elsewhere a settled image has fewer points
            assert after.attacked.successes <= before.attacked.successes
            assert after.by_margin.successes <= before.by_margin.successes
        assert after.clean == before.clean


def test_the_models_by_themselves(pool, engine):
    part, base = pool.attacked, engine.base
    for name, clean, adv in (
        ("rob_attacked", pool.clean_rob_logits, part.rob_logits),
        ("std_attacked", pool.clean_std_logits, part.std_logits),
    ):
        right = by_image(pool, adv.argmax(axis=1) == part.labels, clean.argmax(axis=1) == pool.clean_labels)
        figure = getattr(base, name)
        assert (figure is None) == (name == "std_attacked")  # no source attacked g
        if figure is not None:
            assert figure.successes == sum(map(all, right))


def test_only_attacks_on_mixes_make_the_figure_less_than_optimistic():
    assert RemixEngine(make_pool(mixes=False)).remix(PARAMS[0]).optimistic
    assert RemixEngine(make_bundle()).remix(PARAMS[0]).optimistic
    assert not RemixEngine(make_pool()).remix(PARAMS[0]).optimistic


def test_another_rule_is_refused(pool):
    with pytest.raises(ParameterError, match="points must be one of pool, mmaa, got 'all'"):
        RemixEngine(pool, points="all")
    with pytest.raises(ParameterError, match="points must be one of"):
        grid_search(pool, GridSpec(s=[1], p=[1], c=[0]), points="all")

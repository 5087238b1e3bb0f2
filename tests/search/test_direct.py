"""The direct search against a loop over cells and α that asks the engine."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnuts_core import GridSpec, LogitBundle, ParameterError, RemixEngine
from mnuts_core.bundles.library import find_bundle
from mnuts_core.clamps import CLAMPS
from mnuts_core.params import MixParams
from mnuts_core.search.direct import direct_plain, direct_search
from mnuts_core.search.direct_result import Choice
from tests.synthetic import clean_only, make_bundle, make_pool

GRID = GridSpec.from_ranges((0.05, 5.0), (1.0, 4.0), (-2.0, 0.0), steps=3)


@pytest.fixture(scope="module")
def pool() -> LogitBundle:
    return make_pool()


@pytest.fixture(scope="module")
def found(pool):
    return direct_search(pool, GRID)


def figures(bundle: LogitBundle, params: MixParams) -> tuple[float, float]:
    """Clean accuracy on the attacked images' clean rows, and attacked accuracy, by the engine."""
    remix = RemixEngine(bundle, device="cpu").remix(params)
    pool = bundle.require_attacked()
    return float(remix.on_clean.mix_right[pool.index[: pool.n_images]].mean()), remix.attacked.value


def by_loop(bundle: LogitBundle, grid: GridSpec, clamp: str, ln_k: int, odds: np.ndarray) -> np.ndarray:
    """Both figures of every cell at every one of the odds, from the engine: rows (clean, attacked)."""
    engine, pool = RemixEngine(bundle, device="cpu"), bundle.require_attacked()
    rows = []
    for s in grid.s.tolist():
        for p in grid.p.tolist():
            for c in grid.c.tolist():
                for t in odds.tolist():
                    params = MixParams(s=s, p=p, c=c, clamp=clamp, ln_k=ln_k, alpha=1 / (1 + t))
                    remix = engine.remix(params)
                    clean = remix.on_clean.mix_right[pool.index[: pool.n_images]].mean()
                    rows.append((float(clean), remix.attacked.value))
    return np.array(rows)


def assert_holds(bundle: LogitBundle, choice: Choice) -> None:
    assert figures(bundle, choice.params) == pytest.approx((choice.clean, choice.attacked), abs=1e-12)


BUNDLES = st.builds(
    lambda seed, k, sources, coarse: coarsened(
        make_pool(n=40, m=25, k=k, seed=seed, sources=sources, most=2), coarse
    ),
    seed=st.integers(0, 999),
    k=st.sampled_from([2, 3, 10, 60]),
    sources=st.integers(1, 3),
    coarse=st.booleans(),
)


def coarsened(bundle: LogitBundle, coarse: bool) -> LogitBundle:
    """With logits rounded to whole numbers, so that many tie."""
    if not coarse:
        return bundle
    pool = bundle.require_attacked()
    made = LogitBundle.from_arrays(
        clean_labels=bundle.clean_labels,
        clean_std_logits=np.rint(bundle.clean_std_logits),
        clean_rob_logits=np.rint(bundle.clean_rob_logits),
        adv_index=pool.first.index,
        adv_std_logits=np.rint(pool.first.std_logits),
        adv_rob_logits=np.rint(pool.first.rob_logits),
    )
    rest = pool.further
    if rest is None:
        return made
    card = bundle.manifest.attacks[1]
    return made.with_points(card, rest.index, np.rint(rest.std_logits), np.rint(rest.rob_logits))


@settings(max_examples=25, deadline=None)
@given(bundle=BUNDLES, clamp=st.sampled_from(sorted(CLAMPS)), ln_k=st.sampled_from([0, 250]))
def test_no_mix_of_a_loop_is_better_and_every_point_is_a_remix(bundle, clamp, ln_k):
    grid = GridSpec(s=np.array([0.05, 3.0]), p=np.array([0.5, 4.0]), c=np.array([-4.0, -0.5]))
    found = direct_search(bundle, grid, clamp=clamp, ln_k=ln_k, max_accuracy_loss=None)
    frontier = found.frontier
    assert (np.diff(frontier.clean) > 0).all()
    assert (np.diff(frontier.attacked) < 0).all()
    for place, params in enumerate(frontier.params):
        assert figures(bundle, params) == pytest.approx(
            (frontier.clean[place], frontier.attacked[place]), abs=1e-12
        )
    odds = np.array([1e-4, 1e-3, 0.013, 0.11, 0.37, 0.63, 0.91, 0.99])
    for clean, attacked in by_loop(bundle, grid, clamp, ln_k, odds):
        best = frontier.attacked[frontier.clean >= clean - 1e-12]
        assert best.size
        assert best.max() >= attacked - 1e-12


def test_it_finds_what_a_loop_over_all_stretches_finds(pool, found):
    """All ends of all rows' intervals by the engine, so that no α is missed."""
    from mnuts_core.views.tradeoff import plateau_curve

    engine = RemixEngine(pool, device="cpu")
    best: dict[float, float] = {}
    seen = pool.require_attacked().index[: pool.n_adv]
    for place in np.ndindex(GRID.shape):
        s, p, c = (float(axis[i]) for axis, i in zip(GRID.axes().values(), place, strict=True))
        params = MixParams(s=s, p=p, c=c)
        if any("costs the robust model" in line for line in engine.remix(params).warnings):
            continue
        for alpha in plateau_curve(engine, params).alpha[::5].tolist():
            remix = engine.remix(params.with_(alpha=alpha))
            clean = float(remix.on_clean.mix_right[seen].mean())
            best[clean] = max(best.get(clean, 0.0), remix.attacked.value)
    frontier = found.frontier
    for clean, attacked in best.items():
        assert frontier.attacked[frontier.clean >= clean - 1e-12].max() >= attacked - 1e-12


@pytest.mark.parametrize("share", [0.0, 0.8, 0.9, 0.95])
def test_the_choice_keeps_its_promise_and_is_best(pool, found, share):
    choice = found.clean_at_least(share)
    assert_holds(pool, choice)
    assert choice.clean >= share
    frontier = found.frontier
    assert choice.attacked >= frontier.attacked[frontier.clean >= share].max() - 1.001 / found.n_attacked
    assert 1e-3 <= choice.quantile <= 0.95


@pytest.mark.parametrize("share", [0.0, 0.2, 0.3])
def test_the_highest_clean_accuracy(pool, found, share):
    choice = found.attacked_at_least(share)
    assert_holds(pool, choice)
    assert choice.attacked >= share
    frontier = found.frontier
    assert choice.clean >= frontier.clean[frontier.attacked >= share].max() - 1.001 / found.n_clean


def test_the_same_twice(pool, found):
    again = direct_search(pool, GRID)
    assert again.clean_at_least(0.9) == found.clean_at_least(0.9)
    assert again.frontier.params == found.frontier.params


def test_every_clean_row_when_asked(pool):
    found = direct_search(pool, GRID, clean="all")
    choice = found.clean_at_least(0.9)
    remix = RemixEngine(pool, device="cpu").remix(choice.params)
    assert found.n_clean == pool.n_clean
    assert remix.clean.value == pytest.approx(choice.clean, abs=1e-12)
    assert remix.attacked.value == pytest.approx(choice.attacked, abs=1e-12)


def test_the_plain_mix(pool):
    plain = direct_plain(pool)
    choice = plain.clean_at_least(0.9)
    assert choice.params.plain
    assert_holds(pool, choice)


def test_by_hand():
    """Two attacked images; M is the identity. g says 1 under attack; h keeps .6 - .3 and .5 - .4.

    Both images are right while the odds are below .1, the first alone below .3; a third clean image, which h
    gets wrong by .2, is right from .2 on.
    """
    clean_h = np.log([[0.6, 0.3, 0.1], [0.5, 0.4, 0.1], [0.3, 0.5, 0.2]])
    bundle = LogitBundle.from_arrays(
        clean_labels=[0, 0, 0],
        clean_std_logits=np.eye(3)[[0, 0, 0]] * 9.0,
        clean_rob_logits=clean_h,
        adv_index=[0, 1, 2],
        adv_std_logits=np.eye(3)[[1, 1, 1]] * 9.0,
        adv_rob_logits=clean_h,
    )
    frontier = direct_plain(bundle).frontier
    np.testing.assert_allclose(frontier.clean, [2 / 3, 1.0])
    np.testing.assert_allclose(frontier.attacked, [2 / 3, 1 / 3])
    np.testing.assert_allclose(frontier.quantile, [0.05, 0.25], atol=1e-12)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda found: found.clean_at_least(1.0), r"clean accuracy of at least 100 %: the most is"),
        (lambda found: found.attacked_at_least(0.999), r"attacked accuracy of at least 99.9 %: the most is"),
        (lambda found: found.clean_at_least(95.0), r"share in \[0, 1\], such as 0.95 for 95 %, got 95"),
        (lambda found: found.clean_at_least(float("nan")), r"share in \[0, 1\]"),
    ],
)
def test_what_cannot_be_reached(found, ask, words):
    with pytest.raises(ParameterError, match=words):
        ask(found)


def test_bad_arguments(pool):
    with pytest.raises(ParameterError, match="clean must be 'attacked' or 'all'"):
        direct_search(pool, GRID, clean="some")
    with pytest.raises(ParameterError, match="max_accuracy_loss"):
        direct_search(pool, GRID, max_accuracy_loss=2.0)
    with pytest.raises(ParameterError, match="grid must be a GridSpec"):
        direct_search(pool, "cifar10")
    with pytest.raises(Exception, match="attacked"):
        direct_search(clean_only(pool), GRID)


def test_cells_that_cost_accuracy_are_left_out():
    bundle = make_bundle()
    grid = GridSpec.from_ranges((0.05, 5.0), (1.0, 4.0), (-4.0, 0.0), steps=3)
    found = direct_search(bundle, grid)
    assert found.left_out > 0
    assert "excluded" in found.notes[0]
    engine = RemixEngine(bundle, device="cpu")
    for params in set(found.frontier.params):
        assert not any("costs the robust model" in line for line in engine.remix(params).warnings)
    assert found.optimistic


RIGHT, WRONG = np.eye(3)[[0, 1]] * 5.0, np.eye(3)[[1, 2]] * 5.0


@pytest.mark.parametrize(
    ("std", "rob", "clean", "attacked"),
    [
        (RIGHT, RIGHT, 1.0, 1.0),
        (WRONG, WRONG, 0.0, 0.0),
        (RIGHT, np.zeros((2, 3)), 1.0, 1.0),
        (WRONG, np.zeros((2, 3)), 0.0, 0.0),
    ],
    ids=["both right", "both wrong", "h constant", "h constant, g wrong"],
)
def test_where_no_alpha_matters(std, rob, clean, attacked):
    bundle = LogitBundle.from_arrays(
        clean_labels=[0, 1],
        clean_std_logits=std,
        clean_rob_logits=rob,
        adv_index=[0, 1],
        adv_std_logits=std,
        adv_rob_logits=rob,
    )
    grid = GridSpec.from_ranges((0.05, 5.0), (1.0, 4.0), (-0.5, 0.0), steps=2)
    for found in (direct_search(bundle, grid, max_accuracy_loss=None), direct_plain(bundle)):
        assert (found.frontier.clean.tolist(), found.frontier.attacked.tolist()) == ([clean], [attacked])
        assert_holds(bundle, found.clean_at_least(0.0))


def test_the_shipped_digits():
    """MMAA's points alone: optimistic; every point of the frontier is a remix."""
    bundle = LogitBundle.load(find_bundle("digits"))
    found = direct_search(bundle, GridSpec.paper("cifar10"))
    assert found.optimistic == bundle.manifest.optimistic
    frontier = found.frontier
    for place in range(0, len(frontier.params), 5):
        have = figures(bundle, frontier.params[place])
        assert have == pytest.approx((frontier.clean[place], frontier.attacked[place]), abs=1e-12)
    choice = found.clean_at_least(0.97)
    assert choice.clean >= 0.97
    assert_holds(bundle, choice)

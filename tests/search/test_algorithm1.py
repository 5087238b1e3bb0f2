"""Algorithm 1 against the triple loop in `tests/reference.py`, and the choice from its table."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnuts_core import (
    BundleError,
    GridSpec,
    LogitBundle,
    MixParams,
    ParameterError,
    RemixEngine,
    beta_frontier,
    grid_search,
)
from mnuts_core.clamps import CLAMPS
from mnuts_core.search.frontier import beta_grid
from mnuts_core.search.result import TABLES, choose
from tests import reference
from tests.synthetic import clean_only, make_arrays, make_bundle

GRID = GridSpec.from_ranges((0.05, 5.0), (1.0, 4.0), (-1.1, 0.0), steps=4)
SMALL = GridSpec(s=[0.5, 3.0], p=[1.0, 2.5], c=[-1.0, 0.0])


@pytest.fixture(scope="module")
def found(bundle):
    return grid_search(bundle, GRID, 0.9)


def assert_same_table(result, table):
    trusted = (table.quantile >= 1e-12) & (table.quantile <= 1 - 3e-6)
    np.testing.assert_allclose(result.quantile, table.quantile, atol=1e-12)
    np.testing.assert_allclose(result.objective[trusted], table.objective[trusted], atol=1e-12)
    np.testing.assert_array_equal(result.saturated, ~trusted)
    np.testing.assert_allclose(result.alpha, 1 / (1 + table.quantile), atol=1e-12)
    assert trusted.sum() > trusted.size // 2


class TestAgainstTheTripleLoop:
    @pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.985, 1.0])
    @pytest.mark.parametrize("quantile", ["linear", "lower"])
    def test_every_level(self, bundle, beta, quantile):
        result = grid_search(bundle, GRID, beta, quantile=quantile)
        rows = reference.rows_of(bundle)
        assert_same_table(
            result, reference.algorithm_one(rows, GRID.s, GRID.p, GRID.c, beta, method=quantile)
        )

    @pytest.mark.parametrize("clean", ["attacked", "all"])
    @pytest.mark.parametrize("conditional", [False, True])
    def test_which_examples(self, bundle, clean, conditional):
        result = grid_search(bundle, GRID, 0.9, clean=clean, conditional=conditional)
        rows = reference.rows_of(bundle, clean, conditional)
        assert_same_table(result, reference.algorithm_one(rows, GRID.s, GRID.p, GRID.c, 0.9))
        assert (result.n_wrong, result.n_right) == (len(rows.wrong), len(rows.right))
        assert result.n_clean == (bundle.n_adv if clean == "attacked" else bundle.n_clean)
        assert result.n_attacked == bundle.n_adv

    @pytest.mark.parametrize("clamp", CLAMPS)
    @pytest.mark.parametrize("ln_k", [0, 3, 250])
    def test_every_transform(self, bundle, clamp, ln_k):
        result = grid_search(bundle, SMALL, 0.9, clamp=clamp, ln_k=ln_k)
        rows = reference.rows_of(bundle)
        assert_same_table(
            result, reference.algorithm_one(rows, SMALL.s, SMALL.p, SMALL.c, 0.9, name=clamp, ln_k=ln_k)
        )

    @pytest.mark.parametrize("k", [2, 3, 30])
    def test_few_and_many_classes(self, k):
        bundle = make_bundle(k=k, n=120, m=90, dtype=np.float64)
        rows = reference.rows_of(bundle)
        assert_same_table(
            grid_search(bundle, SMALL, 0.9), reference.algorithm_one(rows, SMALL.s, SMALL.p, SMALL.c, 0.9)
        )

    @settings(max_examples=15)
    @given(
        seed=st.integers(0, 999),
        k=st.integers(3, 12),
        beta=st.integers(500, 1000).map(lambda i: i / 1000),
        dtype=st.sampled_from([np.float32, np.float64]),
    )
    def test_random_logits(self, seed, k, beta, dtype):
        bundle = make_bundle(n=90, m=60, k=k, seed=seed, dtype=dtype)
        rows = reference.rows_of(bundle)
        assert_same_table(
            grid_search(bundle, SMALL, beta), reference.algorithm_one(rows, SMALL.s, SMALL.p, SMALL.c, beta)
        )

    @pytest.mark.parametrize("name", ["cifar10", "cifar100", "imagenet"])
    def test_the_papers_grids_cell_by_cell(self, name):
        """Every unflagged cell agrees with the plain float64 loop, also where margins nearly vanish."""
        bundle, grid = make_bundle(n=400, m=300, seed=4, boost=1.0), GridSpec.paper(name)
        result = grid_search(bundle, grid, 0.985)
        table = reference.algorithm_one(reference.rows_of(bundle), grid.s, grid.p, grid.c, 0.985)
        differs = np.abs(result.objective - table.objective) > 1e-12
        assert np.count_nonzero(differs & ~result.saturated) == 0, result.quantile[differs]

    def test_real_digits(self, mmaa_digits):
        result = grid_search(mmaa_digits, SMALL, 0.9)
        rows = reference.rows_of(mmaa_digits)
        table = reference.algorithm_one(rows, SMALL.s, SMALL.p, SMALL.c, 0.9)
        np.testing.assert_allclose(result.quantile, table.quantile, atol=1e-12)
        trusted = ~result.saturated
        np.testing.assert_allclose(result.objective[trusted], table.objective[trusted], atol=1e-12)


class TestPredictionChanges:
    def test_loss_and_changes(self, bundle):
        """Assumption 4.2, D.8.2: what M does to predictions, cell by cell, by plain arg max."""
        grid = GridSpec(s=[1.0], p=[1.0, 2.0], c=[-2.5, -1.5, 0.0])
        result = grid_search(bundle, grid, 0.9)
        parts = {
            "clean": (bundle.clean_rob_logits[bundle.attacked.index], bundle.attacked.labels),
            "attacked": (bundle.attacked.rob_logits, bundle.attacked.labels),
        }
        for j, p in enumerate(grid.p):
            for k, c in enumerate(grid.c):
                losses = []
                for part, (h, labels) in parts.items():
                    before, after = h.argmax(1), reference.transform(h, 1.0, p, c).argmax(1)
                    changes = getattr(result, f"{part}_changes")
                    assert changes[0, j, k] == pytest.approx(np.mean(before != after), abs=1e-12)
                    losses.append(np.mean(before == labels) - np.mean(after == labels))
                assert result.accuracy_loss[0, j, k] == pytest.approx(max(losses), abs=1e-12)
        assert result.accuracy_loss[0, 0, 0] > 0.001  # c = -2.5 does harm here
        assert result.clean_changes[0, 0, 2] == 0.0

    def test_monotone_clamps_change_nothing(self, bundle):
        for clamp in ("relu", "elu", "softplus", "linear"):
            result = grid_search(bundle, SMALL, 0.9, clamp=clamp)
            assert result.clean_changes.max() == 0.0
            assert result.accuracy_loss.max() == 0.0


class TestResult:
    def test_shapes_and_ranges(self, found):
        for name in TABLES:
            assert getattr(found, name).shape == GRID.shape
        assert ((found.objective >= 0) & (found.objective <= 1)).all()
        assert ((found.quantile >= 0) & (found.quantile <= 1)).all()
        assert ((found.alpha >= 0.5) & (found.alpha <= 1)).all()

    def test_the_best_cell_agrees_with_the_tables(self, found):
        i, j, k = found.best.index
        assert (found.best.params.s, found.best.params.p, found.best.params.c) == (
            GRID.s[i],
            GRID.p[j],
            GRID.c[k],
        )
        assert found.best.objective == found.objective[i, j, k]
        assert found.best.quantile == found.quantile[i, j, k]
        assert found.best.params.alpha == found.alpha[i, j, k]
        assert found.best.params.beta == 0.9

    def test_the_engine_agrees_on_alpha(self, bundle, found):
        engine = RemixEngine(bundle)
        for index in ((0, 0, 0), (3, 1, 2), found.best.index):
            cell = found.cell(index)
            assert engine.threshold(cell.params.with_(alpha=None)) == pytest.approx(cell.quantile, abs=1e-13)

    def test_deterministic(self, bundle, found):
        again = grid_search(bundle, GRID, 0.9)
        for name in TABLES:
            np.testing.assert_array_equal(getattr(again, name), getattr(found, name))
        assert again.best == found.best
        assert again.ties == found.ties
        assert again.warnings == found.warnings

    @pytest.mark.parametrize("beta", [0.0, 0.7, 0.985, 1.0])
    @pytest.mark.parametrize("quantile", ["linear", "lower"])
    def test_at_beta_is_a_fresh_search(self, bundle, beta, quantile):
        moved = grid_search(bundle, GRID, 0.5, quantile=quantile).at_beta(beta)
        fresh = grid_search(bundle, GRID, beta, quantile=quantile)
        for name in TABLES:
            np.testing.assert_array_equal(getattr(moved, name), getattr(fresh, name))
        assert (moved.beta, moved.best, moved.ties) == (fresh.beta, fresh.best, fresh.ties)
        assert (moved.edges, moved.warnings) == (fresh.edges, fresh.warnings)

    def test_frame(self, found):
        frame = found.to_frame()
        assert len(frame) == GRID.size
        row = frame.iloc[np.ravel_multi_index((1, 2, 3), GRID.shape)]
        assert (row.s, row.p, row.c) == (GRID.s[1], GRID.p[2], GRID.c[3])
        for name in TABLES:
            assert row[name] == getattr(found, name)[1, 2, 3]

    def test_progress(self, bundle):
        shares = []
        grid_search(bundle, SMALL, 0.9, progress=shares.append)
        assert shares == [0.25, 0.5, 0.75, 1.0]


def altered(result, **tables):
    """The result with other tables, chosen from anew."""
    return dataclasses.replace(result, **tables)


class TestChoose:
    """Tables made by hand on the 2 × 2 × 2 grid; n_wrong tells how large one example is."""

    @pytest.fixture
    def base(self, bundle):
        result = grid_search(bundle, SMALL, 0.9)
        blank = np.full(SMALL.shape, 0.5)
        return altered(
            result,
            objective=blank.copy(),
            quantile=np.full(SMALL.shape, 0.3),
            alpha=1 / 1.3 * np.ones(SMALL.shape),
            saturated=np.zeros(SMALL.shape, bool),
            accuracy_loss=np.zeros(SMALL.shape),
        )

    def test_the_smallest_objective(self, base):
        objective = base.objective.copy()
        objective[1, 0, 1] = 0.1
        assert altered(base, objective=objective).best.index == (1, 0, 1)

    def test_full_tie_goes_to_the_mildest(self, base):
        # the same q everywhere: smaller p, then s nearest to 1, then c nearest to 0
        assert base.best.index == (0, 0, 1)
        assert len(base.ties) == 8
        assert base.ties[0] == base.best
        assert len({cell.index for cell in base.ties}) == 8

    def test_ties_go_by_the_quantile_first(self, base):
        quantile = np.full(SMALL.shape, 0.9)
        quantile[1, 1, 0] = 0.35
        assert altered(base, quantile=quantile).best.index == (1, 1, 0)

    def test_only_ties_are_reported_as_ties(self, base):
        objective = base.objective.copy()
        objective[0, 1, 1] = objective[1, 1, 1] = 0.2
        ties = altered(base, objective=objective).ties
        assert {cell.index for cell in ties} == {(0, 1, 1), (1, 1, 1)}

    def test_mild_within_one_example(self, base):
        one = 1 / base.n_wrong
        objective, quantile = base.objective.copy(), base.quantile.copy()
        objective[1, 1, 0], quantile[1, 1, 0] = 0.2, 2e-6
        objective[0, 1, 0] = 0.2 + one
        assert altered(base, objective=objective, quantile=quantile).best.index == (0, 1, 0)
        objective[0, 1, 0] = 0.2 + 1.5 * one
        extreme = altered(base, objective=objective, quantile=quantile)
        assert extreme.best.index == (1, 1, 0)
        assert any("q = 2e-06 is extreme" in note for note in extreme.warnings)

    def test_the_papers_plain_rule(self, base):
        objective, quantile = base.objective.copy(), base.quantile.copy()
        objective[1, 1, 0], quantile[1, 1, 0] = 0.2, 2e-6
        objective[0, 1, 0] = 0.2 + 0.1 / base.n_wrong
        loss = np.zeros(SMALL.shape)
        loss[1, 1, 0] = 0.5
        plain = altered(
            base, objective=objective, quantile=quantile, accuracy_loss=loss, max_accuracy_loss=None
        )
        assert plain.best.index == (1, 1, 0)
        assert plain.best.objective == plain.objective.min()

    def test_costly_cells_are_left_out(self, base):
        objective, loss = base.objective.copy(), np.zeros(SMALL.shape)
        objective[1, 1, 0], loss[1, 1, 0] = 0.1, 0.0011
        result = altered(base, objective=objective, accuracy_loss=loss)
        assert result.best.index != (1, 1, 0)
        assert any("1 of 8 cells excluded" in note for note in result.warnings)
        assert not result.admissible[1, 1, 0]
        loss[1, 1, 0] = 0.001  # exactly the limit is allowed
        assert altered(base, objective=objective, accuracy_loss=loss).best.index == (1, 1, 0)

    def test_saturated_cells_are_left_out(self, base):
        objective, saturated = base.objective.copy(), np.zeros(SMALL.shape, bool)
        objective[1, 1, 0], saturated[1, 1, 0] = 0.0, True
        result = altered(base, objective=objective, saturated=saturated)
        assert result.best.index != (1, 1, 0)
        assert any("1 of 8 cells are saturated" in note for note in result.warnings)

    def test_when_no_cell_will_do(self, base):
        result = altered(base, accuracy_loss=np.full(SMALL.shape, 0.2))
        assert any("no cell meets max_accuracy_loss" in note for note in result.warnings)
        assert result.best.objective == 0.5

    def test_edges(self, bundle, base):
        assert base.edges == {"s": "low", "p": "low", "c": "high"}
        assert any("edge" in note and "c at its high end" in note for note in base.warnings)
        inner = grid_search(bundle, GridSpec(s=[1.0], p=[2.0], c=[-0.5]), 0.9)
        assert inner.edges == {}  # an axis of one value has no ends
        wider = base.widened_grid()
        assert wider.s[0] < SMALL.s[0]
        assert wider.s[-1] == pytest.approx(SMALL.s[-1])
        assert wider.c[-1] > SMALL.c[-1]

    def test_choose_is_what_the_result_shows(self, found):
        index, notes = choose(found)
        assert found.best.index == index
        assert set(notes) <= set(found.warnings)


class TestFrontier:
    def test_each_point_is_a_search(self, bundle, found):
        betas = [0.0, 0.5, 0.8, 0.93, 0.985, 1.0]
        frontier = beta_frontier(found, betas)
        for place, beta in enumerate(betas):
            alone = grid_search(bundle, GRID, beta)
            assert tuple(frontier.index[place]) == alone.best.index
            assert frontier.objective[place] == alone.best.objective
            assert frontier.quantile[place] == alone.best.quantile
            assert frontier.alpha[place] == alone.best.params.alpha
            assert frontier.params[place] == alone.best.params

    @pytest.mark.parametrize("seed", range(4))
    @pytest.mark.parametrize("grid", ["cifar10", "cifar100"])
    def test_more_beta_never_betters_the_objective(self, seed, grid):
        """A cell that meets a high level meets every lower one, so the best of all cells cannot worsen."""
        plain = grid_search(
            make_bundle(seed=seed, n=200, m=120), GridSpec.paper(grid), max_accuracy_loss=None
        )
        objective = beta_frontier(plain, beta_grid(40)).objective
        assert (np.diff(objective) >= 0).all()
        assert objective[-1] > objective[0]

    @pytest.mark.parametrize("seed", range(4))
    def test_with_the_mild_rule_within_one_example(self, seed):
        """The default gives up to one example for milder numbers, so it is monotone but for that one."""
        result = grid_search(make_bundle(seed=seed, n=200, m=120), GridSpec.paper("cifar100"))
        frontier = beta_frontier(result, beta_grid(40))
        assert (np.diff(frontier.objective) >= -1 / result.n_wrong - 1e-12).all()

    @settings(max_examples=10)
    @given(low=st.floats(0, 1), high=st.floats(0, 1))
    def test_every_cell_is_monotone_in_beta(self, found, low, high):
        low, high = sorted((low, high))
        less, more = found.at_beta(low), found.at_beta(high)
        assert (more.quantile <= less.quantile + 1e-15).all()
        assert (more.alpha >= less.alpha - 1e-15).all()
        assert (more.objective >= less.objective).all()

    def test_default_levels(self, found):
        levels = beta_grid()
        assert (len(levels), levels[0], levels[-1]) == (200, 0.0, 1.0)
        assert (np.diff(levels) > 0).all()
        assert np.count_nonzero(levels > 0.9) > 50
        np.testing.assert_array_equal(beta_frontier(found).beta, levels)

    def test_bad_levels(self, found):
        with pytest.raises(ParameterError, match=r"beta must lie in \[0, 1\], got 1.5"):
            beta_frontier(found, [0.5, 1.5])
        with pytest.raises(ParameterError, match="beta must lie in"):
            found.at_beta(float("nan"))


class TestErrors:
    def test_no_attack(self, bundle):
        with pytest.raises(BundleError, match="holds no attacked examples"):
            grid_search(clean_only(bundle), SMALL)

    def test_nothing_wrong(self):
        arrays = make_arrays(n=20, m=10)
        perfect = 9.0 * np.eye(10, dtype=np.float32)[arrays["clean_labels"]]
        bundle = LogitBundle.from_arrays(**arrays | {"clean_rob_logits": perfect})
        with pytest.raises(ParameterError, match="none of 10 clean examples wrong"):
            grid_search(bundle, SMALL)

    def test_nothing_right(self):
        arrays = make_arrays(n=20, m=10)
        beaten = -9.0 * np.eye(10, dtype=np.float32)[arrays["clean_labels"][arrays["adv_index"]]]
        bundle = LogitBundle.from_arrays(**arrays | {"adv_rob_logits": beaten})
        with pytest.raises(ParameterError, match="none of 10 attacked examples right"):
            grid_search(bundle, SMALL)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"beta": 98.5}, r"beta must lie in \[0, 1\], got 98.5"),
            ({"clamp": "tanh"}, "clamp must be one of"),
            ({"ln_k": 1}, "ln_k must be"),
            ({"quantile": "higher"}, "quantile must be 'linear' or 'lower', got 'higher'"),
            ({"clean": "both"}, "clean must be 'attacked' or 'all', got 'both'"),
            ({"max_accuracy_loss": -0.1}, r"max_accuracy_loss must lie in \[0, 1\] or be None, got -0.1"),
            ({"max_accuracy_loss": float("nan")}, "max_accuracy_loss must"),
            ({"device": "abacus"}, "device must be"),
            ({"grid": "cifar10"}, "grid must be"),
        ],
    )
    def test_bad_arguments(self, bundle, change, message):
        arguments = {"bundle": bundle, "grid": SMALL} | change
        with pytest.raises(ParameterError, match=message):
            grid_search(**arguments)


def test_one_wrong_and_one_right_example():
    bundle = LogitBundle.from_arrays(
        clean_labels=[0, 1],
        clean_std_logits=[[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]],
        clean_rob_logits=[[1.0, 0.0, -1.0], [9.0, 0.0, -9.0]],
        adv_index=[0, 1],
        adv_std_logits=[[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]],
        adv_rob_logits=[[1.0, 0.0, -1.0], [1.0, 0.9, 0.0]],
    )
    result = grid_search(bundle, GridSpec([1.0], [1.0], [0.0]), 0.985, clamp="linear")
    e = np.exp([1.0, 0.0, -1.0])
    assert (result.n_wrong, result.n_right) == (1, 1)
    assert result.best.quantile == pytest.approx((e[0] - e[1]) / e.sum(), rel=1e-7)
    assert result.best.objective == 1.0  # LN makes both rows (1, 0, -1), but for the 1e-8
    assert result.best.params == MixParams(
        s=1.0, p=1.0, c=0.0, clamp="linear", beta=0.985, alpha=result.best.params.alpha
    )


def test_ranked_lists_ties_then_the_others_by_objective(found):
    cells = found.ranked(found.grid.size)
    assert cells[: len(found.ties)] == list(found.ties)
    rest = [cell.objective for cell in cells[len(found.ties) :]]
    assert rest == sorted(rest)
    assert len({cell.index for cell in cells}) == len(cells) == found.admissible.sum()
    assert found.ranked(3) == cells[:3]

"""The search's inner loop against the plain softmax: any number of classes, any clamp, any grid, ties."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mnuts_core import GridSpec, grid_search
from mnuts_core.clamps import CLAMPS
from mnuts_core.functional.margins import confidence_margin
from mnuts_core.functional.transform import layer_norm, transform_logits
from mnuts_core.remix.stages import StagedTransform
from mnuts_core.search import kernel
from mnuts_core.search.kernel import distinct_rows, fill_margins
from tests import reference
from tests.synthetic import make_bundle


def logits_of(kind: str, n: int, k: int, seed: int) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, k))
    if kind == "confident":
        logits[np.arange(n), rng.integers(0, k, n)] += rng.gamma(2.0, 3.0, n)
    elif kind == "two groups":
        logits[:, : k // 2] += 6.0
    elif kind == "outliers":
        logits[:, 0] -= 40.0
        logits[:, -1] += rng.choice([0.0, 40.0], n)
    elif kind == "coarse":
        logits = np.rint(logits)
    elif kind == "equal":
        logits[: n // 2] = 1.0
    return torch.from_numpy(logits)


def margins_of(logits: torch.Tensor, grid: GridSpec, clamp: str, ln_k: int = 250) -> np.ndarray:
    z, which = distinct_rows(layer_norm(logits, ln_k))
    table = torch.full((*grid.shape, len(z)), torch.nan, dtype=torch.float64)
    shares = list(fill_margins(z, grid, clamp, table))
    assert (np.diff(shares) > 0).all()
    assert shares[-1] == 1.0
    return table.numpy()[..., which]


def plain(logits: torch.Tensor, grid: GridSpec, clamp: str, ln_k: int = 250) -> np.ndarray:
    table = np.empty((*grid.shape, len(logits)))
    for cell in np.ndindex(grid.shape):
        s, p, c = (axis[place] for axis, place in zip(grid.axes().values(), cell, strict=True))
        margin = confidence_margin(transform_logits(logits, s=s, p=p, c=c, clamp=clamp, ln_k=ln_k))
        table[cell] = margin
    return table


KINDS = ("plain", "confident", "two groups", "outliers", "coarse", "equal")


def axis(low: float, high: float):
    numbers = st.integers(round(100 * low), round(100 * high)).map(lambda value: value / 100)
    return st.lists(numbers, min_size=1, max_size=4, unique=True).map(sorted)


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    k=st.sampled_from([3, 10, 47, 48, 100, 1000]),
    clamp=st.sampled_from(CLAMPS),
    ln_k=st.sampled_from([0, 20, 250]),
    seed=st.integers(0, 99),
    log_s=axis(-3.0, 1.5),
    p=axis(0.1, 5.0),
    c=axis(-5.0, 2.0),
)
def test_margins_are_those_of_the_plain_softmax(kind, k, clamp, ln_k, seed, log_s, p, c):
    grid = GridSpec(s=[10.0**value for value in log_s], p=p, c=c)
    logits = logits_of(kind, 12 if k == 1000 else 30, k, seed)
    largest = transform_logits(logits, s=grid.s[-1], p=p[-1], c=c[-1], clamp=clamp, ln_k=ln_k).abs().max()
    slack = 1e-9 + 1e-14 * float(largest)  # how far rounding in float64 carries in the plain computation
    np.testing.assert_allclose(
        margins_of(logits, grid, clamp, ln_k), plain(logits, grid, clamp, ln_k), rtol=0, atol=slack
    )


@pytest.mark.parametrize("clamp", CLAMPS)
@pytest.mark.parametrize("k", [100, 1000])
def test_what_series_cannot_do_is_noticed(monkeypatch, clamp, k):
    """With five terms hardly any series is good: exponentials stand in for them."""
    grid, logits = (
        GridSpec.from_ranges((0.05, 5.0), (1.0, 4.0), (-1.1, 0.0), steps=3),
        logits_of("plain", 20, k, 1),
    )
    monkeypatch.setattr(kernel, "TERMS", 5)
    np.testing.assert_allclose(margins_of(logits, grid, clamp), plain(logits, grid, clamp), rtol=0, atol=1e-9)


@pytest.mark.parametrize("clamp", CLAMPS)
def test_small_blocks_and_few_powers_at_once(monkeypatch, clamp):
    grid, logits = (
        GridSpec.from_ranges((0.05, 5.0), (1.0, 4.0), (-2.5, 0.0), steps=5),
        logits_of("confident", 50, 60, 2),
    )
    whole = margins_of(logits, grid, clamp)
    monkeypatch.setattr(kernel, "BLOCK", 60 * 7)
    monkeypatch.setattr(kernel, "CELLS", 11)
    np.testing.assert_allclose(margins_of(logits, grid, clamp), whole, rtol=0, atol=2e-10)


def test_series_are_used(monkeypatch):
    """At 1,000 classes nearly all of the sum comes from series: else the search would be slow."""
    shares = []
    ask = kernel._Block._sum_of_series

    def watched(block, *args):
        total, exact = ask(block, *args)
        widths = torch.tensor([part.stop - part.start for part in block.ranges])
        shares.append(float((exact.double().mean(dim=(1, 2)) * widths).sum() / widths.sum()))
        return total, exact

    monkeypatch.setattr(kernel._Block, "_sum_of_series", watched)
    for name in ("cifar10", "cifar100", "imagenet"):
        margins_of(logits_of("confident", 100, 1000, 0), GridSpec.paper(name), "gelu")
    assert max(shares) < 0.1


@pytest.mark.parametrize("name", ["cifar100", "imagenet"])
def test_every_cell_of_the_papers_grids_at_100_classes(name):
    bundle, grid = make_bundle(n=120, m=90, k=100, boost=1.5), GridSpec.paper(name)
    result = grid_search(bundle, grid, 0.985, max_accuracy_loss=None)
    table = reference.algorithm_one(reference.rows_of(bundle), grid.s, grid.p, grid.c, 0.985)
    trusted = ~result.saturated
    np.testing.assert_allclose(result.quantile, table.quantile, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(
        np.rint(result.objective * result.n_wrong)[trusted],
        np.rint(table.objective * result.n_wrong)[trusted],
    )


def test_the_same_logits_in_another_order_have_the_same_margin(monkeypatch):
    """To the last bit, wherever they stand: else a tie with q would be decided by rounding."""
    monkeypatch.setattr(kernel, "BLOCK", 100 * 8)
    rng, logits = np.random.default_rng(0), logits_of("confident", 40, 100, 3)
    shuffled = torch.from_numpy(rng.permuted(logits.numpy(), axis=1))
    both = margins_of(torch.cat([logits, shuffled]), GridSpec.paper("cifar100"), "gelu", ln_k=0)
    np.testing.assert_array_equal(both[..., :40], both[..., 40:])


class TestDistinctRows:
    def test_equal_rows_are_kept_once(self):
        rows = torch.tensor([[1.0, 4.0, 2.0], [0.0, 9.0, 0.0], [4.0, 2.0, 1.0]], dtype=torch.float64)
        z, which = distinct_rows(rows)
        assert len(z) == 2
        assert which[0] == which[2] != which[1]
        assert z[which].tolist() == [[4.0, 2.0, 1.0], [9.0, 0.0, 0.0], [4.0, 2.0, 1.0]]

    def test_unequal_rows_with_the_same_mark_are_kept_apart(self):
        rows = torch.tensor([[4.0, 2.0, 0.0], [5.0, 0.0, 0.0], [4.0, 2.0, 0.0]], dtype=torch.float64)
        z, which = distinct_rows(rows)  # 4/1 + 2/2 = 5/1
        assert torch.equal(z[which], rows)


@pytest.mark.parametrize("c", [-4.0, -40.0])
@pytest.mark.parametrize("kind", ["coarse", "confident"])
def test_a_transform_that_puts_every_class_far_below_zero(c, kind):
    logits = logits_of(kind, 40, 100, seed=3)
    grid = GridSpec(s=[1.0, 200.0, 5000.0, 1e6], p=[1.0, 3.0], c=[c])
    found, expected = margins_of(logits, grid, "linear"), plain(logits, grid, "linear")
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-10)


def test_threads_change_nothing(monkeypatch):
    bundle, grid = (
        make_bundle(n=160, m=120, k=100),
        GridSpec.from_ranges((0.05, 5.0), (1.0, 4.0), (-1.1, 0.0), steps=3),
    )
    alone = grid_search(bundle, grid)
    monkeypatch.setattr(kernel, "ROWS_PER_THREAD", 20)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    shared = grid_search(bundle, grid)
    np.testing.assert_allclose(shared.quantile, alone.quantile, rtol=0, atol=2e-10)
    np.testing.assert_array_equal(shared.objective, alone.objective)
    assert shared.best.index == alone.best.index


def test_a_small_power_sees_gelus_far_tail():
    """At v = -1e-16 and p = 0.1 an absolute error of 1e-17 in the clamp moves margins by 1e-8."""
    logits, grid = logits_of("plain", 30, 47, 0), GridSpec(s=[1.0], p=[0.1, 2.0], c=[0.0])
    np.testing.assert_allclose(
        margins_of(logits, grid, "gelu", 20), plain(logits, grid, "gelu", 20), rtol=0, atol=1e-12
    )
    nothing = torch.empty((len(logits), 0), dtype=torch.int64)
    stages = StagedTransform(logits, nothing)
    for p in (2.0, 0.1):  # the precise clamp is not taken for the fast one that is remembered
        found = stages.margins(20, 0.0, "gelu", p, 1.0).margin
        expected = plain(logits, GridSpec(s=[1.0], p=[p], c=[0.0]), "gelu", 20)
        np.testing.assert_allclose(found, expected[0, 0, 0], rtol=0, atol=1e-12)

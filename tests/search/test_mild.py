"""The best mild cell: inside the grid, q of ordinary size, steady in bfloat16; and where there is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mnuts_core import LogitBundle, MixParams
from mnuts_core.functional.mixing import mixed_logits
from mnuts_core.search.algorithm1 import grid_search
from mnuts_core.search.grids import GridSpec
from mnuts_core.search.mild import LEAST_SAME, mild_best, same_when_rounded
from mnuts_core.search.result import MILD, GridSearchResult


@pytest.fixture(scope="module")
def result(digits: LogitBundle) -> GridSearchResult:
    return grid_search(digits, GridSpec.paper("cifar10"), 0.985)


def is_mild(result: GridSearchResult, bundle: LogitBundle, cell) -> bool:
    inside = all(0 < i < n - 1 for i, n in zip(cell.index, result.grid.shape, strict=True))
    q = MILD[0] <= cell.quantile <= MILD[1]
    return inside and q and same_when_rounded(bundle, cell.params) >= LEAST_SAME


def test_the_first_of_the_ranked_cells_that_is_mild(result, digits):
    mild = mild_best(result, digits)
    ranked = result.ranked(result.grid.size)
    assert result.edges, "the plain choice of these data sits on the edge"
    assert ranked[mild.passed_over].index == mild.cell.index
    assert is_mild(result, digits, mild.cell)
    assert not any(is_mild(result, digits, cell) for cell in ranked[: mild.passed_over])
    assert mild.warnings == ()


def test_rounding_is_that_of_both_models_logits(digits):
    params = MixParams(s=2.0, p=2.0, c=-0.5, alpha=0.95)
    std, rob = (torch.from_numpy(part) for part in (digits.clean_std_logits, digits.clean_rob_logits))
    exact = mixed_logits(std, rob, params).argmax(1)
    rounded = mixed_logits(std.bfloat16().float(), rob.bfloat16().float(), params).argmax(1)
    assert same_when_rounded(digits, params) == float((exact == rounded).double().mean())
    tie = replace(
        digits,
        clean_rob_logits=np.float32([[8.0, 8.01, *range(8)]]).repeat(digits.n_clean, 0),
        clean_std_logits=np.float32([[8.0, 8.01, *range(8)]]).repeat(digits.n_clean, 0),
    )
    assert same_when_rounded(tie, params) == 0.0


@pytest.mark.parametrize(
    ("quantile", "steady", "warning"),
    [(0.1, False, "bfloat16"), (None, True, "inside the grid"), (1e-5, True, "q in")],
)
def test_what_is_left_out_where_no_cell_is_mild(result, digits, monkeypatch, quantile, steady, warning):
    monkeypatch.setattr("mnuts_core.search.mild.same_when_rounded", lambda bundle, params: float(steady))
    if quantile is None:  # edges alone have ordinary thresholds
        table = np.full(result.grid.shape, 0.1)
        table[1:-1, 1:-1, 1:-1] = 1e-5
    else:
        table = np.full(result.grid.shape, quantile)
    none = replace(result, quantile=table, saturated=np.zeros(result.grid.shape, bool))
    mild = mild_best(none, digits)
    (line,) = mild.warnings
    assert warning in line
    assert none.ranked(none.grid.size)[mild.passed_over].index == mild.cell.index

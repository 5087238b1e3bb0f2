"""Points that decide nothing, against all margins of all points."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mnuts_core import GridSpec
from mnuts_core.clamps import CLAMPS, clamp_logits
from mnuts_core.functional.transform import layer_norm, signed_power
from mnuts_core.search.needless import needless_points
from mnuts_core.search.sorted_rows import normed_rows, sort_classes

GRID = GridSpec.from_ranges((0.05, 50.0), (1.0, 4.0), (-2.0, 0.5), steps=4)


def deficits(z: torch.Tensor, rivals: torch.Tensor | None, clamp: str) -> np.ndarray:
    """How far the rival's, or else the second, probability is below the first in each cell, (cells, R)."""
    found = []
    for c in GRID.c.tolist():
        for p in GRID.p.tolist():
            t = signed_power(clamp_logits(z + c, clamp), p)
            other = t.topk(2, dim=1).values[:, 1]
            if rivals is not None:
                other = signed_power(clamp_logits(rivals + c, clamp), p)
            top = t.amax(dim=1)
            for s in GRID.s.tolist():
                total = (s * (t - top[:, None])).exp().sum(dim=1)
                found.append((-torch.expm1(s * (other - top)) / total).numpy())
    return np.stack(found)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 999),
    k=st.sampled_from([2, 3, 10]),
    clamp=st.sampled_from(CLAMPS),
    rival=st.booleans(),
)
def test_what_is_left_out_changes_no_images_least(seed, k, clamp, rival):
    rng = np.random.default_rng(seed)
    of = np.sort(rng.integers(0, 12, 60))
    raw = rng.normal(size=(60, k)) + np.eye(k)[rng.integers(0, k, 60)] * rng.gamma(2.0, 2.0, (60, 1))
    raw[1::7] = raw[::7][: len(raw[1::7])]  # some are equal
    normed = layer_norm(torch.from_numpy(raw))
    rivals = normed[:, 0].contiguous() if rival else None
    needless = needless_points(sort_classes(normed), of, GRID, clamp, rivals=rivals)
    margins = deficits(normed, rivals, clamp)
    for image in np.unique(of):
        mine, left = of == image, (of == image) & ~needless
        assert left.any()
        np.testing.assert_allclose(margins[:, left].min(1), margins[:, mine].min(1), rtol=1e-9, atol=1e-15)


def test_most_points_that_are_only_surer_are_found():
    rng = np.random.default_rng(0)
    of = np.repeat(np.arange(50), 3)
    sure = np.tile([1.0, 3.0, 6.0], 50)
    raw = rng.normal(size=(50, 10))[of] * 0.3
    raw[:, 0] += sure
    found = needless_points(sort_classes(layer_norm(torch.from_numpy(raw))), of, GRID, "gelu")
    assert not found[::3].any()
    assert found[2::3].mean() > 0.5


def test_where_m_is_wrong_another_point_spares_nothing_unless_m_is_wrong_there_too():
    grid = GridSpec.from_ranges((0.05, 5.0), (1.0, 4.0), (-1.0, 0.0), steps=3)
    z = sort_classes(layer_norm(torch.tensor([[1.0, 0.8, 0.0], [3.0, 1.0, 0.9]], dtype=torch.float64)))
    of, wrong = np.zeros(2, np.int64), np.zeros((len(grid.c), 2), bool)
    assert needless_points(z, of, grid, "relu", wrong=wrong).tolist() == [False, True]
    wrong[1, 1] = True
    assert not needless_points(z, of, grid, "relu", wrong=wrong).any()
    wrong[1, 0] = True
    assert needless_points(z, of, grid, "relu", wrong=wrong).tolist() == [False, True]


def test_powers_below_one_leave_all_in():
    z = sort_classes(layer_norm(torch.tensor([[1.0, 0, 0], [1.0, 0, 0]], dtype=torch.float64)))
    of = np.zeros(2, np.int64)
    for least, found in ((1.0, 1), (0.5, 0)):
        grid = GridSpec.from_ranges((0.05, 5.0), (least, 4.0), (-1.0, 0.0), steps=3)
        assert needless_points(z, of, grid, "relu").sum() == found


@pytest.mark.parametrize("ln_k", [0, 2, 30, 250])
def test_normed_rows_are_layer_normed(ln_k):
    logits = torch.randn(70, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(normed_rows(logits, ln_k), layer_norm(logits, ln_k), rtol=1e-14, atol=1e-14)

"""The transform, the mix, the engine and the searches give the same on a GPU as on the CPU."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mnuts_core import GridSpec, LogitBundle, MixParams, RemixEngine, grid_search
from mnuts_core.clamps import CLAMPS, Clamp
from mnuts_core.functional.margins import confidence_margin, signed_margin
from mnuts_core.functional.mixing import mixed_logits
from mnuts_core.functional.transform import transform_logits
from mnuts_core.search.direct import direct_search

GRID = GridSpec([0.5, 3.0], [1.0, 2.5], [-1.0, 0.0])


@pytest.mark.parametrize("clamp", CLAMPS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 2e-5)])
def test_transform_and_margins(device: str, clamp: Clamp, dtype: torch.dtype, tolerance: float) -> None:
    logits = 4 * torch.randn(200, 10, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    labels = torch.arange(200) % 10
    expected = transform_logits(logits, s=1.5, p=2.0, c=-0.5, clamp=clamp)
    found = transform_logits(logits.to(device, dtype), s=1.5, p=2.0, c=-0.5, clamp=clamp)
    assert found.device.type == device
    torch.testing.assert_close(found.cpu().double(), expected, rtol=tolerance, atol=tolerance)
    for margin in (confidence_margin, lambda of: signed_margin(of, labels.to(of.device))):
        torch.testing.assert_close(
            margin(found).cpu().double(), margin(expected), rtol=0, atol=10 * tolerance
        )


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_mixed_logits(device: str, temperature: float) -> None:
    params = MixParams(s=5.0, p=4.0, c=-1.1, alpha=0.9, temperature=temperature)
    generator = torch.Generator().manual_seed(1)
    std, rob = (torch.randn(100, 10, generator=generator, dtype=torch.float64) for _ in range(2))
    found = mixed_logits(std.to(device), rob.to(device), params)
    torch.testing.assert_close(found.cpu(), mixed_logits(std, rob, params), rtol=1e-12, atol=1e-12)


def test_engine(device: str, bundle: LogitBundle) -> None:
    params = MixParams(s=5.0, p=4.0, c=-1.1)
    ours = RemixEngine(bundle, device=device).remix(params)
    plain = RemixEngine(bundle, device="cpu").remix(params)
    assert ours.threshold == pytest.approx(plain.threshold, abs=1e-12)
    assert (ours.clean, ours.attacked, ours.by_margin) == (plain.clean, plain.attacked, plain.by_margin)


def test_algorithm_1(device: str, bundle: LogitBundle) -> None:
    ours, plain = (grid_search(bundle, GRID, device=where) for where in (device, "cpu"))
    np.testing.assert_allclose(ours.objective, plain.objective, rtol=0, atol=1e-12)
    assert ours.best.index == plain.best.index


def test_direct_search(device: str, bundle: LogitBundle) -> None:
    ours, plain = (direct_search(bundle, GRID, device=where).frontier for where in (device, "cpu"))
    np.testing.assert_allclose(ours.clean, plain.clean, rtol=0, atol=1e-12)
    np.testing.assert_allclose(ours.attacked, plain.attacked, rtol=0, atol=1e-12)

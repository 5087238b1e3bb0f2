"""Each clamp against values by hand, a NumPy formula and torch's module; and what its record claims."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import torch
from scipy.special import ndtr
from torch import nn

from mnuts_core import ParameterError, layer_norm
from mnuts_core.clamps import CLAMP_RECORDS, CLAMPS, check_clamp, clamp_in_place, clamp_logits, gelu


class Formula(NamedTuple):
    """What a clamp should be: its values at -1, 0, 1, in NumPy, torch's own module (None: no clamp)."""

    values: tuple[float, float, float]
    numpy: Callable[[np.ndarray], np.ndarray]
    module: nn.Module | None


FORMULAS = {
    "gelu": Formula((-0.15865525393145707, 0.0, 0.8413447460685429), lambda x: x * ndtr(x), nn.GELU()),
    "relu": Formula((0.0, 0.0, 1.0), lambda x: np.where(x > 0, x, 0.0), nn.ReLU()),
    "elu": Formula(
        (math.exp(-1) - 1, 0.0, 1.0), lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0.0))), nn.ELU()
    ),
    "softplus": Formula(
        (math.log1p(math.exp(-1)), math.log(2), math.log1p(math.exp(1))),
        lambda x: np.logaddexp(0.0, x),
        nn.Softplus(),
    ),
    "linear": Formula((-1.0, 0.0, 1.0), lambda x: x, None),
}
GRID = torch.linspace(-12.0, 12.0, 4801, dtype=torch.float64)


def test_every_clamp_has_a_record_and_a_formula():
    assert tuple(CLAMP_RECORDS) == CLAMPS == tuple(FORMULAS)
    assert [check_clamp(name) for name in CLAMPS] == list(CLAMPS)


@pytest.mark.parametrize("bad", [None, "tanh", 1, ["gelu"]])
def test_unknown_names_are_refused(bad):
    with pytest.raises(ParameterError, match=r"clamp must be one of gelu, .*, got "):
        check_clamp(bad)


@pytest.mark.parametrize("clamp", CLAMPS)
def test_values_by_hand(clamp):
    out = clamp_logits(torch.tensor([-1.0, 0.0, 1.0], dtype=torch.float64), clamp)
    assert out.tolist() == pytest.approx(FORMULAS[clamp].values, rel=1e-14, abs=1e-16)


@pytest.mark.parametrize("clamp", CLAMPS)
def test_against_numpy_and_torch(clamp):
    ours, formula = clamp_logits(GRID, clamp), FORMULAS[clamp]
    np.testing.assert_allclose(ours.numpy(), formula.numpy(GRID.numpy()), rtol=1e-9, atol=1e-12)
    if formula.module is not None:
        torch.testing.assert_close(ours, formula.module(GRID), rtol=0, atol=1e-14)
    assert clamp_logits(GRID.float(), clamp).dtype == torch.float32


@pytest.mark.parametrize("clamp", CLAMPS)
@pytest.mark.parametrize("exact", [False, True])
def test_in_place(clamp, exact):
    given = GRID.clone()
    clamp_in_place(given, clamp, exact=exact)
    torch.testing.assert_close(
        given, clamp_logits(GRID, clamp), rtol=0 if exact else 1e-15, atol=0 if exact else 1e-15
    )


@pytest.mark.parametrize("clamp", CLAMPS)
def test_what_the_record_claims(clamp):
    record, values = CLAMP_RECORDS[clamp], clamp_logits(GRID, clamp)
    rises = values.diff() >= 0
    assert bool(rises.all()) == record.monotone
    assert not bool((rises[:-1] & ~rises[1:]).any())  # once it rises, it does not fall again
    assert bool((values >= 0).all()) == record.nonnegative
    assert bool((values <= GRID.clamp_min(0.0)).all()) == record.below_relu


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gelu_keeps_its_relative_precision_far_below_zero(dtype):
    x = torch.linspace(-9, -1, 500, dtype=dtype)
    exact = x.double() * torch.from_numpy(ndtr(x.double().numpy()))
    relative = 2e-5 if dtype == torch.float32 else 1e-12
    assert ((gelu(x).double() - exact) / exact).abs().max() < relative


def test_gelu_keeps_the_order_in_float32_at_a_very_negative_bias():
    """With `1 + erf` the arg max of many rows changes at c = -4."""
    generator = torch.Generator().manual_seed(0)
    normed = layer_norm(torch.randn(2000, 10, generator=generator, dtype=torch.float64))
    exact = gelu(normed - 4.0).argmax(dim=1)
    ours = gelu(normed.float() - 4.0).argmax(dim=1)
    cancelling = (normed.float() - 4.0) * 0.5 * (1 + torch.erf((normed.float() - 4.0) / math.sqrt(2)))
    assert (ours != exact).sum() <= 2
    assert (cancelling.argmax(dim=1) != exact).sum() > 50  # what the test guards against

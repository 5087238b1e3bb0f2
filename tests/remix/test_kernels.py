"""Classes too far behind to change the softmax's sum: which are left out, and that it makes no difference."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from mnuts_core import confidence_margin, layer_norm, transform_logits
from mnuts_core.clamps import CLAMPS, clamp_logits
from mnuts_core.functional.transform import signed_power
from mnuts_core.remix.kernels import FAR, find_contenders, sum_of_contenders
from mnuts_core.remix.stages import StagedTransform

SETTINGS = st.fixed_dictionaries(
    {
        "c": st.sampled_from([-9.0, -4.0, -2.0, -1.1, -0.3, 0.0, 1.0]),
        "clamp": st.sampled_from(CLAMPS),
        "p": st.sampled_from([0.4, 1.0, 2.3, 4.0, 9.0]),
        "s": st.sampled_from([0.05, 1.0, 7.0, 200.0, 5e5]),
    }
)


def sorted_rows(k: int, n: int = 40, seed: int = 0, ties: bool = True) -> torch.Tensor:
    """Layer-normed logits in falling order; some rows far apart at the top, some with ties."""
    rng = np.random.default_rng(seed)
    logits = torch.from_numpy(rng.normal(size=(n, k)))
    logits[torch.arange(n), torch.from_numpy(rng.integers(0, k, n))] += torch.from_numpy(rng.gamma(2, 3, n))
    if ties:
        logits[1] = 1.0
        logits[2, :3] = logits[2].max() + 2.0
    return layer_norm(logits).sort(dim=1, descending=True).values


def powered(z: torch.Tensor, at: dict) -> torch.Tensor:
    return signed_power(clamp_logits(z + at["c"], at["clamp"]), at["p"])


def test_by_hand():
    """relu, p = 1, s = 10, 32 classes: a class matters if it is less than (42 + ln 32) / 10 = 4.55 behind."""
    z = torch.zeros((3, 32), dtype=torch.float64)
    z[0, 0] = 9.0  # all others 9 behind
    z[1, :3] = torch.tensor([9.0, 6.0, 4.6])  # the third is 4.4 behind
    z[2, 0] = 4.5
    at = {"c": 0.0, "clamp": "relu", "p": 1.0, "s": 10.0}
    found = find_contenders(z, z[:, 0], **at)
    assert [(group.rows.tolist(), group.width) for group in found.groups] == [
        ([0], 2),
        ([1], 4),
        ([], 10),
        ([2], 32),
    ]
    assert found.share == (2 + 4 + 32) / 96
    rest = sum_of_contenders(z, z[:, 0], **at, groups=found.groups)
    expected = [0.0, math.exp(-44), 30 * math.exp(-45)]
    torch.testing.assert_close(rest, torch.tensor(expected).double(), rtol=1e-12, atol=1e-25)


@given(at=SETTINGS, k=st.sampled_from([32, 50, 300]), seed=st.integers(0, 9))
def test_only_what_cannot_matter_is_left_out(at, k, seed):
    z = sorted_rows(k, seed=seed)
    t = powered(z, at)
    first = t.amax(dim=1)
    found = find_contenders(z, first, **at)
    assume(found.groups)
    assert sorted(row for group in found.groups for row in group.rows.tolist()) == list(range(len(z)))
    for rows, width in found.groups:
        behind = at["s"] * (first[rows].unsqueeze(1) - t[rows, width:])
        assert (behind >= FAR).all()


@given(at=SETTINGS, k=st.sampled_from([32, 50, 300]), seed=st.integers(0, 9))
def test_the_sum_is_that_of_all_classes(at, k, seed):
    z = sorted_rows(k, seed=seed, ties=False)
    scaled = at["s"] * powered(z, at).sort(dim=1, descending=True).values
    found = find_contenders(z, scaled[:, 0] / at["s"], **at)
    assume(found.groups)
    rest = sum_of_contenders(z, scaled[:, 0] / at["s"], **at, groups=found.groups)
    expected = (scaled[:, 2:] - scaled[:, :1]).exp().sum(dim=1)
    rounding = 1e-14 * (1.0 + scaled.abs().amax(dim=1))  # of the exponents, at large s
    assert ((rest - expected).abs() <= rounding * (1e-3 + expected)).all()


def test_softplus_and_float32_keep_all_classes():
    z = sorted_rows(100)
    first = powered(z, {"c": 0.0, "clamp": "gelu", "p": 4.0})[:, 0]
    assert find_contenders(z, first, 0.0, "gelu", 4.0, 5.0).share < 0.5
    assert find_contenders(z, first, 0.0, "softplus", 4.0, 5.0).share == 1.0
    assert find_contenders(z.float(), first.float(), 0.0, "gelu", 4.0, 5.0).share == 1.0


def staged(k: int) -> tuple[torch.Tensor, StagedTransform]:
    logits = sorted_rows(k, n=60, seed=3, ties=False)
    logits = logits[:, torch.randperm(k, generator=torch.Generator().manual_seed(0))]
    return logits, StagedTransform(logits, torch.stack([logits.argmax(1), logits.argmin(1)], dim=1))


@pytest.mark.parametrize("clamp", CLAMPS)
@pytest.mark.parametrize(
    ("c", "p", "s"), [(-4.0, 3.0, 2.0), (-1.1, 4.0, 5.0), (0.3, 1.0, 1.0), (1.0, 9.0, 50)]
)
def test_stages_say_the_same_either_way(monkeypatch, clamp, c, p, s):
    logits, stages = staged(300)
    t = transform_logits(logits, s=s, p=p, c=c, clamp=clamp)
    for worth in (0.0, 0.999):  # never, and wherever a class can be left out
        monkeypatch.setattr("mnuts_core.remix.stages.WORTH", (worth,) * 3)
        stages.margins(0, 0.0, "linear", 1.0, 1.0)
        stages._memo.clear()
        found = stages.margins(250, c, clamp, p, s)
        torch.testing.assert_close(found.margin, confidence_margin(t), rtol=1e-11, atol=1e-16)
        torch.testing.assert_close(found.top, t.softmax(dim=1).amax(dim=1), rtol=1e-12, atol=0)


def test_the_way_taken_depends_on_what_moved():
    """A new c is answered without the tails; moving s after it is worth remembering c's stages."""
    _, stages = staged(300)
    stages.margins(250, -1.0, "gelu", 3.0, 1.0)
    assert "powered" not in stages._memo
    stages.margins(250, -1.0, "gelu", 3.0, 0.1)  # the smaller s, the more classes matter
    assert list(stages._memo["powered"]) == [(250, -1.0, "gelu", 3.0)]
    stages.margins(250, 0.5, "gelu", 4.0, 9.0)
    assert list(stages._memo["powered"]) == [(250, -1.0, "gelu", 3.0)]
    stages.margins(250, 0.5, "gelu", 4.0, 8.0)  # hardly any matter: still not worth it
    assert list(stages._memo["powered"]) == [(250, -1.0, "gelu", 3.0)]

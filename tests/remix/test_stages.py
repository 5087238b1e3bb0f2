"""The staged transform against the plain one: transform, then softmax over all classes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mnuts_core import confidence_margin, transform_logits
from mnuts_core.clamps import CLAMPS
from mnuts_core.remix.stages import StagedTransform

SETTINGS = st.fixed_dictionaries(
    {
        "ln_k": st.sampled_from([0, 2, 3, 250]),
        "c": st.sampled_from([-9.0, -4.0, -2.5, -1.1, -0.7, -0.3, 0.0, 0.5, 2.0]),
        "clamp": st.sampled_from(CLAMPS),
        "p": st.sampled_from([0.4, 1.0, 2.3, 4.0, 8.0]),
        "s": st.sampled_from([0.005, 0.05, 1.0, 7.0, 60.0]),
    }
)


def some_logits(k: int, n: int = 24, seed: int = 0) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, k)) * rng.uniform(0.2, 5, (n, 1))
    logits[::3] += 4 * np.eye(k)[rng.integers(0, k, len(logits[::3]))]
    logits[1] = 1.0  # all classes tie
    logits[2, :2] = logits[2].max() + 1.0  # the first two tie
    return torch.from_numpy(logits)


def staged(logits: torch.Tensor, **options) -> StagedTransform:
    watched = torch.stack([torch.arange(len(logits)) % logits.shape[1], logits.argmin(dim=1)], dim=1)
    return StagedTransform(logits, watched, **options)


def check(stages: StagedTransform, logits: torch.Tensor, at: dict, atol: float = 1e-12) -> None:
    """Compare everything that `stages` says at these parameters with the plain computation."""
    t = transform_logits(logits, **at)
    p = t.softmax(dim=1)
    found = stages.margins(at["ln_k"], at["c"], at["clamp"], at["p"], at["s"])
    close = lambda ours, plain: torch.testing.assert_close(ours.double(), plain, atol=atol, rtol=0)
    close(found.margin, confidence_margin(t))
    close(found.top, p.amax(dim=1))
    watched = torch.stack([torch.arange(len(logits)) % logits.shape[1], logits.argmin(dim=1)], dim=1)
    close(found.deficit, p.amax(dim=1, keepdim=True) - p.gather(1, watched))
    assert (found.margin >= 0).all()
    assert (found.margin <= 1).all()
    top = stages.top_class(at["ln_k"], at["c"], at["clamp"])
    close(p.gather(1, top.unsqueeze(1)).squeeze(1), p.amax(dim=1))


@pytest.mark.parametrize("k", [2, 3, 4, 5, 11])
@pytest.mark.parametrize("clamp", CLAMPS)
@pytest.mark.parametrize("c", [-9.0, -4.0, -1.1, -0.5, 0.0, 1.0])
def test_against_the_plain_computation(k, clamp, c):
    logits = some_logits(k)
    stages = staged(logits)
    for p, s in ((1.0, 1.0), (3.6, 0.6), (0.5, 20.0)):
        check(stages, logits, {"ln_k": 250, "c": c, "clamp": clamp, "p": p, "s": s})


@pytest.mark.parametrize("k", [3, 4, 6])
def test_gelus_far_tail_overtakes(k):
    """At c = -4 the smallest logits come out largest; the stages must notice (D.8.2)."""
    logits = some_logits(k, n=200)
    stages = staged(logits)
    plain = transform_logits(logits, s=1, p=1, c=-4.0).argmax(dim=1)
    assert (plain != logits.argmax(dim=1)).sum() > 50
    untied = torch.arange(200) > 2
    assert torch.equal(stages.top_class(250, -4.0, "gelu")[untied], plain[untied])
    assert torch.equal(stages.plain_class, logits.argmax(dim=1))


def test_two_classes_whichever_leads():
    """K = 2: the largest and the smallest logit are neighbours, and there is no rest."""
    logits = torch.tensor([[2.0, 1.0], [0.0, 3.0], [1.0, 1.0]], dtype=torch.float64)
    for c in (-4.0, -1.0, 0.0):
        check(staged(logits), logits, {"ln_k": 250, "c": c, "clamp": "gelu", "p": 2.0, "s": 1.0})


def test_small_margins_keep_their_relative_precision():
    """Where probabilities cancel (margins of 1e-18) the stages still tell them apart."""
    logits = some_logits(10, n=100, seed=3)
    found = staged(logits).margins(250, -2.5, "gelu", 4.0, 0.05).margin
    t = transform_logits(logits, s=0.05, p=4.0, c=-2.5)
    top = t.topk(2, dim=1).values
    approximate = (top[:, 0] - top[:, 1]) / 10  # for tiny s·t every probability is 1/K
    small = (approximate > 0) & (t.abs().amax(dim=1) < 1e-4)
    assert small.sum() > 20
    torch.testing.assert_close(found[small], approximate[small], rtol=2e-4, atol=0)


@settings(max_examples=25)
@given(
    path=st.lists(SETTINGS, min_size=2, max_size=8), k=st.sampled_from([2, 3, 4, 7]), seed=st.integers(0, 9)
)
def test_the_memory_is_right_after_any_moves(path, k, seed):
    logits = some_logits(k, n=6, seed=seed)
    stages = staged(logits)
    for at in path:
        check(stages, logits, at, atol=1e-10)


def test_moving_one_parameter_and_back():
    logits = some_logits(6)
    stages = staged(logits)
    base = {"ln_k": 250, "c": -1.0, "clamp": "gelu", "p": 3.0, "s": 2.0}
    first = stages.margins(250, -1.0, "gelu", 3.0, 2.0).margin.clone()
    moves = [("s", 5.0), ("p", 1.5), ("c", 0.3), ("clamp", "relu"), ("ln_k", 3), ("ln_k", 0)]
    for name, value in moves:
        check(stages, logits, base | {name: value})
        check(stages, logits, base)
    assert torch.equal(stages.margins(250, -1.0, "gelu", 3.0, 2.0).margin, first)


def test_results_do_not_change_under_the_callers_hands():
    logits = some_logits(6)
    stages = staged(logits)
    kept = stages.margins(250, -1.0, "gelu", 3.0, 2.0)
    copy = kept.margin.clone(), kept.deficit.clone()
    for s in (0.1, 1.0, 4.0):
        stages.margins(250, -1.0, "gelu", 3.0, s)
    stages.margins(0, 0.5, "relu", 1.0, 1.0)
    assert torch.equal(kept.margin, copy[0])
    assert torch.equal(kept.deficit, copy[1])


@pytest.mark.parametrize("clamp", CLAMPS)
def test_float32(clamp):
    logits = some_logits(10)
    stages = staged(logits, dtype=torch.float32)
    at = {"ln_k": 250, "c": -1.0, "clamp": clamp, "p": 3.0, "s": 1.0}
    assert stages.margins(250, -1.0, clamp, 3.0, 1.0).margin.dtype == torch.float32
    check(stages, logits, at, atol=1e-4)


def test_no_watched_class():
    logits = some_logits(5)
    stages = StagedTransform(logits, torch.empty((len(logits), 0), dtype=torch.int64))
    assert stages.margins(250, 0.0, "gelu", 2.0, 1.0).deficit.shape == (len(logits), 0)

"""Shares of the rows in threads: the same numbers within rounding, and only where they are worth it."""

from __future__ import annotations

import pytest
import torch

from mnuts_core import MixParams, RemixEngine
from mnuts_core.clamps import CLAMPS
from mnuts_core.remix import threads as threads_remix
from mnuts_core.remix.stages import StagedTransform
from mnuts_core.remix.threads import SharedStages, make_stages
from tests.synthetic import make_bundle


def drawn(n: int, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn((n, k), generator=generator), torch.randint(0, k, (n, 2), generator=generator)


@pytest.mark.parametrize("clamp", CLAMPS)
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_same_numbers_as_one_thread(clamp, threads):
    logits, watched = drawn(101, 7)
    whole, shared = StagedTransform(logits, watched), SharedStages(logits, watched, threads=threads)
    assert torch.equal(shared.plain_class, whole.plain_class)
    torch.testing.assert_close(shared.normed(250), whole.normed(250), rtol=1e-14, atol=1e-15)
    for c, p, s in ((-4.0, 1.5, 2.0), (-1.1, 4.0, 5.0), (0.3, 4.0, 5.0)):
        ours, theirs = (stages.margins(250, c, clamp, p, s) for stages in (shared, whole))
        for name in ("margin", "top", "deficit"):
            torch.testing.assert_close(getattr(ours, name), getattr(theirs, name), rtol=1e-12, atol=1e-15)
        assert torch.equal(shared.top_class(250, c, clamp), whole.top_class(250, c, clamp))


def test_threads_are_for_large_bundles(monkeypatch):
    monkeypatch.setattr(threads_remix, "_cores", lambda: 2)
    small, large = drawn(100, 10), drawn(5_100, 100)
    options = {"device": torch.device("cpu"), "dtype": torch.float64}
    assert isinstance(make_stages(*small, **options), StagedTransform)
    assert isinstance(make_stages(*large, **options), SharedStages)
    monkeypatch.setattr(threads_remix, "_cores", lambda: 1)
    assert isinstance(make_stages(*large, **options), StagedTransform)


def test_the_last_answers_are_kept(monkeypatch):
    shared = SharedStages(*drawn(40, 5), threads=2)
    at = (250, -1.0, "gelu", 3.0, 2.0)
    first, top = shared.margins(*at), shared.top_class(*at[:3])
    asked = []
    monkeypatch.setattr(shared, "_each", lambda ask: asked.append(ask) or [ask(p) for p in shared._parts])
    assert shared.margins(*at) is first
    assert shared.top_class(*at[:3]) is top
    assert asked == []
    for c in range(10):
        shared.margins(250, float(c), "gelu", 3.0, 2.0)
    again = shared.margins(*at)
    assert len(asked) == 11
    assert torch.equal(again.margin, first.margin)


def test_an_error_in_a_thread_reaches_the_caller():
    shared = SharedStages(*drawn(40, 5), threads=2)
    with pytest.raises(ValueError, match="nowhere"):
        shared.margins(250, 0.0, "nowhere", 1.0, 1.0)


def test_engine_answers_the_same_and_leaves_the_thread_count_alone(monkeypatch):
    bundle, params = make_bundle(n=300, m=60, k=5), MixParams(s=5.0, p=4.0, c=-1.1, beta=0.9)
    before = torch.get_num_threads()
    alone = RemixEngine(bundle, device="cpu").remix(params)
    monkeypatch.setattr(threads_remix, "SHARE", 500)
    monkeypatch.setattr(threads_remix, "_cores", lambda: 3)
    engine = RemixEngine(bundle, device="cpu")
    assert isinstance(engine.stages, SharedStages)
    shared = engine.remix(params)
    assert shared.threshold == pytest.approx(alone.threshold, rel=1e-12)
    assert shared.clean == alone.clean
    assert shared.on_clean.margin == pytest.approx(alone.on_clean.margin, rel=1e-12)
    assert (shared.on_attacked.mix_class == alone.on_attacked.mix_class).all()
    assert torch.get_num_threads() == before

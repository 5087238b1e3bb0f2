"""Parameters and operations counted by hand; time measured (Table 5)."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mnuts_core import MixedClassifier, MixParams, ParameterError
from mnuts_core.export.profiling import profile


@pytest.fixture
def mix() -> MixedClassifier:
    std = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 64, 5))
    rob = nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 5, bias=False))
    return MixedClassifier(std, rob, MixParams(s=5.0, p=4.0, c=-1.1, alpha=0.999))


def test_counts_by_hand(mix):
    found = profile(mix, torch.rand(7, 3, 8, 8), repeats=2)
    assert found.std.parameters == (3 * 4 * 9 + 4) + (256 * 5 + 5)
    assert found.rob.parameters == 192 * 5
    assert found.std.flops == 2 * (64 * 4 * 3 * 9) + 2 * 256 * 5
    assert found.rob.flops == 2 * 192 * 5
    assert found.mix.parameters == found.std.parameters + found.rob.parameters
    assert found.mix.flops == found.std.flops + found.rob.flops
    assert (found.batch_size, found.repeats, found.device) == (7, 2, "cpu")


def test_times_are_those_of_the_parts(monkeypatch):
    """On a clock that only these parts move: 2 s for g, 0.5 s for h, 0.01 s to mix."""
    now = [0.0]

    class Takes(nn.Module):
        def __init__(self, seconds: float) -> None:
            super().__init__()
            self.seconds = seconds

        def forward(self, images):
            now[0] += self.seconds
            return images.flatten(1)[:, :5]

    class Mix(MixedClassifier):
        def mix_logits(self, *logits):
            now[0] += 0.01
            return super().mix_logits(*logits)

    monkeypatch.setattr("mnuts_core.export.profiling.clock", lambda device: now[0])
    mix = Mix(Takes(2.0), Takes(0.5), MixParams(s=5.0, p=4.0, c=-1.1, alpha=0.999))
    found = profile(mix, torch.rand(2, 3, 8, 8), repeats=3)
    assert found.std.milliseconds == pytest.approx(2000)
    assert found.rob.milliseconds == pytest.approx(500)
    assert found.mixing_milliseconds == pytest.approx(10)
    assert found.mix.milliseconds == pytest.approx(2510)
    assert found.overhead == pytest.approx(10 / 2500)


def test_modes_are_set_back(mix):
    mix.train()
    profile(mix, torch.rand(2, 3, 8, 8), repeats=1)
    assert mix.training
    assert mix.std_model.training


def test_refusals(mix):
    with pytest.raises(ParameterError, match="repeats must be an integer of at least 1"):
        profile(mix, torch.rand(2, 3, 8, 8), repeats=0)
    with pytest.raises(ParameterError, match=r"images must lie in \[0, 1\]"):
        profile(mix, 255 * torch.rand(2, 3, 8, 8))

"""Whether bfloat16 pays is measured, and it is taken only where it computes the same function."""

from __future__ import annotations

import time

import pytest
import torch
from torch import Tensor, nn

from mnuts_core.models import precision
from mnuts_core.models.precision import ON_CPU, Measured, Reduced, measure_precision

IMAGES = torch.rand(40, 1, 2, 2, generator=torch.Generator().manual_seed(0))


class Paced(nn.Module):
    """Takes so many milliseconds in float32 and in bfloat16; notes for how many images it is asked."""

    def __init__(self, full: float, reduced: float) -> None:
        super().__init__()
        self.linear, self.full, self.reduced = nn.Linear(4, 3), full, reduced
        self.asked: list[int] = []

    def forward(self, images: Tensor) -> Tensor:
        self.asked.append(len(images))
        logits = self.linear(images.flatten(1))
        time.sleep((self.reduced if logits.dtype == torch.bfloat16 else self.full) / 1000)
        return logits


class Refuses(Paced):
    """Has no bfloat16."""

    def forward(self, images: Tensor) -> Tensor:
        logits = super().forward(images)
        if logits.dtype == torch.bfloat16:
            raise RuntimeError("not implemented for 'BFloat16'")
        return logits


class Another(Paced):
    """Answers with another class in bfloat16, or with NaN."""

    def __init__(self, value: float) -> None:
        super().__init__(30, 1)
        self.value = value

    def forward(self, images: Tensor) -> Tensor:
        logits = super().forward(images)
        if logits.dtype != torch.bfloat16:
            return logits
        return logits + torch.full((3,), self.value).index_fill(0, torch.tensor([0, 1]), 0.0)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "SECONDS", 0.05)


def measured(*models: nn.Module) -> Measured:
    return measure_precision([(f"model {n}", model) for n, model in enumerate(models)], IMAGES)


@pytest.mark.parametrize(
    ("model", "taken"),
    [(Paced(60, 10), "bfloat16"), (Paced(10, 60), "full"), (Paced(30, 29), "full")],
)
def test_it_takes_what_is_clearly_faster(model: nn.Module, taken: str) -> None:
    found = measured(model)
    assert found.precision == taken
    assert found.speedup > 0


def test_all_models_count() -> None:
    """What one gains by bfloat16, the other loses twice."""
    assert measured(Paced(30, 5), Paced(5, 60)).precision == "full"


@pytest.mark.parametrize(
    ("model", "fault"),
    [
        (Refuses(0, 0), "model 0 fails in bfloat16"),
        (Another(float("nan")), "model 0 gives other answers in bfloat16"),
        (Another(100.0), "model 0 gives other answers in bfloat16"),
    ],
)
def test_bfloat16_that_is_another_function_is_not_taken(model: nn.Module, fault: str) -> None:
    assert measured(model) == Measured("full", fault=fault)


def test_it_is_not_offered_everywhere() -> None:
    found = measure_precision([("model", Paced(0, 0))], IMAGES, "mps")
    assert found == Measured("full", fault="bfloat16 is not offered on mps")


def test_a_slow_model_is_asked_for_few_images_and_a_fast_one_for_more() -> None:
    slow, fast = Paced(20, 1), Paced(0, 0)
    measured(slow)
    measured(fast)
    assert max(slow.asked) < max(fast.asked) == ON_CPU


def test_turns_are_few_where_passes_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "SECONDS", 1000.0)
    model = Paced(0, 0)
    measured(model)
    assert len(model.asked) < 4 * precision.TURNS


def test_the_model_stays_as_it_was() -> None:
    model = Paced(0, 0).train()
    model.linear.bias.requires_grad_(False)
    measured(model)
    assert model.training
    assert [p.requires_grad for p in model.parameters()] == [True, False]
    assert all(p.grad is None for p in model.parameters())


def test_answers_are_compared() -> None:
    plain = torch.eye(3).repeat(40, 1)
    assert Reduced.of(plain, plain + 0.01) == (0, 0, 120)
    assert Reduced.of(plain, plain + 0.01).same_function
    some = plain.clone()
    some[:2] = some[:2].flip(1)
    assert Reduced.of(plain, some) == (0, 1, 120)  # the middle class of three stays
    assert Reduced.of(plain, some).same_function, "one of 120 may be rounding"
    lost = plain.clone()
    lost[0, 0] = float("inf")
    assert Reduced.of(plain, lost) == (1, 0, 120)
    assert not Reduced.of(plain, lost).same_function

"""Whether bfloat16 pays is measured, and it is taken only where it computes the same function."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from mnuts_core.models import precision
from mnuts_core.models.precision import COMPARED, ON_CPU, Measured, Reduced, measure_precision

IMAGES = torch.rand(40, 1, 2, 2, generator=torch.Generator().manual_seed(0))


class Paced(nn.Module):
    """Takes so many seconds of the fake clock in float32 and in bfloat16, for any number of images."""

    now = 0.0

    def __init__(self, full: float, reduced: float) -> None:
        super().__init__()
        self.linear, self.full, self.reduced = nn.Linear(4, 3), full, reduced
        self.asked: list[int] = []

    def forward(self, images: Tensor) -> Tensor:
        self.asked.append(len(images))
        logits = self.linear(images.flatten(1))
        Paced.now += self.reduced if logits.dtype == torch.bfloat16 else self.full
        return logits


class Another(Paced):
    """In bfloat16 it is another function."""

    def __init__(self, changed: Callable[[Tensor], Tensor]) -> None:
        super().__init__(0.3, 0.01)
        self.changed = changed

    def forward(self, images: Tensor) -> Tensor:
        logits = super().forward(images)
        return self.changed(logits) if logits.dtype == torch.bfloat16 else logits


def refused(logits: Tensor) -> Tensor:
    raise RuntimeError("not implemented for 'BFloat16'")


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "clock", lambda device: Paced.now)


def measured(*models: nn.Module) -> Measured:
    return measure_precision([(f"model {n}", model) for n, model in enumerate(models)], IMAGES)


@pytest.mark.parametrize(
    ("model", "speedup"),
    [(Paced(0.6, 0.1), 6.0), (Paced(0.1, 0.6), 1 / 6), (Paced(0.3, 0.29), 30 / 29)],
)
def test_it_takes_what_is_clearly_faster(model: nn.Module, speedup: float) -> None:
    found = measured(model)
    assert found.speedup == pytest.approx(speedup)
    assert found.precision == ("bfloat16" if speedup >= 1.25 else "full")


def test_all_models_count() -> None:
    """What one gains by bfloat16, the other loses twice."""
    assert measured(Paced(0.3, 0.05), Paced(0.05, 0.6)).precision == "full"


@pytest.mark.parametrize(
    ("model", "fault"),
    [
        (Another(refused), "model 0 fails in bfloat16"),
        (Another(lambda logits: logits / 0.0), "model 0 gives other answers in bfloat16"),
        (Another(torch.neg), "model 0 gives other answers in bfloat16"),
    ],
)
def test_bfloat16_that_is_another_function_is_not_taken(model: nn.Module, fault: str) -> None:
    assert measured(model) == Measured("full", fault=fault)


def test_it_is_not_offered_everywhere() -> None:
    found = measure_precision([("model", Paced(1.0, 1.0))], IMAGES, "mps")
    assert found == Measured("full", fault="bfloat16 is not offered on mps")


def test_a_slow_model_is_asked_for_few_images_and_a_fast_one_for_more() -> None:
    slow, fast = Paced(0.2, 0.1), Paced(0.001, 0.001)
    measured(slow)
    measured(fast)
    assert (max(slow.asked), max(fast.asked)) == (COMPARED, ON_CPU)


def test_turns_are_few_where_passes_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "SECONDS", 1000.0)
    model = Paced(0.001, 0.001)
    measured(model)
    assert len(model.asked) < 4 * precision.TURNS


def test_the_model_stays_as_it_was() -> None:
    model = Paced(0.1, 0.1).train()
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

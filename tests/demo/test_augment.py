"""What both demo trainings share: the rate's cycle and random crops."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from mnuts_core.demo import cifar10_training, digits_training
from mnuts_core.demo.augment import one_cycle, random_crops

CYCLES = [(digits_training.PEAK, 0.0), (cifar10_training.PEAK, cifar10_training.FLOOR)]


@pytest.mark.parametrize(("peak", "floor"), CYCLES)
def test_the_rate_rises_then_falls_to_nothing(peak: float, floor: float) -> None:
    rates = [one_cycle(step / 100, peak, floor) for step in range(100)]
    top = round(100 * peak)
    assert rates.index(max(rates)) == top
    assert rates[top] == 1
    assert rates[0] == floor
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert rates[-1] < 0.02


@pytest.mark.parametrize("mirror", [False, True])
def test_crops_are_all_the_moved_and_mirrored_copies_and_no_others(mirror: bool) -> None:
    image = torch.arange(30, dtype=torch.float64).reshape(1, 1, 5, 6)
    padded = F.pad(image, (1,) * 4)
    made = random_crops(padded.repeat(400, 1, 1, 1), 1, torch.Generator().manual_seed(0), mirror=mirror)
    crops = [padded[0, 0, i : i + 5, j : j + 6] for i in range(3) for j in range(3)]
    allowed = crops + [crop.flip(1) for crop in crops] if mirror else crops
    kinds = [next(k for k, crop in enumerate(allowed) if torch.equal(crop, one[0])) for one in made]
    assert set(kinds) == set(range(len(allowed)))
    assert made.dtype == image.dtype


def test_channels_move_together() -> None:
    padded = torch.rand(1, 1, 6, 6, generator=torch.Generator().manual_seed(1)).repeat(50, 3, 1, 1)
    made = random_crops(padded, 1, torch.Generator().manual_seed(0), mirror=True)
    assert made.shape == (50, 3, 4, 4)
    assert torch.equal(made[:, 0], made[:, 1])
    assert torch.equal(made[:, 0], made[:, 2])
    assert made.is_contiguous(memory_format=torch.channels_last)

"""Training by the clock: on every device it learns, ends in time, and goes on where it was cut off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
import torch
from torch import nn

from mnuts_core.demo.cifar10_residual import ResidualNet, make_residual
from mnuts_core.demo.timed_training import TimedRecipe, Trained, train_by_clock
from mnuts_core.errors import MnutsError
from mnuts_core.models.inputs import Precision
from tests.benchmarks.gpu.synthetic import coloured

RECIPE = TimedRecipe(seconds=1000.0, epochs=2, rate=0.1, batch_size=16, eps=4 / 255, hole=4, average=0.5)


def train(device: str, recipe: TimedRecipe = RECIPE, n: int = 64, **options: object) -> Trained:
    data = coloured(n, seed=0)
    pixels = (255 * data.images).byte()
    network = make_residual((4, 8), 1, seed=0)
    return train_by_clock(network, pixels, data.labels, recipe, seed=0, device=device, **options)  # type: ignore[arg-type]


def same(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("precision", ["full", "bfloat16"])
def test_it_trains_there_and_comes_back(device: str, precision: Precision) -> None:
    made = train(device, precision=precision)
    assert made.epochs == 2
    for network in made.networks.values():
        assert not network.training
        assert {part.device.type for part in network.parameters()} == {"cpu"}
        assert {part.dtype for part in network.parameters()} == {torch.float32}
        assert all(part.isfinite().all() for part in network.parameters())
    assert not same(*made.networks.values())


def test_it_learns(device: str) -> None:
    made = train(device, replace(RECIPE, eps=1 / 255, epochs=10, hole=0), n=96)
    fresh = coloured(200, seed=1)
    with torch.no_grad():
        for network in made.networks.values():
            right = (network(fresh.images).argmax(1) == fresh.labels).float().mean()
            assert right > 0.2  # 200 images: chance is 0.10 ± 0.02


def clock(step: float) -> Iterator[float]:
    """A clock by which so much time passes between two looks at it."""
    return (step * n for n in count())


def test_it_ends_when_the_time_is_gone() -> None:
    looks = clock(1.0)
    made = train("cpu", replace(RECIPE, seconds=3.0, epochs=100), clock=lambda: next(looks))
    assert made.epochs <= 2
    assert 3.0 <= made.seconds <= 6.0


def test_killed_it_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    """But for rounding, by which two whole runs differ, too: where a tensor lies decides over sums."""
    recipe = replace(RECIPE, eps=0.0, epochs=3)
    whole, path = train("cpu", recipe), tmp_path / "state.safetensors"

    def kill(done: int, _: int) -> None:
        if done > 500:  # the second of three epochs
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train("cpu", recipe, checkpoint=path, save_every=0.0, progress=kill)
    resumed = train("cpu", recipe, checkpoint=path)
    assert resumed.epochs == 3
    for name, network in whole.networks.items():
        torch.testing.assert_close(
            resumed.networks[name].state_dict(), network.state_dict(), rtol=0, atol=1e-3
        )
    again = train("cpu", recipe, checkpoint=path)
    assert same(again.networks["last"], resumed.networks["last"]), "it was finished"


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    train("cpu", replace(RECIPE, epochs=1), checkpoint=path)
    with pytest.raises(MnutsError, match="another recipe, seed or precision"):
        train("cpu", checkpoint=path)


def test_radius_grows_to_its_full_size() -> None:
    assert [RECIPE.radius(x) for x in (0.0, 0.05, 0.1, 0.9)] == [0.0, RECIPE.eps / 2, RECIPE.eps, RECIPE.eps]


def test_residual_networks_are_of_the_seed_and_halve_the_image() -> None:
    network = make_residual((4, 8, 12), 2, seed=3)
    assert same(network, make_residual((4, 8, 12), 2, seed=3))
    assert not same(network, make_residual((4, 8, 12), 2, seed=4))
    assert network.architecture == {"widths": (4, 8, 12), "blocks": 2}
    assert network.stages(torch.zeros(1, 4, 32, 32)).shape == (1, 12, 8, 8)
    published = ResidualNet((64, 128, 256, 512), 2)
    assert sum(part.numel() for part in published.parameters()) == pytest.approx(11.17e6, rel=1e-3)

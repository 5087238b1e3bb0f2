"""The steps of `make gpu`, a build and a training under the stand-in for a GPU: nothing is misplaced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.cli.app import run as main
from mnuts_core.demo import kept_precision
from mnuts_core.demo.cifar10_training import CifarRecipe, train_network
from mnuts_core.models import inputs
from mnuts_core.models.precision import Measured, measure_precision
from tests.benchmarks.gpu import pool, throughput, training, verification
from tests.benchmarks.gpu.job import TRAINED, Job
from tests.benchmarks.gpu.sizes import TINY
from tests.benchmarks.gpu.synthetic import SYNTHETIC, coloured
from tests.benchmarks.mmaa import Budget
from tests.fake_cuda import fake_cuda

LEAST = Budget(steps=2, targets=1)
SMALLEST = TINY._replace(budget=LEAST, bench=(2, 2), n_test=20, mmaa=LEAST, pool=LEAST, rounds=1)


def numbers(out: Path, step: str) -> dict[str, dict[str, object]]:
    content = json.loads((out / "results" / f"{step}.json").read_text())
    assert content["environment"]["card"] == "stand-in"
    found: dict[str, dict[str, object]] = content["numbers"]
    return found


@pytest.fixture(autouse=True)
def bfloat16_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU of this generation, however small the networks; the measurement itself runs."""

    def measured(*given: Any, **options: Any) -> Measured:
        return measure_precision(*given, **options)._replace(precision="bfloat16")

    monkeypatch.setattr(kept_precision, "measure_precision", measured)


def run(step: str, out: Path) -> None:
    of = {"training": training, "pool": pool, "verification": verification, "throughput": throughput}
    with fake_cuda():
        of[step].run(Job(step, out, SYNTHETIC, "cuda", SMALLEST))


def test_training_pool_and_verification(tmp_path: Path) -> None:
    for step in ("training", "pool", "verification"):
        run(step, tmp_path)
    assert numbers(tmp_path, "training")["rob: clean"]["n"] == SMALLEST.n_test
    path = pool.newest(tmp_path / TRAINED / "pool")
    assert path is not None
    attack, *_ = LogitBundle.load(path).manifest.attacks
    assert "bfloat16" in str(attack.precision)
    assert any(name.endswith("verified") for name in numbers(tmp_path, "verification"))


def test_throughput(tmp_path: Path) -> None:
    run("throughput", tmp_path)
    assert len(numbers(tmp_path, "throughput")) == 4 * 7


def test_a_build_by_command(tmp_path: Path) -> None:
    """With the looks at models and images that come before it."""
    pair = ["--std", "demo:digits/std", "--rob", "demo:digits/rob", "--data", "digits"]
    few = ["--n-clean", "8", "--n-adv", "4", "--n-iter", "1", "--n-targets", "1"]
    with fake_cuda():
        path = tmp_path / "few.safetensors"
        threat = ["--norm", "Linf", "--eps", "0.1"]
        assert main(["build", *pair, *threat, *few, "--device", "cuda", "--out", str(path)]) == 0
    assert LogitBundle.load(path).n_adv == 4


def test_the_shipped_pairs_training() -> None:
    """Here images and random numbers stay on the CPU, batches go over."""
    data = coloured(32, seed=0)
    recipe = CifarRecipe((4, 4, 4), epochs=1, rate=0.1, batch_size=16, eps=0.01, whitened=True)
    with fake_cuda():
        network = train_network((255 * data.images).byte(), data.labels, recipe, seed=0, device="cuda")
    assert {weights.device.type for weights in network.parameters()} == {"cpu"}


def test_a_tensor_that_stays_behind_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else this module would show nothing."""
    laid_out = inputs.laid_out
    monkeypatch.setattr(
        "mnuts_core.attacks.mmaa.laid_out", lambda images, *more: laid_out(images.cpu(), *more)
    )
    with pytest.raises(Exception, match=r"same device|on cpu, but it failed"):
        run("throughput", tmp_path)
    assert torch.ones(1).device.type == "cpu", "the stand-in is gone"

"""Sources of points: what each attacks; a run that stops goes on to the same bytes; what is refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from mnuts_core import LogitBundle, MixParams
from mnuts_core.attacks.pool_plan import PoolPlan, PoolTarget
from mnuts_core.bundles.manifest import DataCard
from mnuts_core.errors import ParameterError, WorkFolderError
from mnuts_core.functional.mixing import fools_both
from mnuts_core.pipeline.build import build_bundle, model_card
from mnuts_core.pipeline.pool import SourcePoints, add_points, attack_pool
from mnuts_core.pipeline.pool_batches import PoolBatches
from mnuts_core.pipeline.workfolder import count_batches
from tests.synthetic import with_attack

N, M, K = 24, 17, 5
MIX = PoolTarget(MixParams(s=3.0, p=2.0, c=-0.3, alpha=0.8), alpha_d=0.9)
OTHER = PoolTarget(MixParams(s=1.0, p=4.0, c=0.1, alpha=0.6))
TARGETS = (MIX, OTHER, PoolTarget())
PLAN = PoolPlan(norm="Linf", eps=0.05, n_iter=4, n_targets=2)


def network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, K)).eval()


STD, ROB = network(0), network(1)
IMAGES = torch.rand(N, 3, 6, 6, generator=torch.Generator().manual_seed(2))
LABELS = torch.where(torch.arange(N) % 4 > 0, ROB(IMAGES).argmax(1), STD(IMAGES).argmax(1))


@pytest.fixture(scope="module")
def tiny() -> LogitBundle:
    cards = {"std_card": model_card("test:std", STD), "rob_card": model_card("test:rob", ROB)}
    arguments = {
        "std_model": STD, "rob_model": ROB, "images": IMAGES, "labels": LABELS, "norm": "Linf", "eps": 0.05,
        "n_adv": M, "name": "tiny", "classes": tuple("abcde"), "data": DataCard(name="noise"), "n_iter": 2,
        "n_targets": 1, "device": "cpu",
    }  # fmt: skip
    return build_bundle(**with_attack(arguments), **cards)


def attack(bundle: LogitBundle, **changes: Any) -> tuple[SourcePoints, ...]:
    arguments: dict[str, Any] = {
        "bundle": bundle, "std_model": STD, "rob_model": ROB, "images": IMAGES, "labels": LABELS,
        "targets": TARGETS, "plan": PLAN, "batch_size": 7, "device": "cpu",
    } | changes  # fmt: skip
    return attack_pool(**arguments)


def same(some: tuple[SourcePoints, ...], others: tuple[SourcePoints, ...]) -> bool:
    names = ("index", "std_logits", "rob_logits", "not_finite")
    return len(some) == len(others) and all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for a, b in zip(some, others, strict=True)
        for name in names
    )


@pytest.fixture(scope="module")
def undisturbed(tiny: LogitBundle) -> tuple[SourcePoints, ...]:
    return attack(tiny)


def settled_rows(points: Any) -> set[int]:
    both = map(torch.from_numpy, (points.std_logits, points.rob_logits))
    fooled = fools_both(*both, LABELS[torch.from_numpy(points.index)]).numpy()
    return set(points.index[fooled].tolist())


def test_each_source_attacks_what_is_not_settled_yet(
    tiny: LogitBundle, undisturbed: tuple[SourcePoints, ...]
) -> None:
    left = set(range(M)) - settled_rows(tiny.require_attacked())
    assert [str(source.target) for source in undisturbed][2] == "g"
    for source in undisturbed:
        assert set(source.index.tolist()) == left
        assert source.images == len(left)
        left -= settled_rows(source)
        assert source.unsettled == len(left)
    assert 0 < undisturbed[-1].unsettled < undisturbed[0].images < M


def test_the_points_join_the_bundle(tiny: LogitBundle, undisturbed: tuple[SourcePoints, ...]) -> None:
    bundle = add_points(tiny, undisturbed)
    assert bundle.n_adv == M
    assert len(bundle.require_attacked()) > M
    mmaa, mix, other, standard = bundle.manifest.attacks
    assert mmaa.target == "LN∘h_rob"
    assert (mix.name, mix.target, mix.images) == ("APGD-CE + APGD-T", str(MIX), undisturbed[0].images)
    assert mix.params == {
        "s": 3.0, "p": 2.0, "c": -0.3, "clamp": "gelu", "ln_k": 250, "beta": 0.985, "alpha": 0.8,
        "temperature": 0.0,
    }  # fmt: skip
    assert mix.plan == {
        "norm": "Linf", "eps": 0.05, "n_iter": 4, "n_targets": 2, "components": "apgd-ce, apgd-t",
        "forward": round(undisturbed[0].passes.forward, 2),
        "backward": round(undisturbed[0].passes.backward, 2),
    }  # fmt: skip
    # all of three runs of APGD with four steps and a start, and the clean pass, unless an image is settled
    assert 10 < mix.plan["backward"] <= 15
    assert mix.plan["forward"] == mix.plan["backward"] + 1
    assert (mix.seed, mix.precision) == (0, "float32")
    assert other.params["alpha"] == 0.6
    assert (standard.target, standard.params) == ("g", None)
    again = attack(bundle, targets=(OTHER,))
    assert again[0].images == undisturbed[-1].unsettled, "points of the pool settle, too"


def test_a_part_of_the_images(tiny: LogitBundle, undisturbed: tuple[SourcePoints, ...]) -> None:
    part = attack(tiny, n=7, targets=(MIX,))
    first = undisturbed[0].index < 7
    assert np.array_equal(part[0].index, undisturbed[0].index[first])
    assert np.array_equal(part[0].std_logits, undisturbed[0].std_logits[first])


def test_images_may_be_more_than_the_attacked(
    tiny: LogitBundle, undisturbed: tuple[SourcePoints, ...]
) -> None:
    assert same(attack(tiny, images=IMAGES[:M], labels=LABELS[:M]), undisturbed)


class StoppedError(Exception):
    """Raised in the middle of an attack."""


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Numbers of the batches that are computed."""
    numbers: list[int] = []
    original = PoolBatches.compute

    def spy(batches: PoolBatches, number: int, progress: Any) -> Any:
        numbers.append(number)
        return original(batches, number, progress)

    monkeypatch.setattr(PoolBatches, "compute", spy)
    return numbers


@pytest.mark.parametrize("batches", [0, 2, 4, 7])
def test_resumes_with_the_same_bytes(
    tiny: LogitBundle,
    undisturbed: tuple[SourcePoints, ...],
    tmp_path: Path,
    computed: list[int],
    batches: int,
) -> None:
    def stop(done: int, total: int) -> None:
        if count_batches(tmp_path / "w") == batches:
            raise StoppedError

    with pytest.raises(StoppedError):
        attack(tiny, work_dir=tmp_path / "w", progress=stop)
    computed.clear()
    assert same(attack(tiny, work_dir=tmp_path / "w"), undisturbed)
    assert computed == list(range(batches, 9))
    assert same(attack(tiny, work_dir=tmp_path / "w"), undisturbed)
    assert computed == list(range(batches, 9)), "nothing is left to do"


def test_a_damaged_batch_is_computed_again(
    tiny: LogitBundle, undisturbed: tuple[SourcePoints, ...], tmp_path: Path, computed: list[int]
) -> None:
    attack(tiny, work_dir=tmp_path)
    computed.clear()
    for number, size in ((1, 100), (5, 0)):
        file = tmp_path / f"batch-{number:06d}.safetensors"
        file.write_bytes(file.read_bytes()[:size])
    assert same(attack(tiny, work_dir=tmp_path), undisturbed)
    assert computed == [1, 5]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"plan": replace(PLAN, n_iter=5)}, "n_iter: 4 → 5"),
        ({"plan": replace(PLAN, components=("apgd-ce",))}, "components: 'apgd-ce, apgd-t' → 'apgd-ce'"),
        ({"plan": replace(PLAN, seed=1)}, "seed: 0 → 1"),
        ({"batch_size": 6}, "batch_size: 7 → 6"),
        ({"n": 16}, "n: 17 → 16"),
        ({"targets": TARGETS[:2]}, "targets: "),
        ({"watch": (MixParams(alpha=0.9),)}, "watch: "),
        ({"channels_last": True}, "channels_last: False → True"),
    ],
)
def test_a_changed_setting_is_refused_by_name(
    tiny: LogitBundle, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    def stop(done: int, total: int) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        attack(tiny, work_dir=tmp_path / "w", progress=stop)
    with pytest.raises(WorkFolderError, match="was begun with other settings") as error:
        attack(tiny, work_dir=tmp_path / "w", **change)
    assert message in str(error.value)
    assert attack(tiny, work_dir=tmp_path / "w", fresh=True, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"images": IMAGES[: M - 1], "labels": LABELS[: M - 1]},
            "images must reach to the last attacked row",
        ),
        ({"labels": (LABELS + 1) % K}, r"labels must be those of bundle 'tiny', but 24 differ \(rows 0, 1"),
        ({"images": 1 - IMAGES}, "std_model must answer the clean images as bundle 'tiny' has it, but"),
        ({"rob_model": network(7)}, "rob_model must answer the clean images"),
        ({"targets": ()}, "targets must name at least one"),
        ({"targets": (PoolTarget(MixParams()),)}, "alpha must be a number"),
        ({"n": M + 1}, "n must be at most 17"),
        ({"n": 0}, "n must be an integer of at least 1"),
        ({"batch_size": 0}, "batch_size must be an integer of at least 1"),
    ],
)
def test_what_is_refused(tiny: LogitBundle, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message) as error:
        attack(tiny, **change)
    assert "\n" not in str(error.value)


class Fragile(nn.Module):
    """NaN near one image, but for the image itself."""

    def __init__(self, image: torch.Tensor) -> None:
        super().__init__()
        self.inner, self.image = ROB, image

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        moved = (images - self.image).abs().flatten(1).amax(dim=1)
        bad = (moved > 0) & (moved < 0.06)
        return self.inner(images).masked_fill(bad.unsqueeze(1), torch.nan)


def test_nan_is_reported_and_counts_as_broken(
    tiny: LogitBundle, undisturbed: tuple[SourcePoints, ...]
) -> None:
    row, diagnostics = int(undisturbed[-1].index[0]), []
    sources = attack(
        tiny, rob_model=Fragile(IMAGES[row]).eval(), targets=(MIX, OTHER), on_diagnostic=diagnostics.append
    )
    assert sources[0].not_finite.tolist() == [row]
    assert row not in sources[1].index
    assert [diagnostic.code for diagnostic in diagnostics] == ["not-finite"]
    assert f"near 1 image (rows {row})" in diagnostics[0].message


RUN = """
import os, signal, sys
from mnuts_core.cli.app import run
from mnuts_core.pipeline.workfolder import WorkFolder

write, first_life = WorkFolder.write, os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") == "0"

def write_and_die(self, number, arrays):
    write(self, number, arrays)
    if first_life and number == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)

WorkFolder.write = write_and_die
sys.exit(run(sys.argv[2:]))
"""

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("TORCHELASTIC")}
CLEAN |= {"OMP_NUM_THREADS": "1"}


@pytest.mark.slow
def test_killed_alone_or_as_one_of_two_gives_the_bytes_of_one(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(RUN)
    common = ["attack", "digits", "--std", "demo:digits/std", "--rob", "demo:digits/rob", "--data", "digits"]
    common += ["--on", "data/digits-beta95.json", "--on", "g", "--watch", "data/digits-beta985.json"]
    common += ["--n-adv", "120", "--batch-size", "30", "--steps", "4", "--n-targets", "2", "--device", "cpu"]
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--max-restarts", "1"]

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        call = [sys.executable, *map(str, words)]
        return subprocess.run(call, env=CLEAN, capture_output=True, text=True, timeout=200)

    one, killed, two = (tmp_path / f"{name}.safetensors" for name in ("one", "killed", "two"))
    done = run(tmp_path / "run.py", -1, *common, "--out", one)
    assert done.returncode == 0, done.stderr
    assert run(tmp_path / "run.py", 5, *common, "--out", killed).returncode == -signal.SIGKILL
    assert not killed.exists()
    resumed = run(tmp_path / "run.py", -1, *common, "--out", killed)
    assert resumed.returncode == 0, resumed.stderr
    assert "resuming: 6 batches done" in resumed.stderr
    shared = run(*torchrun, tmp_path / "run.py", 3, *common, "--out", two)
    assert shared.returncode == 0, shared.stderr[-3000:]
    assert shared.stdout.count("written: ") == 1, "one process reports"
    assert not list(tmp_path.glob("*.mnuts-work"))
    digests = {LogitBundle.load(path).digest for path in (one, killed, two)}
    assert len(digests) == 1

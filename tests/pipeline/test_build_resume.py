"""A build that stops half way goes on where it was, and gives the bytes of an undisturbed one."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from mnuts_core.attacks.base import Transformed
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.manifest import DataCard
from mnuts_core.errors import ParameterError
from mnuts_core.pipeline.build import build_bundle, model_card
from mnuts_core.pipeline.build_batches import PASSES, Batches
from mnuts_core.pipeline.workfolder import WorkFolderError, count_batches
from tests.synthetic import with_attack

N, K = 22, 5


def network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, K)).eval()


STD, ROB, OTHER = network(0), network(1), network(5)
IMAGES = torch.rand(N, 3, 6, 6, generator=torch.Generator().manual_seed(2))
LABELS = ROB(IMAGES).argmax(dim=1)


def build(**changes: Any) -> LogitBundle:
    arguments: dict[str, Any] = {
        "std_model": STD,
        "rob_model": ROB,
        "images": IMAGES,
        "labels": LABELS,
        "norm": "Linf",
        "eps": 0.05,
        "n_adv": 13,
        "name": "tiny",
        "classes": tuple("abcde"),
        "data": DataCard(name="noise"),
        "n_iter": 5,
        "batch_size": 5,
        "device": "cpu",
        "with_images": True,
    } | changes
    cards = {f"{w}_card": model_card(f"test:{w}", arguments[f"{w}_model"]) for w in ("std", "rob")}
    return build_bundle(**with_attack(arguments), **cards)


@pytest.fixture(scope="module")
def undisturbed() -> str:
    return build().digest


class StoppedError(Exception):
    """Raised in the middle of a build."""


def stop_after(work: Path, batches: int, **changes: Any) -> None:
    """Build until so many batches are done and the next one has begun."""

    def progress(done: int, total: int) -> None:
        if count_batches(work) == batches:
            raise StoppedError

    with pytest.raises(StoppedError):
        build(work_dir=work, progress=progress, **changes)


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Numbers of the batches that are computed."""
    numbers: list[int] = []
    original = Batches.compute

    def spy(batches: Batches, number: int, progress: Any) -> Any:
        numbers.append(number)
        return original(batches, number, progress)

    monkeypatch.setattr(Batches, "compute", spy)
    return numbers


def test_a_work_folder_changes_no_byte(tmp_path: Path, undisturbed: str) -> None:
    assert build(work_dir=tmp_path / "w").digest == undisturbed
    assert count_batches(tmp_path / "w") == 5


@pytest.mark.parametrize("batches", [0, 1, 2])
def test_resumes_with_the_same_bytes(
    tmp_path: Path, undisturbed: str, computed: list[int], batches: int
) -> None:
    stop_after(tmp_path / "w", batches)
    computed.clear()
    calls: list[tuple[int, int]] = []
    bundle = build(work_dir=tmp_path / "w", progress=lambda *call: calls.append(call))
    assert computed == list(range(batches, 5))
    assert bundle.digest == undisturbed
    assert calls[-1] == ((13 - 5 * batches) * 5,) * 2, "what is left to do, of which all is done"
    assert build(work_dir=tmp_path / "w").digest == undisturbed
    assert computed == list(range(batches, 5)), "nothing is left to do"


@pytest.mark.parametrize(("norm", "precision"), [("L2", "full"), ("Linf", "bfloat16")])
def test_resumes_with_other_settings_too(tmp_path: Path, norm: str, precision: str) -> None:
    settings = {"norm": norm, "precision": precision, "channels_last": True, "eps": 0.2}
    work = tmp_path / "w"
    stop_after(work, 1, **settings)
    fresh_models = {"std_model": network(0), "rob_model": network(1)}  # not yet laid out as channels last
    assert build(work_dir=work, **settings, **fresh_models).digest == build(**settings).digest


def test_a_truncated_batch_is_computed_again(tmp_path: Path, undisturbed: str, computed: list[int]) -> None:
    build(work_dir=tmp_path)
    computed.clear()
    for number, size in ((1, 100), (3, 0)):
        file = tmp_path / f"batch-{number:06d}.safetensors"
        file.write_bytes(file.read_bytes()[:size])
    (tmp_path / "batch-000004.safetensors").unlink()
    assert build(work_dir=tmp_path).digest == undisturbed
    assert computed == [1, 3, 4]


CHANGES = {
    "eps": ({"eps": 0.06}, "eps: 0.05 → 0.06"),
    "norm": ({"norm": "L2"}, "norm: 'Linf' → 'L2'"),
    "seed": ({"seed": 1}, "seed: 0 → 1"),
    "n_adv": ({"n_adv": 12}, "n_adv: 13 → 12"),
    "n_iter": ({"n_iter": 6}, "n_iter: 5 → 6"),
    "n_targets": ({"n_targets": 2}, "n_targets: 9 → 2"),
    "batch_size": ({"batch_size": 6}, "batch_size: 5 → 6"),
    "with_images": ({"with_images": False}, "with_images: True → False"),
    "channels_last": ({"channels_last": True}, "channels_last: False → True"),
    "precision": ({"precision": "bfloat16"}, "precision: 'full' → 'bfloat16'"),
    "surrogate": (
        {"surrogate": Transformed(2, 3, -0.5)},
        "surrogate: 'LN∘h_rob' → 'M(s = 2, p = 3, c = -0.5)∘h_rob'",
    ),
    "rob": ({"rob_model": OTHER}, "rob: 'test:rob sha256:"),
    "std": ({"std_model": OTHER}, "std: 'test:std sha256:"),
    "images": ({"images": IMAGES.flip(0)}, "data: 'sha256:"),
    "labels": ({"labels": LABELS.flip(0)}, "data: 'sha256:"),
    "two": ({"eps": 0.06, "seed": 1}, "eps: 0.05 → 0.06; seed: 0 → 1"),
}


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("begun") / "w"
    stop_after(work, 1)
    return work


@pytest.mark.parametrize("case", CHANGES)
def test_a_changed_setting_is_refused_by_name(begun: Path, computed: list[int], case: str) -> None:
    changes, message = CHANGES[case]
    with pytest.raises(WorkFolderError, match="was begun with other settings") as error:
        build(work_dir=begun, **changes)
    assert message in str(error.value)
    assert "--fresh" in str(error.value)
    assert not computed
    assert count_batches(begun) == 1


def test_fresh_builds_with_the_changed_setting(tmp_path: Path) -> None:
    stop_after(tmp_path / "w", 1)
    assert build(work_dir=tmp_path / "w", fresh=True, seed=3).digest == build(seed=3).digest


def test_nothing_attacked(tmp_path: Path) -> None:
    bundle = build(n_adv=0, work_dir=tmp_path / "w")
    assert (bundle.n_clean, bundle.n_adv) == (N, 0)
    assert build(n_adv=0, work_dir=tmp_path / "w").digest == bundle.digest


def test_surrogate_is_recorded_and_attacked() -> None:
    refuse = partial(build, surrogate=Transformed(-1, 1, 0))
    with pytest.raises(ParameterError, match="s must lie in"):
        refuse()
    bundle = build(surrogate=Transformed(2, 3, -0.5), precision="bfloat16")
    attack = bundle.manifest.attack
    assert attack is not None
    assert attack.surrogate == "M(s = 2, p = 3, c = -0.5)∘h_rob"
    assert attack.precision == "bfloat16 gradients, float32 margins"


def test_passes_are_counted_and_batches_without_a_count_leave_them_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At most five runs of five steps and a start, and a few passes besides; gradients of the runs alone."""
    whole = build(work_dir=tmp_path / "w").manifest
    assert whole.attack is not None
    forward, backward = whole.attack.forward, whole.attack.backward
    assert forward is not None
    assert backward is not None
    assert 6 < backward < forward <= 5 * 6 + 3
    assert whole.sources[0].plan["forward"] == forward
    stop_after(tmp_path / "half", 2)
    assert build(work_dir=tmp_path / "half").manifest.attack == whole.attack, "resumed, the same count"
    original = Batches.compute

    def uncounted(batches: Batches, number: int, progress: Any) -> Any:
        return {name: part for name, part in original(batches, number, progress).items() if name != PASSES}

    monkeypatch.setattr(Batches, "compute", uncounted)
    stop_after(tmp_path / "old", 2)
    monkeypatch.undo()
    attack = build(work_dir=tmp_path / "old").manifest.attack
    assert attack is not None
    assert attack.forward is None

"""Building bundles from two small random networks, and RobustBench under its alias."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from mnuts_core.attacks.mmaa import minimum_margin_attack
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.manifest import DataCard
from mnuts_core.errors import ParameterError
from mnuts_core.pipeline.build import build_bundle, model_card, predict, progress_bar, to_uint8
from tests.synthetic import with_attack

N, K = 20, 5


def network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(48, 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, K))


STD, ROB = network(0), network(1)
IMAGES = torch.rand(N, 3, 4, 4, generator=torch.Generator().manual_seed(2))
LABELS = ROB.eval()(IMAGES).argmax(dim=1)


def build(*models_and_data: Any, **changes: Any) -> LogitBundle:
    settings: dict[str, Any] = {
        "norm": "Linf",
        "eps": 0.05,
        "name": "tiny",
        "classes": tuple("abcde"),
        "data": DataCard(name="noise"),
        "std_card": model_card("test:std", STD),
        "rob_card": model_card("test:rob", ROB),
        "n_iter": 10,
        "device": "cpu",
    }
    return build_bundle(*models_and_data, **with_attack(settings | changes))


def test_bundle_holds_both_models_logits_at_both_points(tmp_path: Path) -> None:
    built = build(STD, ROB, IMAGES, LABELS, n_adv=12, with_images=True, seed=3)
    bundle = LogitBundle.load(built.save(tmp_path / "tiny.safetensors"))
    found = minimum_margin_attack(ROB, IMAGES[:12], LABELS[:12], eps=0.05, n_iter=10, seed=3, device="cpu")
    expected = {
        "clean_labels": LABELS,
        "clean_std_logits": predict(STD, IMAGES, device="cpu"),
        "clean_rob_logits": predict(ROB, IMAGES, device="cpu"),
        "adv_index": torch.arange(12),
        "adv_std_logits": predict(STD, found.images, device="cpu"),
        "adv_rob_logits": found.logits,
        "adv_margin": found.margin,
    }
    for name, value in expected.items():
        np.testing.assert_allclose(
            bundle.tensors()[name.replace("_", ".", 1)], value.numpy(), atol=1e-6, err_msg=name
        )
    np.testing.assert_array_equal(bundle.attacked.images, to_uint8(found.images))
    assert bundle.clean_images.shape == (N, 4, 4, 3)
    difference = bundle.attacked.images.astype(int) - bundle.clean_images[:12]
    assert 0 < np.abs(difference).max() <= round(0.05 * 255) + 1


def test_manifest_says_how_it_was_made() -> None:
    manifest = build(STD, ROB, IMAGES, LABELS, n_adv=4, seed=9, command="make it").manifest
    assert str(manifest.threat) == "ℓ∞, ε = 0.05"
    assert manifest.attack is not None
    assert (manifest.attack.n_iter, manifest.attack.n_targets, manifest.attack.seed) == (10, 4, 9)
    assert manifest.attack.precision == "float32"
    assert manifest.command == "make it"
    assert manifest.rob_model.parameters == 48 * 16 + 16 + 16 * K + K
    assert manifest.rob_model.digest != manifest.std_model.digest
    assert manifest.versions["torch"] == torch.__version__.split("+")[0] or "torch" in manifest.versions


def test_without_an_attack_the_attacked_part_is_absent() -> None:
    bundle = build(STD, ROB, IMAGES, LABELS, n_adv=0, with_images=True)
    assert bundle.n_adv == 0
    assert bundle.attacked is None
    assert bundle.manifest.attack is None
    assert bundle.manifest.threat is None


def test_same_seed_same_digest() -> None:
    digests = {build(STD, ROB, IMAGES, LABELS, seed=seed).digest for seed in (1, 1, 2)}
    assert len(digests) == 2


def test_training_mode_does_not_matter_and_comes_back() -> None:
    ROB.train()
    bundle = build(STD, ROB, IMAGES, LABELS, n_adv=4)
    assert ROB.training
    ROB.eval()
    np.testing.assert_array_equal(bundle.clean_rob_logits, predict(ROB, IMAGES, device="cpu").numpy())


def test_uint8_rounds_to_the_nearest() -> None:
    images = torch.tensor([0.0, 0.4 / 255, 0.6 / 255, 1.0]).view(1, 4, 1, 1)
    assert to_uint8(images).ravel().tolist() == [0, 0, 1, 255]
    assert to_uint8(images).shape == (1, 1, 1, 4)


def test_progress_bar_counts_the_work(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("attack") as show:
        build(STD, ROB, IMAGES, LABELS, progress=show)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_adv": 21}, "n_adv must be at most 20, .* got 21"),
        ({"n_adv": -1}, "n_adv must be an integer of at least 0, got -1"),
        ({"eps": 0}, "eps must be a number"),
        ({"norm": "L1"}, "norm must be one of"),
        ({"batch_size": 0}, "batch_size must be"),
        ({"classes": ("a", "b")}, "std_model must have as many classes as there are names: 2, got 5"),
        ({"images": IMAGES * 2}, r"images must lie in \[0, 1\]"),
        ({"labels": LABELS + K}, r"labels must lie in \[0, 5\)"),
        ({"rob_model": nn.Sequential(nn.Flatten(), nn.Linear(48, 7))}, "rob_model must have as many classes"),
    ],
)
def test_refusals_come_before_any_work(change: dict[str, Any], message: str) -> None:
    calls: list[tuple[int, int]] = []
    arguments = {"std_model": STD, "rob_model": ROB, "images": IMAGES, "labels": LABELS} | change
    with pytest.raises(ParameterError, match=message):
        build(**arguments, progress=lambda *call: calls.append(call))
    assert not calls


@pytest.mark.slow
def test_robustbench_imports_under_the_alias() -> None:
    code = (
        "from mnuts_core.models.compat import alias_autoattack, import_robustbench; "
        "bench = import_robustbench(); import autoattack, pyautoattack, autoattack.state; "
        "assert autoattack is pyautoattack is alias_autoattack(); "
        "assert autoattack.state is pyautoattack.state; "
        "from robustbench.eval import benchmark, AutoAttack; "
        "assert AutoAttack.__module__ == 'mnuts_core.models.compat'; print(bench.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "robustbench\n"
    assert done.stderr == ""


@pytest.mark.slow
def test_no_other_warning_is_silenced() -> None:
    code = "from mnuts_core.models.compat import import_robustbench; import_robustbench()"
    done = subprocess.run([sys.executable, "-W", "always", "-c", code], capture_output=True, text=True)
    assert "DeprecationWarning: Importing from timm.models" in done.stderr
    assert "torch.jit.interface" not in done.stderr

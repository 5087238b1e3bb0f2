"""Bundles from models without gradients: `attack="square"` (D.5)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mnuts_core.attacks.base import Transformed
from mnuts_core.attacks.square import square_margin_attack
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.manifest import DataCard, ModelCard
from mnuts_core.errors import ParameterError
from mnuts_core.functional.margins import signed_margin
from mnuts_core.functional.transform import layer_norm
from mnuts_core.pipeline.build import build_bundle, predict
from mnuts_core.pipeline.workfolder import WorkFolderError, count_batches
from tests.synthetic import with_attack

N, K, QUERIES = 22, 5, 40
IMAGES = torch.rand(N, 3, 6, 6, generator=torch.Generator().manual_seed(2))


class BlackBox:
    """A linear model in NumPy that takes it ill if anybody asks for a gradient."""

    def __init__(self, seed: int) -> None:
        self.weight = np.random.default_rng(seed).normal(size=(108, K))

    def __call__(self, images: Tensor) -> Tensor:
        if torch.is_grad_enabled() or images.requires_grad:
            raise AssertionError("a black box was asked for gradients")
        return torch.from_numpy(images.flatten(1).numpy().astype(np.float64) @ self.weight)


STD, ROB = BlackBox(0), BlackBox(1)
with torch.no_grad():
    LABELS = ROB(IMAGES).argmax(dim=1)


def build(**changes: Any) -> LogitBundle:
    arguments: dict[str, Any] = {
        "norm": "Linf",
        "eps": 0.05,
        "n_adv": 13,
        "name": "black boxes",
        "classes": tuple("abcde"),
        "data": DataCard(name="noise"),
        "std_card": ModelCard(spec="mine/std"),
        "rob_card": ModelCard(spec="mine/rob"),
        "attack": "square",
        "n_queries": QUERIES,
        "batch_size": 5,
        "device": "cpu",
    } | changes
    return build_bundle(STD, ROB, IMAGES, LABELS, **with_attack(arguments))


def test_the_bundle_holds_what_square_finds(tmp_path: Path) -> None:
    bundle = LogitBundle.load(build(with_images=True).save(tmp_path / "b.safetensors"))
    found = square_margin_attack(
        ROB, IMAGES[:13], LABELS[:13], eps=0.05, n_queries=QUERIES, batch_size=5, device="cpu"
    )
    assert bundle.attacked.margin is not None
    np.testing.assert_allclose(bundle.attacked.margin, found.margin, atol=1e-6)
    np.testing.assert_allclose(bundle.attacked.rob_logits, found.logits, atol=1e-5)
    np.testing.assert_allclose(
        bundle.attacked.std_logits, predict(STD, found.images, device="cpu"), atol=1e-5
    )
    clean = signed_margin(layer_norm(torch.from_numpy(bundle.clean_rob_logits[:13]).double()), LABELS[:13])
    assert (bundle.attacked.margin < clean.numpy() - 1e-3).all()
    assert (
        np.abs(bundle.attacked.images.astype(int) - bundle.clean_images[:13]).max() <= round(0.05 * 255) + 1
    )


def test_the_card_says_what_was_run_and_no_more() -> None:
    attack = build(seed=4, surrogate=Transformed(2, 3, -0.5)).manifest.attack
    assert attack is not None
    assert "Square" in attack.name
    assert (attack.n_queries, attack.seed) == (QUERIES, 4)
    assert (attack.n_iter, attack.n_targets) == (None, None)
    assert attack.surrogate == "M(s = 2, p = 3, c = -0.5)∘h_rob"
    assert attack.precision == "float32"


def test_only_mmaa_asks_for_gradients() -> None:
    with pytest.raises(ParameterError, match="asked for gradients"):
        build(attack="mmaa", n_queries=5000, n_iter=2)


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_resumes_with_the_same_bytes(tmp_path: Path, norm: str) -> None:
    class StoppedError(Exception):
        pass

    def stop(done: int, total: int) -> None:
        assert 0 < done <= total == 13 * QUERIES
        if count_batches(tmp_path / "w") == 2:
            raise StoppedError

    whole = build(norm=norm).digest
    with pytest.raises(StoppedError):
        build(norm=norm, work_dir=tmp_path / "w", progress=stop)
    calls: list[tuple[int, int]] = []
    again = build(norm=norm, work_dir=tmp_path / "w", progress=lambda *call: calls.append(call))
    assert again.digest == whole
    assert calls[-1] == (3 * QUERIES,) * 2, "what was left to do, of which all is done"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_queries": 41}, "n_queries: 40 → 41"),
        ({"seed": 1}, "seed: 0 → 1"),
        ({"attack": "mmaa", "n_queries": 5000}, "attack: 'square' → 'mmaa'"),
    ],
)
def test_a_changed_setting_is_refused_by_name(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    build(work_dir=tmp_path / "w")
    with pytest.raises(WorkFolderError, match=message):
        build(work_dir=tmp_path / "w", **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_queries": 0}, "n_queries must be an integer of at least 1, got 0"),
        ({"surrogate": Transformed(-1, 1, 0)}, "s must lie in"),
    ],
)
def test_refusals(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        build(**change)


def test_an_attack_is_one_object() -> None:
    cards = {"std_card": ModelCard(spec="std"), "rob_card": ModelCard(spec="rob")}
    rest: dict[str, Any] = {"name": "x", "classes": "abcde", "data": DataCard(name="noise"), **cards}
    with pytest.raises(ParameterError, match=r"attack must be Mmaa\(...\) or Square\(...\), got 'square'"):
        build_bundle(STD, ROB, IMAGES, LABELS, attack="square", **rest)


def test_the_default_attack_on_a_black_box_names_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    shut = torch.no_grad()(lambda images: BlackBox(1)(images.detach()))
    monkeypatch.setattr(sys.modules[__name__], "ROB", shut)
    with pytest.raises(ParameterError, match=r"must let gradients through .*mnuts build --attack square"):
        build(attack="mmaa", n_queries=5000)

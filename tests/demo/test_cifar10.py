"""The CIFAR-10 pair: the pipeline on a tiny data set, and what is shipped against the real images."""

from __future__ import annotations

import importlib.resources
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mnuts_core.build import build_bundle, predict
from mnuts_core.bundle import LogitBundle
from mnuts_core.config import MixConfig
from mnuts_core.datasets import load_data
from mnuts_core.demo import chosen, cifar10
from mnuts_core.errors import BundleError
from mnuts_core.remix import RemixEngine

DATA = Path(str(importlib.resources.files("mnuts_data")))
REAL = Path(__file__).parents[2].parent / "shared" / "cifar10"
needs_images = pytest.mark.skipif(not REAL.is_dir(), reason="needs ../shared/cifar10")
needs_pair = pytest.mark.skipif(not (DATA / "cifar10.safetensors").is_file(), reason="no pair is shipped")


def write_jpegs(path: Path, n: int, seed: int) -> None:
    """A data set in `cifar10-jpeg:`'s form whose classes show in their colour."""
    rng = np.random.default_rng(seed)
    colours = np.random.default_rng(7).uniform(0, 200, (10, 3))
    labels = rng.integers(0, 10, n).astype(np.uint8)
    files = []
    for label in labels:
        pixels = colours[label] + rng.uniform(0, 55, (32, 32, 3))
        Image.fromarray(pixels.astype(np.uint8)).save(stream := io.BytesIO(), "JPEG", quality=75)
        files.append(np.frombuffer(stream.getvalue(), np.uint8))
    offset = np.cumsum([0, *(len(file) for file in files)])
    np.savez(path, jpeg=np.concatenate(files), offset=offset, label=labels)


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A small data set and short recipes and attacks; the pipeline itself is the real one."""
    for role, recipe in cifar10.RECIPES.items():
        small = replace(recipe, widths=(8, 8, 8), epochs=10, batch_size=16)
        monkeypatch.setitem(cifar10.RECIPES, role, small)
    monkeypatch.setattr(cifar10, "EPS", 1 / 255)

    def short_build(*models: object, **settings: object) -> LogitBundle:
        return build_bundle(*models, **settings, n_iter=3, n_targets=2)  # type: ignore[arg-type]

    def short_evaluate(*models: object, **settings: object) -> object:
        return real_evaluate(*models, **settings, n_iter=2)  # type: ignore[arg-type]

    real_evaluate = chosen.evaluate
    monkeypatch.setattr(cifar10, "build_bundle", short_build)
    monkeypatch.setattr(chosen, "evaluate", short_evaluate)
    folder = tmp_path / "images"
    folder.mkdir()
    write_jpegs(folder / "train.npz", 480, seed=0)
    write_jpegs(folder / "test.npz", 60, seed=1)
    return f"cifar10-jpeg:{folder}"


def test_pipeline_writes_bundle_weights_and_verified_mixes(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    # killed while it chooses: the next run goes on with what is there
    with monkeypatch.context() as patch:
        patch.setattr(cifar10, "choose_and_verify", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            cifar10.build_cifar10(tiny, out, device="cpu", n_adv=40, n_verified=20)
    first = LogitBundle.load(out / "cifar10.safetensors")
    paths = cifar10.build_cifar10(tiny, out, device="cpu", n_adv=40, n_verified=20)
    bundle = LogitBundle.load(paths.bundle)
    assert bundle.digest == first.digest
    assert (bundle.n_clean, bundle.n_adv) == (60, 40)
    assert bundle.clean_images is None
    assert "JPEG quality 75" in bundle.manifest.data.name
    images = load_data(tiny).images
    for role, logits in (("std", bundle.clean_std_logits), ("rob", bundle.clean_rob_logits)):
        network, card = cifar10.load_network_of(role, out)
        np.testing.assert_allclose(predict(network, images).numpy(), logits, atol=1e-4)
        assert card.model == getattr(bundle.manifest, f"{role}_model")
        right = float((logits.argmax(1) == bundle.clean_labels).mean())
        assert (card.clean.value, card.clean.n) == (right, 60)
        assert card.recipe == str(cifar10.RECIPES[role])
    assert card.attacked is not None
    assert card.attacked.n == 40
    for path, beta in zip(paths.configs, chosen.BETAS, strict=True):
        config = MixConfig.load(path)
        assert config.beta == beta
        assert config.verified is not None
        assert config.verified.accuracy.n == 20
        assert config.bundle is not None
        assert config.bundle.digest == bundle.digest
    assert not (out / "cifar10.demo-work").exists()


def _interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_build_needs_a_folder(tiny: str, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="out_dir must be an existing folder"):
        cifar10.build_cifar10(tiny, tmp_path / "missing")


def test_missing_weights_say_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="mnuts demo build cifar10"):
        cifar10.load_network_of("std", tmp_path)


@needs_pair
def test_shipped_files_are_small_and_name_their_pixels() -> None:
    sizes = [(DATA / f"cifar10-{role}.safetensors").stat().st_size for role in ("std", "rob")]
    assert sum(sizes) <= 15_000_000
    bundle = LogitBundle.load(DATA / "cifar10.safetensors")
    assert bundle.clean_images is None  # the pixels are not ours to ship
    assert bundle.n_clean == 10_000
    assert bundle.n_adv >= 1000
    for role in ("std", "rob"):
        card = cifar10.load_network_of(role)[1]
        assert card.training.name == bundle.manifest.data.name == "CIFAR-10, JPEG quality 75"
        assert card.recipe == str(cifar10.RECIPES[role])


@needs_pair
def test_shipped_mixes_are_the_searches_best_and_their_figures_the_bundles() -> None:
    bundle = LogitBundle.load(DATA / "cifar10.safetensors")
    engine = RemixEngine(bundle)
    for beta in chosen.BETAS:
        config = MixConfig.load(DATA / chosen.config_name("cifar10", beta))
        found = chosen.best_of([chosen.grid_search(bundle, grid, beta) for grid in cifar10.GRIDS])
        point = (config.transform.s, config.transform.p, config.transform.c)
        assert point == tuple(getattr(found.best.params, name) for name in "spc")
        again = json.loads(MixConfig.from_remix(engine, config.params.with_(alpha=None)).to_json())
        assert again["estimates"] == json.loads(config.to_json())["estimates"]
        assert config.bundle is not None
        assert config.bundle.digest == bundle.digest
        if config.verified is not None:  # found on the bundle's own first images, in the worst case
            assert config.verified.accuracy.n >= 100
            assert config.verified.accuracy.value == min(config.verified.components.values())
            clean = config.verified.clean
            assert clean is not None
            assert clean.value == engine.remix(config.params).on_clean.mix_right[: clean.n].mean()


@needs_pair
@needs_images
@pytest.mark.parametrize("role", ["std", "rob"])
def test_shipped_weights_give_the_shipped_logits(role: cifar10.Role) -> None:
    bundle = LogitBundle.load(DATA / "cifar10.safetensors")
    data = load_data(f"cifar10-jpeg:{REAL}", n=500)
    logits = predict(cifar10.load_network_of(role)[0], data.images, device="cpu").numpy()
    cached = bundle.clean_std_logits if role == "std" else bundle.clean_rob_logits
    np.testing.assert_array_equal(data.labels.numpy(), bundle.clean_labels[:500])
    np.testing.assert_allclose(logits, cached[:500], atol=2e-3)


@needs_pair
@needs_images
def test_shipped_robust_network_withstands_about_what_its_card_says() -> None:
    """PGD-20 on other images than the card's: weaker than MMAA, so no lower, and not far above."""
    network, card = cifar10.load_network_of("rob")
    data = load_data(f"cifar10-jpeg:{REAL}", n=2200)
    images, labels = data.images[2000:], data.labels[2000:]
    points = images.clone()
    for _ in range(20):
        points.requires_grad_(True)
        loss = torch.nn.functional.cross_entropy(network(points), labels, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, points)
        points = (points.detach() + 2 / 255 * gradient.sign()).clamp(
            images - cifar10.EPS, images + cifar10.EPS
        )
        points = points.clamp(0, 1)
    right = float((network(points).argmax(1) == labels).float().mean())
    assert card.attacked is not None
    assert card.attacked.value - 0.1 < right < card.attacked.value + 0.15  # 200 images: ± 0.07

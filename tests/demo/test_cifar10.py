"""The CIFAR-10 pair: the pipeline on a tiny data set, and what is shipped against the real images."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from mnuts_core.attacks.plan import Plan
from mnuts_core.attacks.pool_plan import PoolPlan
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.library import shipped_folder
from mnuts_core.bundles.manifest import DataCard
from mnuts_core.datasets.base import LoadedData
from mnuts_core.datasets.specs import load_data
from mnuts_core.demo import best_mixes, cifar10
from mnuts_core.demo.cifar10_network import CifarNet
from mnuts_core.demo.cifar10_training import CifarRecipe, train_network
from mnuts_core.demo.weights import Role, round_to_half
from mnuts_core.errors import BundleError
from mnuts_core.export.config import MixConfig
from mnuts_core.models.inputs import Precision
from mnuts_core.params import BETAS
from mnuts_core.pipeline.build import build_bundle, predict
from mnuts_core.pipeline.verify_mixes import verify_mixes
from mnuts_core.pipeline.workfolder import WorkFolder
from mnuts_core.remix.engine import RemixEngine
from tests import CIFAR10, needs_cifar10
from tests.demo.shipped import assert_choices, assert_figures

DATA = shipped_folder()
needs_pair = pytest.mark.skipif(not (DATA / "cifar10.safetensors").is_file(), reason="no pair is shipped")


def write_jpegs(path: Path, n: int, seed: int) -> None:
    """A data set in `cifar10-jpeg:`'s form whose classes show in their colour, one label in nine wrong.

    The search needs examples that the robust network gets wrong, however well it has learned.
    """
    rng = np.random.default_rng(seed)
    colours = np.random.default_rng(7).uniform(0, 200, (10, 3))
    labels = rng.integers(0, 10, n).astype(np.uint8)
    files = []
    for label in labels:
        pixels = colours[label] + rng.uniform(0, 55, (32, 32, 3))
        Image.fromarray(pixels.astype(np.uint8)).save(stream := io.BytesIO(), "JPEG", quality=75)
        files.append(np.frombuffer(stream.getvalue(), np.uint8))
    labels[::9] = (labels[::9] + 1) % 10
    offset = np.cumsum([0, *(len(file) for file in files)])
    np.savez(path, jpeg=np.concatenate(files), offset=offset, label=labels)


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A small data set and short recipes and attacks; the pipeline itself is the real one."""
    for role, recipes in cifar10.RECIPES.items():
        small = [replace(recipe, widths=(8, 8, 8), epochs=5, batch_size=16) for recipe in recipes]
        monkeypatch.setitem(cifar10.RECIPES, role, tuple(small))
    monkeypatch.setattr(cifar10, "EPS", 1 / 255)

    def short_build(*models: Any, **settings: Any) -> LogitBundle:
        short = replace(settings.pop("attack"), n_iter=3, n_targets=2)
        return build_bundle(*models, **settings, attack=short)

    monkeypatch.setattr(cifar10, "build_bundle", short_build)
    monkeypatch.setattr(best_mixes, "PoolPlan", partial(PoolPlan, n_iter=2, n_targets=1))
    monkeypatch.setattr(best_mixes, "Plan", partial(Plan, n_iter=2))
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
    # killed once it has chosen: the next run goes on with what is there
    refined, written = [], set()

    def verify(bundle: LogitBundle, *rest: Any, **settings: Any) -> object:
        refined.append(bundle.digest)
        return _interrupt() if len(refined) == 1 else verify_mixes(bundle, *rest, **settings)

    def write(self: WorkFolder, number: int, arrays: Any) -> None:
        written.add(self.path.parent.name)
        real_write(self, number, arrays)

    real_write = WorkFolder.write
    monkeypatch.setattr(best_mixes, "verify_mixes", verify)
    with pytest.raises(KeyboardInterrupt):
        cifar10.build_cifar10(tiny, out, device="cpu", n_adv=40, n_verified=20)
    assert [path.name for path in out.iterdir()] == ["cifar10.demo-work"], "nothing that looks whole"
    monkeypatch.setattr(WorkFolder, "write", write)
    paths = cifar10.build_cifar10(tiny, out, device="cpu", n_adv=40, n_verified=20)
    assert refined[0] == refined[1]
    assert written == {"verify"}, "all else was there"
    bundle = LogitBundle.load(paths.bundle)
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
        assert bundle.manifest.attack is not None
        reduced = bundle.manifest.attack.precision.startswith("bfloat16")
        assert card.recipe == cifar10.recipe_text(cifar10.RECIPES[role], "bfloat16" if reduced else "full")
    assert card.attacked is not None
    assert card.attacked.n == 40
    names = [path.name for path in paths.configs]
    assert set(names) <= set(best_mixes.config_names("cifar10"))
    assert {best_mixes.config_name("cifar10", beta) for beta in BETAS} <= set(names)
    for path in paths.configs:
        assert_figures(MixConfig.load(path), RemixEngine(bundle), 20)
    assert bundle.manifest.std_attacked
    assert not bundle.manifest.optimistic
    assert sum(source.verified for source in bundle.manifest.attacks) == len(names)
    assert not (out / "cifar10.demo-work").exists()


@pytest.mark.parametrize(("asked", "precision"), [(None, "bfloat16"), ("full", "full")])
def test_everything_is_in_the_precision_that_was_measured_or_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: Precision | None, precision: str
) -> None:
    used = []

    def spy(name: str) -> None:
        def recorded(*_: Any, **settings: Any) -> CifarNet:
            found = settings["attack"].precision if name == "build_bundle" else settings["precision"]
            used.append((name, found))
            if name == "build_bundle":
                assert settings["command"].endswith(f"--precision {found}")
            if name == "refine_and_verify":
                raise KeyboardInterrupt
            return CifarNet((8, 8, 8))

        monkeypatch.setattr(cifar10, name, recorded)

    for name in ("train_network", "build_bundle", "refine_and_verify"):
        spy(name)
    monkeypatch.setattr(cifar10, "kept_precision", lambda *_: "bfloat16")
    monkeypatch.setattr(cifar10, "load_data", lambda *_, **__: noise())
    monkeypatch.setattr(cifar10, "save_role", lambda *_: tmp_path)
    with pytest.raises(KeyboardInterrupt):
        cifar10.build_cifar10("any", tmp_path, device="cpu", precision=asked)
    trainings = sum(map(len, cifar10.RECIPES.values()))
    names = ["train_network"] * trainings + ["build_bundle", "refine_and_verify"]
    assert used == [(name, precision) for name in names]


def _interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


CYCLES = (
    CifarRecipe((8, 8, 8), epochs=2, rate=0.2, batch_size=16, whitened=True),
    CifarRecipe((8, 8, 8), epochs=2, rate=0.1, batch_size=16, whitened=True, shift=4),
)


def noise(n: int = 64) -> LoadedData:
    """Images of noise with labels at random."""
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(n, 3, 32, 32, generator=generator)
    labels = torch.randint(0, 10, (n,), generator=generator)
    return LoadedData(images, labels, cifar10.CLASSES, DataCard(name="noise"))


def train(data: LoadedData, work: Path) -> CifarNet:
    return cifar10.train_role("std", data, device="cpu", precision="full", work=work)


def same(one: CifarNet, other: CifarNet) -> bool:
    """Whether all weights and buffers are equal to the bit."""
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_the_second_cycle_goes_on_from_the_first_ones_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, (first, second) = noise(), CYCLES
    monkeypatch.setitem(cifar10.RECIPES, "std", (first, replace(second, rate=0.0)))
    made = train(data, tmp_path)
    images = (data.images * 255).round().byte()
    alone = train_network(images, data.labels, first, seed=cifar10.SEED)
    round_to_half(alone)
    assert all(torch.equal(a, b) for a, b in zip(made.parameters(), alone.parameters(), strict=True))
    assert not any(parameter.requires_grad for parameter in made.parameters())


def test_a_training_killed_in_its_second_cycle_goes_on_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, done = noise(), []
    monkeypatch.setitem(cifar10.RECIPES, "std", CYCLES)
    work, other = tmp_path / "killed", tmp_path / "whole"
    work.mkdir()
    other.mkdir()
    whole = train(data, other)

    def watched(*args: object, **settings: object) -> CifarNet:
        cycle = 1 if settings["start"] is None else 2

        def report(step: int, _: int) -> None:
            done.append((cycle, step))
            if len(done) == 15:  # 8 steps of the first cycle, 7 of the second
                raise KeyboardInterrupt

        return train_network(*args, **settings | {"progress": report})  # type: ignore[arg-type]

    monkeypatch.setattr(cifar10, "train_network", watched)
    with pytest.raises(KeyboardInterrupt):
        train(data, work)
    assert done[-1] == (2, 7)
    assert same(train(data, work), whole)
    assert done[15:] == [(2, 5), (2, 6), (2, 7), (2, 8)]  # its last epoch only


def test_a_cards_recipe_names_both_cycles_in_one_line() -> None:
    text = cifar10.recipe_text(CYCLES)
    assert text == f"{CYCLES[0]}, then {CYCLES[1]}"
    assert "rate=0.2" in text.split(", then ")[0]
    assert "rate=0.1" in text.split(", then ")[1]
    assert "\n" not in text
    assert cifar10.recipe_text(CYCLES[:1]) == str(CYCLES[0])


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
        assert card.recipe == cifar10.recipe_text(cifar10.RECIPES[role])


@needs_pair
@pytest.mark.parametrize("path", sorted(DATA.glob("cifar10-*.json")), ids=lambda path: path.stem)
def test_shipped_mixes_are_verified_and_their_figures_the_bundles(path: Path) -> None:
    assert_figures(MixConfig.load(path), RemixEngine(LogitBundle.load(DATA / "cifar10.safetensors")), 500)


@needs_pair
def test_shipped_mixes_are_mild_and_stand_beside_their_plain_ones() -> None:
    bundle = LogitBundle.load(DATA / "cifar10.safetensors")
    if bundle.manifest.optimistic:
        pytest.skip("the bundle that ships holds MMAA's points alone")
    assert_choices("cifar10", bundle, cifar10.GRID)


@needs_pair
@needs_cifar10
@pytest.mark.parametrize("role", ["std", "rob"])
def test_shipped_weights_give_the_shipped_logits(role: Role) -> None:
    bundle = LogitBundle.load(DATA / "cifar10.safetensors")
    data = load_data(f"cifar10-jpeg:{CIFAR10}", n=500)
    logits = predict(cifar10.load_network_of(role)[0], data.images, device="cpu").numpy()
    cached = bundle.clean_std_logits if role == "std" else bundle.clean_rob_logits
    np.testing.assert_array_equal(data.labels.numpy(), bundle.clean_labels[:500])
    np.testing.assert_allclose(logits, cached[:500], atol=2e-3)


@needs_pair
@needs_cifar10
def test_shipped_robust_network_withstands_about_what_its_card_says() -> None:
    """PGD-20 on other images than the card's: weaker than MMAA, so no lower, and not far above."""
    network, card = cifar10.load_network_of("rob")
    data = load_data(f"cifar10-jpeg:{CIFAR10}", n=2200)
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

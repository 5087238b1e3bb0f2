"""The CIFAR-10 network and its training: shapes, whitening, augmentation, one-step attack, resume."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from mnuts_core.demo.cifar10_network import STEM, CifarNet, make_network, whiten
from mnuts_core.demo.cifar10_training import CifarRecipe, augmented, one_step, train_network
from mnuts_core.errors import MnutsError
from mnuts_core.models.inputs import Precision

RECIPE = CifarRecipe(widths=(8, 8, 8), epochs=2, rate=0.2, batch_size=16, eps=4 / 255, plain=0.25, shift=2)


def coloured(n: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Images whose class shows in their colour, uint8, and their labels."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 10, (n,), generator=generator)
    base = torch.rand(10, 3, 1, 1, generator=torch.Generator().manual_seed(99))
    noise = 0.1 * torch.rand(n, 3, 32, 32, generator=generator)
    return ((0.9 * base[labels] + noise) * 255).byte(), labels


def test_logits_have_ten_classes_and_first_weights_come_from_the_seed() -> None:
    network = make_network((8, 16, 24), seed=3).eval()
    assert network(torch.rand(2, 3, 32, 32)).shape == (2, 10)
    again, other = make_network((8, 16, 24), seed=3), make_network((8, 16, 24), seed=4)
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), again.parameters(), strict=True))
    assert not torch.equal(network.stem.weight, other.stem.weight)


def test_making_a_network_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    make_network((8, 8, 8), seed=0)
    assert torch.equal(torch.get_rng_state(), before)


def test_whitened_stem_decorrelates_patches_and_is_frozen() -> None:
    generator = torch.Generator().manual_seed(0)
    images = F.avg_pool2d(torch.rand(200, 3, 34, 34, generator=generator), 3, stride=1)  # neighbours alike
    network = CifarNet((8, 8, 8))
    whiten(network, images)
    with torch.no_grad():
        network.stem.bias.zero_()
        features = network.stem(4.0 * images - 2.0).movedim(1, -1).reshape(-1, STEM).double()
    covariance = torch.cov(features[:, : STEM // 2].T)
    apart = covariance - covariance.diag().diag()
    assert apart.abs().max() < 1e-3 * covariance.diag().max()
    torch.testing.assert_close(features[:, : STEM // 2], -features[:, STEM // 2 :])
    assert not network.stem.weight.requires_grad


def test_augmented_images_are_moved_or_mirrored_copies() -> None:
    image = torch.arange(36, dtype=torch.uint8).reshape(1, 1, 6, 6).repeat(64, 1, 1, 1)
    moved = augmented(image, 1, torch.Generator().manual_seed(0))
    assert moved.shape == image.shape
    padded = F.pad(image[:1].float(), (1,) * 4, mode="reflect")[0, 0] / 255
    crops = [padded[i : i + 6, j : j + 6] for i in range(3) for j in range(3)]
    allowed = crops + [crop.flip(1) for crop in crops]
    kinds = [next(k for k, a in enumerate(allowed) if torch.equal(a, m[0])) for m in moved]
    assert len(set(kinds)) > 10  # of 18 kinds


def test_without_moves_only_mirroring_is_left() -> None:
    images = coloured(32)[0]
    moved = augmented(images, 0, torch.Generator().manual_seed(1))
    plain = images.float() / 255
    same = (moved == plain).flatten(1).all(1)
    mirrored = (moved == plain.flip(3)).flatten(1).all(1)
    assert (same | mirrored).all()
    assert same.any()
    assert mirrored.any()


def test_one_step_raises_the_loss_within_its_reach() -> None:
    images, labels = coloured(320)
    network = train_network(images, labels, replace(RECIPE, eps=0.0, epochs=6), seed=0)
    clean = images.float() / 255
    points = one_step(network, clean, labels, 4 / 255, torch.Generator().manual_seed(0))
    assert points.min() >= 0
    assert points.max() <= 1
    assert (points - clean).abs().max() <= 8 / 255 + 1e-6  # noise ε and step ε
    with torch.no_grad():
        before, after = (F.cross_entropy(network(x), labels) for x in (clean, points))
    assert after > before
    assert all(parameter.requires_grad for parameter in network.parameters())


def test_radius_waits_then_grows_to_its_full_size() -> None:
    assert [RECIPE.radius(x) for x in (0.0, 0.2, 0.5, 0.9)] == [0.0, 0.0, RECIPE.eps, RECIPE.eps]
    assert RECIPE.radius(0.375) == pytest.approx(RECIPE.eps / 2)
    assert replace(RECIPE, plain=0.0).radius(0.0) == RECIPE.eps


def test_training_learns() -> None:
    images, labels = coloured(320)
    network = train_network(images, labels, replace(RECIPE, epochs=6), seed=0)
    fresh, wanted = coloured(200, seed=1)
    right = (network(fresh.float() / 255).argmax(1) == wanted).float().mean()
    assert right > 0.2  # 200 images: chance is 0.10 ± 0.02


@pytest.mark.parametrize(("precision", "dtype"), [("full", torch.float32), ("bfloat16", torch.bfloat16)])
def test_passes_are_in_the_precision_asked_for(precision: Precision, dtype: torch.dtype) -> None:
    """Those of the perturbations, too; the weights stay in float32."""
    images, labels = coloured(32)
    network, seen = make_network(RECIPE.widths, seed=0), []
    network.stem.register_forward_hook(lambda module, given, made: seen.append(made.dtype))
    train_network(images, labels, replace(RECIPE, plain=0.0), seed=0, precision=precision, start=network)
    assert seen == [dtype] * 8  # 2 epochs of 2 steps of 2 passes
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}


def test_a_start_is_gone_on_from_in_place_and_made_trainable_again() -> None:
    images, labels = coloured(64)
    first = train_network(images, labels, RECIPE, seed=0).requires_grad_(False)
    before = [parameter.clone() for parameter in first.parameters()]
    still = train_network(images, labels, replace(RECIPE, rate=0.0), seed=1, start=first)
    assert still is first
    assert all(torch.equal(a, b) for a, b in zip(before, first.parameters(), strict=True))
    assert all(parameter.requires_grad for parameter in first.parameters())
    train_network(images, labels, RECIPE, seed=1, start=first.requires_grad_(False))
    assert not any(torch.equal(a, b) for a, b in zip(before, first.parameters(), strict=True))


def test_a_whitened_stem_stays_frozen_when_training_goes_on_with_other_images() -> None:
    recipe = replace(RECIPE, eps=0.0, whitened=True)
    first = train_network(*coloured(64), recipe, seed=0)
    stem, bias, head = (
        tensor.detach().clone() for tensor in (first.stem.weight, first.stem.bias, first.head.weight)
    )
    others, labels = coloured(64, seed=1)
    fresh = make_network(RECIPE.widths, seed=0)
    whiten(fresh, others.float() / 255)
    assert not torch.equal(fresh.stem.weight, stem)  # these images whiten otherwise
    second = train_network(others, labels, recipe, seed=1, start=first)
    assert torch.equal(second.stem.weight, stem)
    assert not second.stem.weight.requires_grad
    assert not torch.equal(second.stem.bias, bias)
    assert not torch.equal(second.head.weight, head)


def test_a_training_cut_off_after_an_epoch_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    images, labels = coloured(64)
    whole = train_network(images, labels, RECIPE, seed=0)
    path = tmp_path / "training.safetensors"

    def killer(done: int, total: int) -> None:
        if done == total - 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_network(images, labels, RECIPE, seed=0, checkpoint=path, progress=killer)
    steps: list[int] = []
    resumed = train_network(
        images, labels, RECIPE, seed=0, checkpoint=path, progress=lambda done, _: steps.append(done)
    )
    assert steps == [5, 6, 7, 8]  # the second epoch only
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), resumed.parameters(), strict=True))


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    images, labels = coloured(32)
    path = tmp_path / "training.safetensors"
    train_network(images, labels, RECIPE, seed=0, checkpoint=path)
    with pytest.raises(MnutsError, match="another recipe, seed or precision"):
        train_network(images, labels, RECIPE, seed=1, checkpoint=path)
    with pytest.raises(MnutsError, match="precision: delete it to begin anew"):
        train_network(images, labels, RECIPE, seed=0, checkpoint=path, precision="bfloat16")
    path.write_bytes(b"nothing")
    with pytest.raises(MnutsError, match="is not a training checkpoint"):
        train_network(images, labels, RECIPE, seed=0, checkpoint=path)

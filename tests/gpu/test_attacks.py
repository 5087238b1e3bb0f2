"""Attacks on a GPU find what they find on the CPU."""

from __future__ import annotations

import pytest
import torch
from pyautoattack.autopgd_base import APGDAttack
from torch import Tensor, nn

from mnuts_core import LogitBundle, MixedClassifier, MixParams
from mnuts_core.attacks.apgd import Loss, apgd, of_examples
from mnuts_core.attacks.losses import cross_entropy, targeted_dlr
from mnuts_core.attacks.mmaa import Mmaa, minimum_margin_attack
from mnuts_core.attacks.norms import Ball, make_ball
from mnuts_core.attacks.plan import ATTACKS, Attack, Plan
from mnuts_core.attacks.pool_plan import PoolPlan, PoolTarget
from mnuts_core.bundles.manifest import DataCard
from mnuts_core.datasets.digits import CLASSES, load_digits_split
from mnuts_core.demo.digits import EPS, load_digits_models
from mnuts_core.models.inputs import Precision
from mnuts_core.params import STANDARD_STEPS
from mnuts_core.pipeline.build import build_bundle, model_card
from mnuts_core.pipeline.pool import attack_pool
from mnuts_core.pipeline.verify import evaluate

N = 24
PARAMS = MixParams(s=5.0, p=4.0, c=-0.6, alpha=0.94)


def network() -> nn.Module:
    """Small, with a convolution, and steep enough for steps of APGD to tell."""
    torch.manual_seed(3)
    model = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.Tanh(), nn.Conv2d(16, 8, 3, stride=2), nn.Tanh(), nn.Flatten()
    )
    model.append(nn.Linear(72, 10))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2.5)
    return model.eval()


def images(dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.rand(N, 3, 8, 8, generator=torch.Generator().manual_seed(5), dtype=dtype)


def path(model: nn.Module, loss: Loss, clean: Tensor, start: Tensor, ball: Ball) -> Tensor:
    """All points that APGD passes, on the CPU."""
    seen: list[Tensor] = []
    apgd(model, loss, clean, start, ball=ball, n_iter=30, watch=lambda points, *_: seen.append(points.cpu()))
    return torch.stack(seen)


@pytest.fixture
def digits_images() -> tuple[Tensor, Tensor]:
    points, labels = load_digits_split()[1]
    return points[:N].float(), labels[:N]


@pytest.mark.parametrize("loss", ["ce", "dlr"])
@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_apgd_step_for_step(device: str, norm: str, loss: str) -> None:
    """In float64: in float32 the order of a sum decides over signs, and two paths part for good."""
    ball, paths = make_ball(norm, {"Linf": 0.1, "L2": 0.7}[norm]), []
    for where in dict.fromkeys(("cpu", device)):
        model, clean = network().double().to(where), images().to(where)
        ranking = model(clean).argsort(dim=1)
        climbed = (
            of_examples(cross_entropy, ranking[:, -1])
            if loss == "ce"
            else of_examples(targeted_dlr, ranking[:, -1], ranking[:, -3])
        )
        start = ball.start(clean, torch.zeros_like(clean) + 0.01)
        with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            paths.append(path(model, climbed, clean, start, ball))
    assert (paths[0][1:] - paths[0][:-1]).abs().amax(dim=(2, 3, 4)).max() > 0.01, "nothing moved"
    torch.testing.assert_close(paths[-1], paths[0], rtol=0, atol=1e-7)


def test_apgd_follows_the_library_there(device: str) -> None:
    """In float32, in which the library keeps its step sizes: both ask the same of the same device."""
    model, clean = network().to(device), images(torch.float32).to(device)
    labels, ball = model(clean).argmax(dim=1), make_ball("Linf", 0.1)
    library = APGDAttack(model, n_iter=30, norm="Linf", eps=ball.eps, loss="ce", device=device)
    library.init_hyperparam(clean)
    with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
        theirs = library.attack_single_run(clean, labels, x_init=clean)[0]
        best = apgd(model, of_examples(cross_entropy, labels), clean, clean, ball=ball, n_iter=30)
    torch.testing.assert_close(best.points, theirs, rtol=0, atol=2e-6)


def test_mmaa_in_float64(device: str) -> None:
    labels = network().double()(images()).argmax(dim=1)
    settings = {"eps": 0.01, "n_iter": 20, "n_targets": 2}
    ours, plain = (
        minimum_margin_attack(network().double(), images(), labels, device=where, **settings)
        for where in (device, "cpu")
    )
    torch.testing.assert_close(ours.margin, plain.margin, rtol=0, atol=1e-6)
    assert 0 < plain.correct.sum() < N


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("precision", ["full", "bfloat16"])
def test_mmaa_in_less(device: str, precision: Precision, channels_last: bool) -> None:
    points, labels = images(torch.float32), network()(images(torch.float32)).argmax(dim=1)
    settings = {"eps": 0.01, "n_iter": 20, "n_targets": 2}
    plain = minimum_margin_attack(network(), points, labels, device="cpu", **settings)
    ours = minimum_margin_attack(
        network(), points, labels, device=device, precision=precision, channels_last=channels_last, **settings
    )
    assert abs(int(ours.correct.sum()) - int(plain.correct.sum())) <= 1
    assert (ours.margin - plain.margin).abs().median() <= 0.005


@pytest.mark.parametrize("attack", ATTACKS)
def test_evaluate(device: str, digits_images: tuple[Tensor, Tensor], attack: Attack) -> None:
    points, labels = (part[:4] for part in digits_images)
    steps, eps = (STANDARD_STEPS, 0.9) if attack == "autoattack" else (1, EPS)  # soon done
    plan, right = Plan(norm="Linf", eps=eps, attack=attack, n_iter=steps), []
    for where in dict.fromkeys(("cpu", device)):
        mix = MixedClassifier(*load_digits_models(), PARAMS, alpha_d=0.925).to(where)
        result = evaluate(mix, points, labels, plan=plan, channels_last=True)
        right.append(result.accuracy.successes)
        assert result.points.device.type == "cpu"
    assert abs(right[-1] - right[0]) <= 1


def test_build_and_pool(device: str, digits_images: tuple[Tensor, Tensor]) -> None:
    std, rob = load_digits_models()
    attack = Mmaa(norm="Linf", eps=EPS, n_iter=5, n_targets=1)
    cards = {name: model_card(name, model) for name, model in (("std_card", std), ("rob_card", rob))}
    plan = PoolPlan(norm="Linf", eps=EPS, n_iter=5, n_targets=1)
    bundles: list[LogitBundle] = []
    unsettled = []
    for where in dict.fromkeys(("cpu", device)):
        bundle = build_bundle(
            std,
            rob,
            *digits_images,
            attack=attack,
            name="digits",
            classes=CLASSES,
            data=DataCard(name="digits"),
            device=where,
            **cards,
        )
        sources = attack_pool(
            bundle, std, rob, *digits_images, targets=(PoolTarget(PARAMS),), plan=plan, device=where
        )
        bundles.append(bundle)
        unsettled.append(sources[0].unsettled)
    clean = [torch.from_numpy(bundle.clean_rob_logits) for bundle in bundles]
    torch.testing.assert_close(clean[-1], clean[0], rtol=0, atol=1e-4)
    margins = [torch.from_numpy(bundle.require_attacked().margin) for bundle in bundles]
    assert (margins[-1] - margins[0]).abs().median() <= 0.005
    assert abs(unsettled[-1] - unsettled[0]) <= 1

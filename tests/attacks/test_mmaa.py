"""MMAA: margins, budget, seeds and refusals on small random networks."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mnuts_core.attacks.losses import targeted_dlr
from mnuts_core.attacks.mmaa import MinimumMargin, Mmaa, minimum_margin_attack
from mnuts_core.attacks.norms import make_ball
from mnuts_core.attacks.promise import EFFORTS, Effort, by_promise
from mnuts_core.errors import ParameterError
from mnuts_core.functional.margins import signed_margin
from mnuts_core.functional.transform import layer_norm, transform_logits
from mnuts_core.models.inputs import Precision
from mnuts_core.models.passes import counted

N = 30


def network(classes: int = 10) -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(512, classes)
    ).eval()


MODEL = network()
IMAGES = torch.rand(N, 1, 8, 8, generator=torch.Generator().manual_seed(2))
LABELS = MODEL(IMAGES).argmax(dim=1).where(torch.arange(N) % 4 > 0, torch.tensor(3))
"""What the model says, but for every fourth example: most of those start out wrong."""
EPS = {"Linf": 0.02, "L2": 0.12}

attack = partial(minimum_margin_attack, MODEL, IMAGES, LABELS, n_iter=20)


@pytest.fixture(scope="module", params=["Linf", "L2"])
def found(request: pytest.FixtureRequest) -> tuple[str, MinimumMargin]:
    return request.param, attack(norm=request.param, eps=EPS[request.param])


def test_result_is_consistent(found: tuple[str, MinimumMargin]) -> None:
    _, result = found
    logits = MODEL(result.images).detach()
    torch.testing.assert_close(result.logits, logits, rtol=0, atol=0)
    torch.testing.assert_close(result.margin, signed_margin(layer_norm(logits), LABELS), rtol=0, atol=0)
    assert torch.equal(result.correct, result.margin > 0)
    assert 0 < result.correct.sum() < N, "the budget should leave some right and some wrong"


def test_never_above_the_clean_margin(found: tuple[str, MinimumMargin]) -> None:
    clean = signed_margin(layer_norm(MODEL(IMAGES).detach()), LABELS)
    assert (found[1].margin <= clean).all()
    assert (found[1].margin < clean).float().mean() > 0.8
    wrong = clean < 0
    assert wrong.sum() >= 3
    lowered = (found[1].margin[wrong] < clean[wrong]).float().mean()
    assert lowered >= 0.5, "examples that start out wrong are attacked too"


def test_inside_ball_and_box(found: tuple[str, MinimumMargin]) -> None:
    norm, result = found
    distance = make_ball(norm, EPS[norm]).distance(result.images, IMAGES)
    assert (distance <= EPS[norm] + 1e-6).all()
    assert result.images.min() >= 0
    assert result.images.max() <= 1


def test_margin_is_the_least_of_every_point_seen() -> None:
    seen: list[Tensor] = []

    def spy(images: Tensor) -> Tensor:
        logits = MODEL(images)
        if len(images) == N:
            seen.append(signed_margin(layer_norm(logits.detach()), LABELS))
        return logits

    result = minimum_margin_attack(spy, IMAGES, LABELS, eps=0.02, n_iter=20, n_targets=0)
    assert len(seen) == 23  # clean, start, 20 steps, last pass
    torch.testing.assert_close(result.margin, torch.stack(seen).amin(dim=0), rtol=0, atol=0)


def test_targets_only_lower_margins() -> None:
    without = attack(eps=0.02, n_targets=0)
    result = attack(eps=0.02)
    assert (result.margin <= without.margin).all()
    assert (result.margin < without.margin).any()
    assert torch.equal(result.margin[~without.correct], without.margin[~without.correct])


def test_batches_and_shards_change_nothing() -> None:
    model, images = network().double(), IMAGES.double()
    run = partial(minimum_margin_attack, model, eps=0.02, n_iter=20, seed=4)
    whole = run(images, LABELS)
    small = run(images, LABELS, batch_size=7)
    order = torch.arange(N).flip(0)
    shard = run(images[order], LABELS[order], indices=order)
    torch.testing.assert_close(small.margin, whole.margin, rtol=0, atol=1e-6)
    torch.testing.assert_close(shard.margin[order], whole.margin, rtol=0, atol=1e-6)


def test_same_seed_same_bytes_other_seed_other_points() -> None:
    first, again, other = (attack(eps=0.02, seed=seed, n_targets=1) for seed in (7, 7, 8))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first.images, other.images)


def test_surrogate_is_what_is_attacked() -> None:
    surrogate = partial(transform_logits, s=2.0, p=3.0, c=-0.5)
    result = attack(eps=0.02, surrogate=surrogate)
    torch.testing.assert_close(
        result.margin.double(), signed_margin(surrogate(result.logits), LABELS), rtol=0, atol=1e-6
    )
    plain = attack(eps=0.02)
    own = signed_margin(surrogate(plain.logits), LABELS)
    assert result.margin.double().mean() <= own.mean() + 1e-3


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_few_classes(classes: int) -> None:
    model = network(classes)
    labels = model(IMAGES).argmax(dim=1)
    result = minimum_margin_attack(model, IMAGES, labels, eps=0.1, n_iter=20)
    assert (~result.correct).sum() > 0.5 * N, "a large budget fools most of an untrained network"


def test_images_that_are_not_contiguous() -> None:
    result = minimum_margin_attack(
        MODEL, IMAGES.movedim(1, -1).contiguous().movedim(-1, 1), LABELS, eps=0.02, n_iter=5
    )
    assert torch.equal(result.margin, attack(eps=0.02, n_iter=5).margin)


def test_mode_is_set_back_and_dropout_stays_off() -> None:
    model = nn.Sequential(network(), nn.Dropout(0.5)).train()
    model[0].eval()
    result = minimum_margin_attack(model, IMAGES, LABELS, eps=0.02, n_iter=5, n_targets=0)
    assert model.training
    assert model[1].training
    assert not model[0].training
    torch.testing.assert_close(result.logits, MODEL(result.images).detach())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_progress_reaches_the_end() -> None:
    calls: list[tuple[int, int]] = []
    attack(eps=0.02, n_iter=2, batch_size=8, progress=lambda *call: calls.append(call))
    done = [d for d, _ in calls]
    assert done == sorted(set(done))
    assert calls[-1] == (300, 300)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": IMAGES * 255}, r"images must lie in \[0, 1\], got 0.* to 25.*"),
        ({"images": IMAGES.clone().fill_(torch.nan)}, r"images must lie in \[0, 1\], got nan"),
        ({"images": (IMAGES * 255).byte()}, "images must be .* float32 or float64, got dtype torch.uint8"),
        ({"images": IMAGES.half()}, "images must be .* float32 or float64"),
        ({"images": IMAGES[0]}, r"images must have shape \(N, C, H, W\)"),
        ({"images": IMAGES[:0]}, "N of at least 1"),
        ({"images": IMAGES.double()}, "model must take images of shape .* dtype torch.float64"),
        ({"images": IMAGES.numpy()}, "images must be a torch.Tensor .* got ndarray"),
        ({"labels": LABELS[:3]}, r"labels must have shape \(30,\)"),
        ({"labels": LABELS + 1}, r"labels must lie in \[0, 10\)"),
        ({"labels": LABELS.float()}, "labels must be an integer"),
        ({"eps": 0}, r"eps must be a number in \(0, inf\).* got 0"),
        ({"eps": -1.0}, "eps must be"),
        ({"norm": "linf"}, "norm must be one of Linf, L2, got 'linf'"),
        ({"n_iter": 0}, "n_iter must be an integer of at least 1, got 0"),
        ({"n_targets": -1}, "n_targets must be an integer of at least 0"),
        ({"batch_size": 1.5}, "batch_size must be an integer"),
        ({"effort": "lazy"}, "effort must be one of full, frugal, got 'lazy'"),
        ({"seed": -1}, "seed must be an integer of at least 0"),
        ({"ln_k": 1}, "ln_k must be 0"),
        ({"indices": torch.arange(3)}, r"indices must be an integer torch.Tensor of shape \(30,\)"),
        ({"device": "gpu"}, "device must be auto, cpu, cuda, cuda:N or mps, got 'gpu'"),
        ({"model": nn.Flatten(0)}, r"model must return logits of shape \(1, K\), K ≥ 2"),
        ({"model": lambda x: x.flatten(1) * torch.inf}, "model must return finite logits"),
    ],
)
def test_refusals_name_argument_and_value(change: dict[str, Any], message: str) -> None:
    arguments = {"model": MODEL, "images": IMAGES, "labels": LABELS, "eps": 0.02} | change
    with pytest.raises(ParameterError, match=message):
        minimum_margin_attack(**arguments)


def test_import_needs_no_attack_library() -> None:
    code = (
        "import sys, mnuts_core.attacks.mmaa; "
        "print([m for m in ('robustbench', 'pyautoattack', 'torchvision', 'timm') if m in sys.modules])"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_reduced_precision_keeps_exact_margins(norm: str) -> None:
    full = attack(norm=norm, eps=EPS[norm])
    result = attack(norm=norm, eps=EPS[norm], precision="bfloat16", channels_last=True)
    logits = MODEL(result.images).detach()
    torch.testing.assert_close(result.margin, signed_margin(layer_norm(logits), LABELS), rtol=0, atol=1e-5)
    assert (result.margin <= signed_margin(layer_norm(MODEL(IMAGES).detach()), LABELS) + 1e-6).all()
    assert (make_ball(norm, EPS[norm]).distance(result.images, IMAGES) <= EPS[norm] + 1e-6).all()
    assert (result.margin - full.margin).abs().median() < 0.005
    assert (result.correct ^ full.correct).sum() <= 1
    assert result.images.is_contiguous()


def test_reduced_precision_is_for_gradients_only() -> None:
    """Whoever calls without a gradient gets float32, and decides what is kept."""
    dtypes = set()

    def spy(images: Tensor) -> Tensor:
        logits = MODEL(images)
        dtypes.add((images.requires_grad, logits.dtype))
        return logits

    minimum_margin_attack(spy, IMAGES, LABELS, eps=0.02, n_iter=5, precision="bfloat16")
    assert dtypes == {(True, torch.bfloat16), (False, torch.float32)}


@pytest.mark.parametrize(
    ("last", "why"),
    [
        (torch.no_grad()(lambda images: MODEL(images)), "do not reach the images"),
        (lambda images: MODEL(images.detach()), "do not reach the images"),  # only the parameters
        (lambda images: MODEL(torch.from_numpy(images.numpy())), "computing them failed: .*numpy"),
    ],
    ids=["no_grad", "detached images", "NumPy inside"],
)
@pytest.mark.parametrize("precision", ["full", "bfloat16"])
def test_a_model_without_gradients_is_refused(last: Any, why: str, precision: str) -> None:
    message = f"model must let gradients through to its images, but .*{why}.*mnuts build --attack square"
    with pytest.raises(ParameterError, match=message) as caught:
        minimum_margin_attack(last, IMAGES, LABELS, eps=0.02, n_iter=2, precision=precision, device="cpu")
    assert "\n" not in str(caught.value)


def test_reduced_precision_refuses_what_it_cannot_reduce() -> None:
    with pytest.raises(ParameterError, match="precision must be one of full, bfloat16, got 'half'"):
        attack(eps=0.02, precision="half")
    with pytest.raises(ParameterError, match=r"precision 'bfloat16' needs float32 images, got torch.float64"):
        minimum_margin_attack(
            network().double(), IMAGES.double(), LABELS, eps=0.02, precision="bfloat16", device="cpu"
        )


class TestFrugal:
    """The most promising classes alone."""

    def test_it_drives_at_the_nearest_classes(self) -> None:
        """On a linear classifier, whose nearest boundary the least promising class never has."""
        model = nn.Sequential(nn.Flatten(), nn.Linear(64, 6)).eval()
        labels = model(IMAGES).argmax(dim=1)
        whole = minimum_margin_attack(model, IMAGES, labels, eps=0.05, n_iter=20)
        few = minimum_margin_attack(model, IMAGES, labels, eps=0.05, n_iter=20, effort="frugal")
        assert torch.equal(few.correct, whole.correct)
        assert 0 < few.correct.sum() < N
        torch.testing.assert_close(few.margin, whole.margin, rtol=0, atol=1e-3)

    def test_it_runs_three_targets_in_the_order_of_promise(self, monkeypatch: pytest.MonkeyPatch) -> None:
        driven: list[Tensor] = []
        monkeypatch.setattr(
            "mnuts_core.attacks.mmaa_batch.targeted_dlr",
            lambda logits, labels, targets: driven.append(targets) or targeted_dlr(logits, labels, targets),
        )
        result = attack(eps=1e-6, n_iter=1, effort="frugal")
        rows = attack(eps=1e-6, n_iter=1, n_targets=0).correct
        climbed = lambda points: layer_norm(MODEL(points))
        order = by_promise(climbed, IMAGES[rows], LABELS[rows], make_ball("Linf", 1e-6), 9)
        seen = list(dict.fromkeys(tuple(targets.tolist()) for targets in driven))
        assert seen == [tuple(targets.tolist()) for targets in order.T[:3]]
        assert torch.equal(result.correct, rows)

    @pytest.mark.parametrize("n_targets", [0, 1, 2])
    def test_fewer_targets_than_that_are_all_run(self, n_targets: int) -> None:
        calls: list[tuple[int, int]] = []
        options = {"n_targets": n_targets, "progress": lambda *call: calls.append(call)}
        attack(eps=0.02, n_iter=2, effort="frugal", **options)
        assert calls[-1] == (N * (1 + n_targets), N * (1 + n_targets))

    def test_the_bundle_says_so(self) -> None:
        full, frugal = (Mmaa(norm="Linf", eps=0.02, effort=effort) for effort in EFFORTS)
        assert "effort" not in full.settings()
        assert frugal.settings() == full.settings() | {"effort": "frugal"}
        card = frugal.card(torch.float32, 10)
        assert (card.name, card.n_targets) == ("MMAA: APGD-CE, then targeted APGD-DLR, frugal", 3)
        assert (full.cost(10), frugal.cost(10), frugal.cost(3)) == (10, 4, 3)


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("precision", ["full", "bfloat16"])
def test_passes_are_those_of_images_that_stay_right(precision: Precision, effort: Effort) -> None:
    """But for the first image, which is also asked for the number of classes and for its gradient."""
    right = (signed_margin(layer_norm(MODEL(IMAGES)), LABELS) > 0.05).nonzero().squeeze(1)
    kind = Mmaa(norm="Linf", eps=1e-6, n_iter=3, n_targets=5, precision=precision, effort=effort)
    device = torch.device("cpu")
    with counted() as counter:
        kind.run(MODEL, IMAGES[right], LABELS[right], right, batch_size=64, progress=None, device=device)
    made, n, said = counter.mean(["model"]), len(right), kind.passes(10)
    assert (said.forward * n + 2, said.backward * n + 1) == (made.forward, made.backward)

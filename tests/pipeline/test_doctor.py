"""Pairs broken on purpose, and what the doctor says of them; of the healthy pair it says nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mnuts_core.attacks.mmaa import Mmaa
from mnuts_core.attacks.square import Square
from mnuts_core.datasets.digits import CLASSES, load_digits_split
from mnuts_core.demo.digits_network import make_network
from mnuts_core.models.listed import Listed
from mnuts_core.models.specs import load_model
from mnuts_core.pipeline.doctor import resources, robustness
from mnuts_core.pipeline.doctor.case import Case, Plan
from mnuts_core.pipeline.doctor.classes import better_order
from mnuts_core.pipeline.doctor.examination import CHECKS, examine
from mnuts_core.pipeline.doctor.findings import CODES, Finding
from tests import ROOT
from tests.loops import Voting, purified

N = 128
EPS = 3 / 16
ORDER = torch.tensor([3, 0, 1, 2, 4, 5, 9, 7, 8, 6])
"""Another order of the ten digits."""
PLAN = Plan(attack=Mmaa(norm="Linf", eps=EPS))
IMAGES, LABELS = (part[:N] for part in load_digits_split()[1])
STD, ROB = (load_model(f"demo:digits/{role}") for role in ("std", "rob"))


def same(value: Any) -> Any:
    return value


class Changed(nn.Module):
    """A network whose images or answers are changed."""

    def __init__(
        self,
        base: nn.Module,
        before: Callable[[Tensor], Tensor] = same,
        after: Callable[[Tensor], Any] = same,
    ) -> None:
        super().__init__()
        self.base, self.before, self.after = base, before, after

    def forward(self, images: Tensor) -> Any:
        return self.after(self.base(self.before(images)))


class InTraining(Changed):
    """A batch norm that goes back to training mode at each pass."""

    def __init__(self, base: nn.Module) -> None:
        super().__init__(base)
        self.norm = nn.BatchNorm2d(1)

    def forward(self, images: Tensor) -> Any:
        self.norm.train()
        mean = images.mean() if len(images) == 1 else self.norm(images).mean()
        return self.base(images) + 0 * mean


class Colour(nn.Module):
    """A network for three channels: the digits in the first one, noise of no meaning in the others."""

    def __init__(self, base: nn.Module, channel: int) -> None:
        super().__init__()
        self.base, self.channel = base, channel

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.base(images[:, self.channel : self.channel + 1])
        return logits


class Greenish(Colour):
    """The same, but what the channel says counts little beside what green, which stays, says."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(0.3 * images + 0.7 * images[:, 1:2])


def case(std: Any = STD.module, rob: Any = ROB.module, **change: Any) -> Case:
    """The digits pair, or something else in its place; what is listed of the pair stays."""
    given = {
        "images": IMAGES.float(),
        "labels": LABELS,
        "class_names": CLASSES,
        "plan": PLAN,
        "loaded": (STD, ROB),
    }
    models = [model.eval() if isinstance(model, nn.Module) else model for model in (std, rob)]
    return Case(std_model=models[0], rob_model=models[1], **(given | change))


def unhealthy(what: Case, *, quick: bool = True) -> dict[str, Finding]:
    """What is not well, by code; of several findings of one code the last."""
    return {found.code: found for found in examine(what, quick=quick) if found.level != "ok"}


def test_a_healthy_pair_is_well_and_everything_was_looked_at():
    seen: list[tuple[str, float]] = []
    found = list(examine(case(), progress=lambda title, done: seen.append((title, done))))
    assert [str(each) for each in found if each.level != "ok"] == []
    assert [title for title, _ in seen] == [check.title for check in CHECKS]
    assert {"answers", "inputs", "class-order", "clean-accuracy", "attack", "memory", "time"} <= {
        each.code for each in found
    }
    assert all(each.seen and not each.meaning for each in found)


class Broken(NamedTuple):
    """A pair that is broken on purpose.

    Attributes:
        codes: Everything that is found, and nothing else.
        make: What is broken.
        quick: Whether it is found without an attack.
        error: Whether the first of the codes is an error.
    """

    codes: str
    make: Callable[[], Case]
    quick: bool = True
    error: bool = True


def rob(**change: Any) -> Changed:
    return Changed(ROB.module, **change)


def std(**change: Any) -> Changed:
    return Changed(STD.module, **change)


def in_colour(*, green: bool = False) -> dict[str, Any]:
    """The digits in red, and in green if that is wanted; noise elsewhere."""
    noise = torch.rand(N, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    images = torch.cat([IMAGES.float(), noise], dim=1)
    if green:
        images[:, 1:2] = IMAGES
    return {"images": images}


def with_nan(logits: Tensor) -> Tensor:
    return logits.where(logits.amax(1, keepdim=True) < 7.5, torch.nan)


def fixed_size(images: Tensor) -> Tensor:
    assert images.shape[2] == 32, "for images of 32 × 32"
    return F.avg_pool2d(images, 4)


BROKEN = {
    # what a model answers
    "a tuple": Broken("answers", lambda: case(std(after=lambda logits: (logits, 1)))),
    "a dict": Broken("answers", lambda: case(rob=rob(after=lambda logits: {"logits": logits}))),
    "half precision": Broken("answers", lambda: case(std(after=lambda logits: logits.half()))),
    "1,000 classes": Broken("answers", lambda: case(std(after=lambda logits: F.pad(logits, (0, 990))))),
    "on another device": Broken("answers", lambda: case(std(after=lambda logits: logits.to("meta")))),
    "NaN at some images": Broken("not-finite", lambda: case(rob=rob(after=with_nan))),
    "probabilities": Broken("probabilities", lambda: case(rob=rob(after=lambda x: x.softmax(1)))),
    "probabilities of g": Broken(
        "probabilities", lambda: case(std(after=lambda x: x.softmax(1))), error=False
    ),
    "sigmoids": Broken("sigmoid-outputs", lambda: case(rob=rob(after=lambda x: x.sigmoid()))),
    "tiny logits": Broken("logits-too-small", lambda: case(rob=rob(after=lambda x: 1e-6 * x)), error=False),
    "one-hot": Broken(
        "one-hot gradients", lambda: case(rob=rob(after=lambda x: F.one_hot(x.argmax(1), 10).float()))
    ),
    "a constant": Broken(
        "constant-answers clean-accuracy gradients",
        lambda: case(std(after=lambda x: torch.arange(-4.0, 6.0).expand(len(x), 10))),
    ),
    # how it behaves
    "back in training mode": Broken("training-mode state-changes", lambda: case(rob=InTraining(ROB.module))),
    "random": Broken("random-model", lambda: case(std(after=lambda x: x + torch.randn_like(x))), error=False),
    "normalised over the batch": Broken(
        "batch-dependence", lambda: case(rob=rob(after=lambda x: x - x.mean(0)))
    ),
    "purified by gradients": Broken(
        "optimisation-loop", lambda: case(rob=Changed(ROB.module, before=purified)), error=False
    ),
    "asked ten times": Broken("optimisation-loop", lambda: case(std=Voting(STD.module)), error=False),
    "in place": Broken("changes-images", lambda: case(std(before=lambda x: x.mul_(1.01))), error=False),
    # what it is shown
    "normalised twice": Broken(
        "normalised-twice clean-accuracy", lambda: case(std(before=lambda x: (x - 0.5) / 0.5))
    ),
    "not normalised": Broken(
        "not-normalised clean-accuracy", lambda: case(std(before=lambda x: x * 0.226 + 0.449))
    ),
    "for 0 to 255": Broken("pixels-255 clean-accuracy", lambda: case(std(before=lambda x: x / 255))),
    "for BGR": Broken(
        "channels-swapped clean-accuracy",
        lambda: case(Colour(STD.module, 2), Colour(ROB.module, 0), **in_colour()),
    ),
    "for BGR, and green does as well": Broken(
        "channels-swapped clean-accuracy",
        lambda: case(Greenish(STD.module, 2), Greenish(ROB.module, 0), **in_colour(green=True)),
        error=False,
    ),
    "for larger images": Broken("input-size", lambda: case(std(before=fixed_size))),
    "for larger images, and says nothing": Broken(
        "input-size clean-accuracy",
        lambda: case(std(before=lambda x: F.adaptive_avg_pool2d(F.max_pool2d(x, 5, 4, 2), 8))),
    ),
    "outside 0 to 1": Broken("images-outside-0-1", lambda: case(images=255 * IMAGES.float())),
    "too dark": Broken(
        "clean-accuracy inputs-too-dark zero-gradients", lambda: case(images=IMAGES.float() / 255)
    ),
    # which classes
    "another order of classes": Broken(
        "class-order clean-accuracy", lambda: case(std(after=lambda x: x[:, ORDER]))
    ),
    "two classes exchanged": Broken(
        "class-order clean-accuracy",
        lambda: case(rob=rob(after=lambda x: x[:, [0, 8, 2, 3, 4, 5, 6, 7, 1, 9]])),
    ),
    "labels in another order": Broken("class-order clean-accuracy", lambda: case(labels=ORDER[LABELS])),
    "labels off by one": Broken("labels-off-by-one clean-accuracy", lambda: case(labels=(LABELS + 1) % 10)),
    "labels of the next image": Broken(
        "labels-do-not-fit clean-accuracy", lambda: case(labels=LABELS.roll(1))
    ),
    "labels of other images": Broken(
        "labels-do-not-fit clean-accuracy", lambda: case(labels=LABELS[SHUFFLED])
    ),
    "weights never loaded": Broken(
        "labels-do-not-fit clean-accuracy", lambda: case(make_network(8, 16, 0).float())
    ),
    "images sorted by class": Broken(
        "labels-sorted",
        lambda: case(images=load_digits_split()[1].images[SORTED].float(), labels=SORTED_LABELS),
        error=False,
    ),
    # ε
    "ε of 8": Broken("threat-model", lambda: case(plan=with_eps(8.0))),
    "ε divided twice": Broken("threat-model", lambda: case(plan=with_eps(8 / 255**2)), error=False),
    # gradients and robustness
    "no gradient": Broken("gradients", lambda: case(rob=rob(after=lambda x: x.detach()))),
    "rounded images": Broken("zero-gradients", lambda: case(rob=rob(before=lambda x: (16 * x).round() / 16))),
    "saturated": Broken("zero-gradients", lambda: case(std(after=lambda x: 1000 * x)), error=False),
    "exchanged": Broken("swapped", lambda: case(ROB.module, STD.module, loaded=None), quick=False),
    "the same twice": Broken("same-model", lambda: case(ROB.module, ROB.module), error=False),
    "the same twice, but for its scale": Broken(
        "same-model", lambda: case(Changed(ROB.module, after=lambda x: 2 * x + 1)), error=False
    ),
    "not robust": Broken("not-robust", lambda: case(STD.module, STD_AGAIN, loaded=None), quick=False),
    "robust by rounding": Broken(
        "gradient-masking zero-gradients",
        lambda: case(std(before=lambda x: (16 * x).round() / 16), loaded=None),
        quick=False,
        error=False,
    ),
    # what a build takes
    "too large a batch": Broken("memory", lambda: case(plan=replace(PLAN, batch_size=10**10))),
    "days": Broken("time", lambda: case(plan=replace(PLAN, n_adv=10**9)), error=False),
}
SHUFFLED = torch.randperm(N, generator=torch.Generator().manual_seed(0))
SORTED = torch.argsort(load_digits_split()[1].labels, stable=True)[:N]
SORTED_LABELS = load_digits_split()[1].labels[SORTED]
STD_AGAIN = Changed(STD.module, after=lambda logits: logits + 0.02 * logits.roll(1, -1))


def with_eps(eps: float) -> Plan:
    return replace(PLAN, attack=Mmaa(norm="Linf", eps=eps))


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_found_and_nothing_else(name):
    broken = BROKEN[name]
    found = unhealthy(broken.make(), quick=broken.quick)
    assert set(found) == set(broken.codes.split()), [str(each) for each in found.values()]
    assert found[broken.codes.split()[0]].level == ("error" if broken.error else "warning")
    for each in found.values():
        assert f"docs/{'warnings' if 'warnings' in each.entry else 'doctor'}.md#{each.code}" in str(each)


def test_the_scale_of_g_does_not_matter():
    assert unhealthy(case(std(after=lambda x: 1e-6 * x))) == {}


class TestOrder:
    """Another order of classes, from predictions and labels alone."""

    LABELS = np.arange(120) % 10

    @pytest.mark.parametrize("noise", [0.0, 0.4])
    def test_is_found(self, noise):
        rng = np.random.default_rng(0)
        order = rng.permutation(10)
        predictions = np.argsort(order)[self.LABELS]
        predictions = np.where(rng.random(120) < noise, rng.integers(0, 10, 120), predictions)
        np.testing.assert_array_equal(better_order(predictions, self.LABELS, 10), order)

    def test_is_not_made_up(self):
        rng = np.random.default_rng(0)
        for k in (2, 10, 1000):
            labels = rng.integers(0, k, 120)
            assert better_order(rng.integers(0, k, 120), labels, k) is None
            assert better_order(labels, labels, k) is None
        weak = np.where(rng.random(120) < 0.6, rng.integers(0, 10, 120), self.LABELS)
        assert better_order(weak, self.LABELS, 10) is None

    def test_images_without_an_answer_are_left_out(self):
        predictions = np.where(np.arange(120) < 20, -1, (self.LABELS + 3) % 10)
        np.testing.assert_array_equal(better_order(predictions, self.LABELS, 10), (np.arange(10) - 3) % 10)


class TestListed:
    """Accuracy against what is listed."""

    @pytest.mark.parametrize(
        ("clean", "level"), [(0.97, "ok"), (0.85, "warning"), (0.70, "warning"), (0.999, "ok")]
    )
    def test_accuracy_beside_the_list(self, clean, level):
        listed = STD._replace(listed=Listed(clean, source="a list"))
        found = unhealthy(case(loaded=(listed, ROB))).get("clean-accuracy")
        assert (found.level if found else "ok") == level
        assert (
            found is None
            or f"98.44 % [94.48, 99.57], n = 128 where {100 * clean:.1f} % is listed" in found.seen
        )

    def test_another_threat_model_than_listed(self):
        found = unhealthy(case(plan=with_eps(0.1)))
        assert set(found) == {"threat-model"}
        assert "rob_model is listed for ℓ∞, ε = 0.1875" in found["threat-model"].seen

    def test_less_robust_than_listed(self):
        strong = ROB._replace(listed=ROB.listed._replace(attacked=0.95))
        found = unhealthy(case(loaded=(STD, strong)), quick=False)
        assert set(found) == {"not-robust"}
        assert "95.0 % listed" in found["not-robust"].seen


def test_what_is_right_as_it_is():
    """Log-probabilities, temperatures, a callable, and an attack without gradients are nobody's fault."""
    assert unhealthy(case(std(after=lambda x: 0.1 * x), rob(after=lambda x: x.log_softmax(1)))) == {}
    assert unhealthy(case(lambda images: STD.module(images))) == {}
    blind = case(rob=rob(after=lambda x: x.detach()), plan=Plan(attack=Square(norm="Linf", eps=EPS)))
    assert unhealthy(blind, quick=False) == {}


def test_other_preprocessing_than_the_publishers():
    other = ROB._replace(preprocessing="BicubicRes256Crop224")
    found = unhealthy(case(loaded=(STD, other), preprocessing="Res256Crop224"))
    assert set(found) == {"preprocessing"}
    assert "resized to 256 (bilinear), cropped to 224" in found["preprocessing"].seen


def test_a_full_disk(monkeypatch, tmp_path):
    monkeypatch.setattr(resources.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    assert set(unhealthy(case(plan=replace(PLAN, folder=tmp_path)))) == {"disk"}


def test_bytes_for_the_way_back_are_counted():
    """A frozen linear layer keeps its weights alone, which are there anyway."""
    linear = nn.Sequential(nn.Flatten(), nn.Linear(64, 10), nn.ReLU()).requires_grad_(False)
    side = case(linear).sides[0]
    kept = resources.measure(side, gradients=True).kept
    assert kept == pytest.approx(4 * 10)  # the answer of the ReLU


def test_of_masked_gradients_single_steps_and_noise_are_signs():
    def attacked(**change: Any) -> robustness.Attacked:
        right = np.ones(64, dtype=bool)
        of_all = dict.fromkeys(("clean", "kept", "one_step", "noise"), right) | {"grey": ~right[:32]}
        return robustness.Attacked(side=case().sides[1], ball=None, **(of_all | change))

    few = np.arange(64) >= 6
    assert attacked().signs == []
    assert attacked(one_step=np.arange(64) >= 3).signs == []
    assert "a single step breaks 6 images" in attacked(one_step=few).signs[0]
    assert "random noise breaks 6 images" in attacked(noise=few).signs[0]
    assert "leave 32 of 32 images right" in attacked(grey=np.ones(32, dtype=bool)).signs[0]


def test_every_finding_has_its_entry():
    by_page = {}
    for page in ("doctor", "warnings"):
        text = (ROOT / "docs" / f"{page}.md").read_text("utf-8")
        entries = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
        by_page[page] = {entry.partition("\n")[0].strip(): entry for entry in entries}
    for code in CODES:
        page, _, name = Finding(code, "ok", "").entry.removeprefix("docs/").partition(".md#")
        for part in ("**Raised when**", "**Meaning.**", "**Remedy.**"):
            assert part in by_page[page][name], f"{name} lacks {part}"
    assert set(by_page["doctor"]) <= set(CODES)
    linked = re.findall(r"\]\((warnings\.md)?#([\w-]+)\)", "".join(by_page["doctor"].values()))
    assert all(name in by_page["warnings" if page else "doctor"] for page, name in linked)

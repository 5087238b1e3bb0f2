"""Pairs broken on purpose, and what the doctor says of them; of the healthy pair it says nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mnuts_core.attacks.mmaa import Mmaa
from mnuts_core.datasets.digits import CLASSES, load_digits_split
from mnuts_core.models.specs import load_model
from mnuts_core.pipeline.doctor.case import Case, Plan
from mnuts_core.pipeline.doctor.examination import CHECKS, examine, worst
from mnuts_core.pipeline.doctor.findings import Finding

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
    assert worst(found) == "ok", [str(each) for each in found if each.level != "ok"]
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


def in_colour(channel: int) -> dict[str, Any]:
    noise = torch.rand(N, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    return {"images": torch.cat([IMAGES.float(), noise], dim=1)}


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
        lambda: case(Colour(STD.module, 2), Colour(ROB.module, 0), **in_colour(0)),
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
    "labels of other images": Broken("labels-do-not-fit clean-accuracy", lambda: case(labels=LABELS.roll(1))),
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
SORTED = torch.argsort(load_digits_split()[1].labels, stable=True)[:N]
SORTED_LABELS = load_digits_split()[1].labels[SORTED]
STD_AGAIN = Changed(STD.module, after=lambda logits: 1.1 * logits + 0.01)


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

"""B.2.1 as the authors describe it, on the library's own APGD, against this project's `transfer` attack.

The reference shares nothing with the package but the networks and the images: Eq. 4, 5 and 8 are written
out here, the steps are pyautoattack's, and a point counts if the mix is wrong there at any step.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mnuts_core import MixedClassifier, MixParams, Plan, evaluate
from mnuts_core.datasets.digits import load_digits_split
from mnuts_core.demo.digits import EPS, load_digits_models
from mnuts_core.models.compat import attack_library
from tests.adaptive import run_component

N, N_ITER, K = 150, 10, 10
S, P, C, ALPHA, ALPHA_D, R_D = 5.0, 4.0, -0.6, 0.94, 0.925, 0.9
RADIUS = {"Linf": EPS, "L2": 0.6}
APGD = ("apgd-ce", "apgd-t")


class Reference(nn.Module):
    """f̃ of Eq. 8 as a model to attack; it notes at which points f itself (Eq. 5) is wrong."""

    def __init__(self, std: nn.Module, rob: nn.Module) -> None:
        super().__init__()
        self.std, self.rob = std, rob
        self.labels = torch.zeros(0, dtype=torch.long)
        self.fooled = torch.zeros(0, dtype=torch.bool)

    def watch(self, labels: Tensor) -> None:
        """Begin to judge passes over images with these labels."""
        self.labels, self.fooled = labels, torch.zeros(len(labels), dtype=torch.bool)

    def mix(self, g: Tensor, transformed: Tensor) -> Tensor:
        hard = F.one_hot(g.argmax(1), K)
        return (1 - ALPHA) * hard + ALPHA * transformed

    def auxiliary(self, g: Tensor, h: Tensor, transformed: Tensor) -> Tensor:
        robust = R_D * F.softmax(h, dim=1) + (1 - R_D) * transformed
        return (1 - ALPHA_D) * F.softmax(g, dim=1) + ALPHA_D * robust

    def forward(self, images: Tensor) -> Tensor:
        g, h = self.std(images).double(), self.rob(images).double()
        normed = (h - h.mean(1, keepdim=True)) / (h.var(1, keepdim=True) + 1e-8).sqrt()
        v = F.gelu(normed + C)
        transformed = F.softmax(S * v.abs() ** P * v.sign(), dim=1)
        self.fooled |= self.mix(g, transformed).argmax(1).detach() != self.labels
        return self.auxiliary(g, h, transformed).log()


class Verdicts(NamedTuple):
    """Which images are right without an attack, after APGD-CE, and after APGD-T on what that left."""

    clean: Tensor
    ce: Tensor
    targeted: Tensor


def reference_verdicts(model: Reference, images: Tensor, labels: Tensor, norm: str, seed: int) -> Verdicts:
    """AutoAttack's first two components, each on what stands, judged by the mix."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return _reference_verdicts(model, images, labels, norm)


def _reference_verdicts(model: Reference, images: Tensor, labels: Tensor, norm: str) -> Verdicts:
    settings = {"n_iter": N_ITER, "norm": norm, "eps": RADIUS[norm], "device": "cpu"}
    library = attack_library().autopgd_base
    plain = library.APGDAttack(model, loss="ce", **settings)
    driven = library.APGDAttack_targeted(model, n_target_classes=9, **settings)
    model.watch(labels)
    with torch.no_grad():
        order = model(images).argsort(1, descending=True)
    standing = [~model.fooled]
    for attack, numbers in ((plain, [0]), (driven, range(1, 10))):
        right = standing[-1].clone()
        for number in numbers:
            rows = right.nonzero().squeeze(1)
            attack.init_hyperparam(images[rows])
            # AutoAttack takes the class in place 2, 3, ... whatever it is; here f̃ may err where f is right.
            others = order[rows][order[rows] != labels[rows, None]].view(len(rows), K - 1)
            attack.y_target = others[:, number - 1]
            model.watch(labels[rows])
            attack.attack_single_run(images[rows], labels[rows])
            right[rows[model.fooled]] = False
        standing.append(right)
    return Verdicts(*standing)


def our_verdicts(mix: MixedClassifier, images: Tensor, labels: Tensor, norm: str, seed: int) -> Verdicts:
    plan = Plan(norm=norm, eps=RADIUS[norm], n_iter=N_ITER, seed=seed)
    with torch.no_grad():
        standing = [mix(images).argmax(1) == labels]
        for name in APGD:
            right, rows = standing[-1].clone(), standing[-1].nonzero().squeeze(1)
            points = run_component(name, mix, images[rows], labels[rows], rows, plan)
            right[rows] = mix(points).argmax(1) == labels[rows]
            standing.append(right)
    return Verdicts(*standing)


@pytest.fixture(scope="module")
def pair() -> tuple[nn.Module, nn.Module]:
    std, rob = (model.requires_grad_(False) for model in load_digits_models())
    return std, rob


@pytest.fixture(scope="module")
def mix(pair) -> MixedClassifier:
    return MixedClassifier(*pair, MixParams(s=S, p=P, c=C, alpha=ALPHA), alpha_d=ALPHA_D, r_d=R_D)


@pytest.fixture(scope="module")
def data() -> tuple[Tensor, Tensor]:
    images, labels = load_digits_split()[1]
    return images[:N].float(), labels[:N]


def share_alike(some: Verdicts, other: Verdicts) -> Tensor:
    """Share of the images with the same verdict after each component."""
    return torch.stack([(a == b).double().mean() for a, b in zip(some, other, strict=True)])


def accuracies(verdicts: list[Verdicts]) -> Tensor:
    """Mean accuracy over the seeds, in points: clean, after APGD-CE, after APGD-T."""
    each = [torch.stack([right.double().mean() for right in seed]) for seed in verdicts]
    return 100 * torch.stack(each).mean(dim=0)


@pytest.mark.slow
@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_the_librarys_apgd_on_eq_8_says_the_same(pair, mix, data, norm):
    """At 10 steps one run's accuracy varies by about a point with the seed: two runs of each are compared."""
    reference = Reference(*pair)
    theirs = [reference_verdicts(reference, *data, norm, seed) for seed in (0, 1)]
    ours = [our_verdicts(mix, *data, norm, seed) for seed in (0, 1)]
    expected = accuracies(theirs)
    assert expected[0] - expected[1] > 15, "the reference breaks a good many"
    assert expected[1] - expected[2] > 1
    assert (accuracies(ours) - expected).abs().max() <= 2, "points"
    assert torch.equal(ours[0].clean, theirs[0].clean)
    alike = torch.stack([share_alike(*both) for both in zip(ours, theirs, strict=True)]).mean(dim=0)
    assert (alike >= share_alike(*theirs) - 0.03).all(), "as alike as two runs of the reference"


@pytest.mark.slow
def test_evaluate_reports_what_the_reference_finds(pair, mix, data):
    found = evaluate(mix, *data, plan=Plan(norm="Linf", eps=EPS, n_iter=N_ITER))
    theirs = [reference_verdicts(Reference(*pair), *data, "Linf", seed) for seed in (2, 3)]
    expected = accuracies(theirs)[1:]
    assert [part.name for part in found.components[:2]] == list(APGD)
    reported = torch.tensor([part.accuracy.value for part in found.components[:2]], dtype=torch.float64)
    assert (100 * reported - expected).abs().max() <= 2, "points"
    worst = theirs[0].targeted & (found.predictions != data[1])
    assert worst.double().mean() <= 0.05, (
        "FAB, Square and base-transfer find little that the reference has not"
    )


def test_the_comparison_would_notice_an_attack_on_the_mix_itself(pair, data):
    """The same reference, climbing f (whose gradient at T = 0 knows nothing of g) in the place of f̃."""

    class Naive(Reference):
        def auxiliary(self, g: Tensor, h: Tensor, transformed: Tensor) -> Tensor:
            return self.mix(g, transformed).clamp_min(1e-300)

    honest, naive = (reference_verdicts(kind(*pair), *data, "Linf", 0) for kind in (Reference, Naive))
    assert torch.equal(honest.clean, naive.clean)
    assert (accuracies([naive]) - accuracies([honest]))[1:].min() > 3, "too much robustness"

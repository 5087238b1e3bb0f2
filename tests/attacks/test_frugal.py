"""What attacks need not ask: passes are counted, spared where nothing changes, and left out by evidence."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mnuts_core import MixedClassifier, MixParams, ParameterError, Plan
from mnuts_core.attacks.adaptive import apgd_joint, apgd_t
from mnuts_core.attacks.batch import Batch
from mnuts_core.attacks.components import components_of
from mnuts_core.attacks.joint import JointLoss
from mnuts_core.attacks.library import fab_t, fab_t_on, square, square_on
from mnuts_core.attacks.norms import make_ball
from mnuts_core.attacks.plan import Effort
from mnuts_core.attacks.promise import JOINT_TARGETS, SURE_TARGETS, by_promise
from mnuts_core.attacks.square_on_mix import GONE, BoundedMargins
from mnuts_core.datasets.digits import load_digits_split
from mnuts_core.demo.digits import EPS, load_digits_models
from mnuts_core.functional.mixing import mixed_logits
from mnuts_core.models.passes import Passes, counted
from mnuts_core.models.predict import BASE_MODELS, ask
from mnuts_core.params import IDENTITY

N = 20
MIXES = {
    "hard": MixParams(s=5.0, p=4.0, c=-0.6, alpha=0.94),
    "warm": MixParams(s=5.0, p=4.0, c=-0.6, alpha=0.94, temperature=0.5),
}


def batch_of(n: int = N, mix: str = "hard", **change: object) -> Batch:
    """Digits that the mix gets right."""
    nets = [net.requires_grad_(False) for net in load_digits_models()]
    classifier = MixedClassifier(*nets, MIXES[mix], alpha_d=0.925).eval()
    images, labels = load_digits_split()[1]
    images, labels = images[: 2 * n].float(), labels[: 2 * n]
    with torch.no_grad():
        rows = (classifier(images).argmax(1) == labels).nonzero().squeeze(1)[:n]
    plan = Plan(**({"norm": "Linf", "eps": EPS, "n_iter": 4} | change))  # type: ignore[arg-type]
    return Batch(classifier, images[rows], labels[rows], rows, plan, 10)


def fallen(batch: Batch, points: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        wrong = batch.mix(points).argmax(1) != batch.labels
    return wrong & (make_ball("Linf", EPS).distance(points, batch.images) <= EPS + 1e-6)


class TestCounting:
    def test_images_forward_and_back(self):
        net, images = nn.Sequential(nn.Flatten(), nn.Linear(4, 3)), torch.rand(5, 1, 2, 2)
        with counted() as outer:
            ask("rob_model", net, images)
            with counted() as inner:
                leaf = images.clone().requires_grad_()
                ask("rob_model", net, leaf).sum().backward()
            with torch.no_grad():
                ask("std_model", net, images[:2])
        ask("rob_model", net, images)
        assert inner.mean(["rob_model"]) == Passes(5, 5)
        assert outer.mean(["rob_model"]) == Passes(10, 5)
        assert outer.mean(BASE_MODELS) == Passes(6, 2.5), "the mean of both models"
        assert outer.mean(["another"]) == Passes(0, 0)

    def test_a_retained_graph_is_gone_through_twice(self):
        net, leaf = nn.Sequential(nn.Flatten(), nn.Linear(4, 3)), torch.rand(5, 1, 2, 2, requires_grad=True)
        with counted() as counter:
            logits = ask("rob_model", net, leaf)
            for _ in range(2):
                torch.autograd.grad(logits.sum(), leaf, retain_graph=True)
        assert counter.mean(["rob_model"]) == Passes(5, 10)


class TestSquare:
    @pytest.mark.parametrize("mix", MIXES)
    @pytest.mark.parametrize("norm", ["Linf", "L2"])
    def test_moves_are_the_librarys_with_fewer_passes_through_g(self, mix, norm):
        batch = batch_of(10, mix, norm=norm, eps=EPS if norm == "Linf" else 1.0)
        with counted() as ours:
            points = square(batch)
        with counted() as theirs:
            wanted = square_on(batch.mix, batch.images, batch.labels, batch.plan, batch.tick)
        assert torch.equal(points, wanted)
        assert ours.mean(["rob_model"]) == theirs.mean(["rob_model"])
        assert ours.mean(["std_model"]).forward < 0.9 * theirs.mean(["std_model"]).forward

    def test_a_witness_ends_in_time(self, monkeypatch):
        """Of 250 queries, nine tenths are spared unless the first tenth breaks more than a few images."""
        batch = batch_of(6, effort="frugal", n_iter=5)
        monkeypatch.setattr("mnuts_core.attacks.square_on_mix.MISLED", 1.0)
        with counted() as few:
            square(batch)
        monkeypatch.setattr("mnuts_core.attacks.square_on_mix.MISLED", -1.0)
        with counted() as everyone:
            square(batch)
        assert few.mean(["rob_model"]).forward <= 6 * 27
        assert everyone.mean(["rob_model"]).forward > 3 * few.mean(["rob_model"]).forward

    def test_nobody_leaves_where_gradients_mislead(self):
        """One of four images falls before it is time, and no gradient had found it."""
        batch = batch_of(4)
        for misled in (False, True):
            margins = BoundedMargins(batch.mix, lambda raw: raw, batch.tick, after=2)
            margins.margin_and_loss(batch.images, batch.labels)
            assert margins._least is not None
            if misled:
                margins._least[3] = -0.5
            left = (margins._least > 0).nonzero().squeeze(1)
            margin, _ = margins.margin_and_loss(batch.images[left], batch.labels[left])
            assert (margin == GONE).tolist() == ([False] * 3 if misled else [True] * 4)


class TestFab:
    def test_the_same_images_fall_with_fewer_passes(self):
        batch = batch_of(n_iter=10)
        with counted() as ours:
            points = fab_t(batch)
        with counted() as theirs:
            wanted = fab_t_on(batch.mix, batch.images, batch.labels, batch.plan, batch.n_targets, batch.tick)
        assert torch.equal(fallen(batch, points), fallen(batch, wanted))
        assert fallen(batch, points).any()
        assert ours.mean(BASE_MODELS).backward < theirs.mean(BASE_MODELS).backward


class TestJoint:
    """A and B of a mix at T = 0, against the mix itself."""

    def conditions(self, alpha: float, std: torch.Tensor, rob: torch.Tensor) -> torch.Tensor:
        params = MIXES["hard"].with_(alpha=alpha)
        n, rows = len(std), torch.arange(len(std))
        labels, targets = torch.zeros(n, dtype=torch.long), torch.ones(n, dtype=torch.long)
        return JointLoss(params, (std, rob), labels, targets).conditions(std, rob, rows)

    @pytest.mark.parametrize("alpha", [0.6, 0.94, 0.5])
    @pytest.mark.parametrize("classes", [3, 10])
    def test_where_both_are_positive_the_mix_says_the_target(self, alpha, classes):
        generator = torch.Generator().manual_seed(0)
        std = torch.randn(2000, classes, generator=generator)
        rob = torch.randn(2000, classes, generator=generator)
        rob[:, 0] += 1.0
        rob[:, 1] += 1.0
        both = (self.conditions(alpha, std, rob) > 0).all(dim=0)
        says = mixed_logits(std, rob, MIXES["hard"].with_(alpha=alpha)).argmax(1)
        assert both.any()
        right_of_h = rob.argmax(1) <= 1  # else a third class may be ahead of both
        assert (says[both & right_of_h] == 1).all()
        g_says = std.argmax(1) == 1
        assert not ((says == 1) & ~both & g_says & (rob.argmax(1) == 0) & (rob[:, 2:].amax(1) < -1)).any()

    def test_the_loss_rises_with_the_condition_that_is_behind(self):
        std = torch.tensor([[4.0, 0.0, 0.0]]).expand(3, 3).clone()
        rob = torch.tensor([[3.0, 1.0, 0.0]]).expand(3, 3).clone()
        labels, targets, rows = (
            torch.zeros(3, dtype=torch.long),
            torch.ones(3, dtype=torch.long),
            torch.arange(3),
        )
        loss = JointLoss(MIXES["hard"], (std, rob), labels, targets)
        std[1:, 1] = 3.9
        rob[2, 1] = 2.9
        clean, g_alone, both = loss(std, rob, rows).tolist()
        assert clean < g_alone < both

    def test_it_breaks_what_dlr_does_not(self):
        """Three digits that a plain mix withstands at all nine targets, and at a hundred steps, too."""
        rows = torch.tensor([417, 471, 521])
        nets = [net.requires_grad_(False) for net in load_digits_models()]
        mix = MixedClassifier(*nets, IDENTITY.with_(alpha=0.907)).eval()
        images, labels = (part[rows] for part in load_digits_split()[1])
        for attack, broken in ((apgd_joint, True), (apgd_t, False)):
            effort: Effort = "frugal" if broken else "full"
            plan = Plan(norm="Linf", eps=EPS, n_iter=20, effort=effort)
            points = attack(Batch(mix, images.float(), labels, rows, plan, 10))
            with torch.no_grad():
                assert (mix(points).argmax(1) != labels).tolist() == [broken] * 3


class TestPromise:
    def test_nearest_first_and_not_likeliest(self):
        """Class 1 is likelier, but its boundary is farther: 0.4 / 0.8 against 0.9 / 9, and in ℓ2 likewise."""
        net = nn.Sequential(nn.Flatten(), nn.Linear(4, 4))
        net[1].weight.data = torch.tensor(
            [[0.0, 0, 0, 0], [0.4, 0.4, 0, 0], [0, 0, 4.5, 4.5], [0, 0, 0.1, 0.0]]
        )
        net[1].bias.data = torch.tensor([0.0, -0.4, -0.9, -5.0])
        images, labels = torch.zeros(2, 1, 2, 2), torch.zeros(2, dtype=torch.long)
        for norm in ("Linf", "L2"):
            order = by_promise(net, images, labels, make_ball(norm, 0.1), 3)
            assert order.tolist() == [[2, 1, 3]] * 2
        assert by_promise(net, images, labels, make_ball("Linf", 0.1), 2).tolist() == [[2, 1]] * 2


class TestPlan:
    @pytest.mark.parametrize(("attack", "targets"), [(apgd_joint, JOINT_TARGETS), (apgd_t, SURE_TARGETS)])
    def test_targets_of_a_frugal_plan(self, attack, targets):
        """A few of nine; and a gradient each for the order of all nine."""
        few = batch_of(effort="frugal")
        with counted() as counter:
            points = attack(few)
        standing = int((~fallen(few, points)).sum())
        each = targets * (few.plan.n_iter + 1) + 9
        assert standing * each <= counter.mean(BASE_MODELS).backward <= N * each

    def test_components_of_a_frugal_plan(self):
        frugal = Plan(norm="Linf", eps=EPS, effort="frugal")
        costs = {part.name: part.cost(frugal, 10) for part in components_of(frugal, 10)}
        assert costs == {
            "apgd-ce": 100,
            "apgd-joint": 500,
            "apgd-t": 300,
            "square": 500,
            "base-transfer": 200,
        }

    def test_a_full_plan_is_named_as_ever(self):
        plan = Plan(norm="Linf", eps=EPS)
        assert "effort" not in plan.settings(10)
        assert Plan(norm="Linf", eps=EPS, effort="frugal").settings(10)["effort"] == "frugal"

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"effort": "lazy"}, "effort must be one of full, frugal, got 'lazy'"),
            ({"attack": "autoattack", "effort": "frugal"}, "run as it was published"),
        ],
    )
    def test_refusals(self, change, words):
        with pytest.raises(ParameterError, match=words):
            Plan(norm="Linf", eps=EPS, **change)

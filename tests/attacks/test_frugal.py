"""What attacks need not ask: passes are counted, spared where nothing changes, and left out by evidence."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from mnuts_core import MixedClassifier, MixParams, ParameterError, Plan
from mnuts_core.attacks.adaptive import apgd_t
from mnuts_core.attacks.batch import Batch
from mnuts_core.attacks.fab import Leaving
from mnuts_core.attacks.library import fab_t, fab_t_on, square, square_on
from mnuts_core.attacks.norms import make_ball
from mnuts_core.attacks.promise import NEAR, by_promise, hopeless
from mnuts_core.attacks.square_on_mix import GONE, BoundedMargins
from mnuts_core.datasets.digits import load_digits_split
from mnuts_core.demo.digits import EPS, load_digits_models
from mnuts_core.models.passes import Passes, counted
from mnuts_core.models.predict import BASE_MODELS, ask

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
    nearest = torch.full((n,), torch.inf)
    return Batch(classifier, images[rows], labels[rows], rows, plan, 10, nearest)


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

    def test_hopeless_images_leave_in_time(self):
        batch = batch_of(12, effort="frugal")
        with counted() as everyone:
            points = square(batch)
        still = ~fallen(batch, points)
        batch.nearest[still] = NEAR + 0.01
        with counted() as few:
            again = square(batch)
        assert 3 < still.sum() < 12
        assert torch.equal(fallen(batch, again)[still], torch.zeros(int(still.sum()), dtype=torch.bool))
        spared = everyone.mean(["rob_model"]).forward - few.mean(["rob_model"]).forward
        assert spared >= 0.9 * int(still.sum()) * 180, "of 200 queries, the first 20 are theirs"

    def test_nobody_leaves_where_distances_mislead(self):
        """The fourth of four images falls before it is time, though it was called hopeless."""
        batch, gone = batch_of(4), torch.tensor([True, True, False, True])
        for misleads in (False, True):
            margins = BoundedMargins(batch.mix, lambda raw: raw, batch.tick, hopeless=gone, after=2)
            margins.margin_and_loss(batch.images, batch.labels)
            assert margins._least is not None
            if misleads:
                margins._least[3] = -0.5
            left = (margins._least > 0).nonzero().squeeze(1)
            margin, _ = margins.margin_and_loss(batch.images[left], batch.labels[left])
            assert (margin == GONE).tolist() == ([False] * 3 if misleads else gone.tolist())


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

    def test_distances(self):
        """As the library, which returns the nearest point of all targets, measures them; in radii."""
        batch = batch_of(n_iter=10)
        points = fab_t(batch)
        assert torch.equal(batch.nearest <= 1.0, fallen(batch, points))
        assert (batch.nearest > 1.0).any()
        assert batch.nearest.isfinite().all()

    def test_a_linear_classifier(self):
        """Its distances are known: |w·x| over the dual norm; a target that is too far is left."""
        net = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
        net[1].weight.data = torch.tensor([[1.0, 1, 1, 1], [-1, -1, 0, 0], [0, 0, -1, -3]])
        net[1].bias.data = torch.tensor([0.0, 1.0, 1.0])
        images, eps = torch.full((2, 1, 2, 2), 0.5), 0.1
        images[1] = 0.2
        plan = Plan(norm="Linf", eps=eps, n_iter=10)
        distances = torch.tensor([2.0 / 6.0, 0.2 / 6.0]) / eps
        asked, totals = [], []

        def classifier(points: torch.Tensor) -> torch.Tensor:
            asked.append(len(points))
            logits: torch.Tensor = net(points)
            return logits

        for patience in (math.inf, 2):
            asked.clear()
            attack = fab_attack(classifier, images, plan)
            leaving = Leaving(attack, classifier, images, make_ball("Linf", eps), patience)
            attack.perturb(images, torch.zeros(2, dtype=torch.long))
            torch.testing.assert_close(leaving.nearest, distances, rtol=0.15, atol=0.0)
            assert hopeless(leaving.nearest).tolist() == [True, False]
            totals.append(sum(asked))
        assert totals[1] < totals[0]


def fab_attack(classifier, images, plan):
    from mnuts_core.models.compat import attack_library

    return attack_library().autoattack.FABAttack_PT(
        classifier, n_iter=plan.n_iter, targeted=True, n_target_classes=2, norm="Linf", eps=plan.eps, seed=0,
        device=images.device,
    )  # fmt: skip


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

    def test_unknown_is_not_hopeless(self):
        assert hopeless(torch.tensor([0.5, NEAR, 1.3, torch.inf])).tolist() == [False, False, True, False]


class TestPlan:
    def test_targets_of_a_frugal_plan(self):
        """Five of nine; and a gradient each for the order of all nine."""
        few = batch_of(effort="frugal")
        with counted() as counter:
            points = apgd_t(few)
        standing = int((~fallen(few, points)).sum())
        steps = few.plan.n_iter + 1
        assert counter.mean(BASE_MODELS).backward >= standing * (5 * steps + 9)
        assert counter.mean(BASE_MODELS).backward <= N * (5 * steps + 9)

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

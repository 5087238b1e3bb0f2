"""The attack that fills a pool, against a plain loop over every pass that it made."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from mnuts_core import MixedClassifier, MixParams, ParameterError
from mnuts_core.attacks.norms import make_ball
from mnuts_core.attacks.plan import Plan
from mnuts_core.attacks.pool import Attacked, attack_for_pool
from mnuts_core.attacks.pool_plan import COMPONENTS, PoolPlan, PoolTarget
from mnuts_core.attacks.watching import Kept, Watch
from mnuts_core.functional.margins import signed_margin
from mnuts_core.functional.mixing import mixed_logits, transform_with
from mnuts_core.params import IDENTITY
from tests.adaptive import run_component

K, N = 5, 12
CPU = torch.device("cpu")
MIXES = (
    MixParams(s=3.0, p=2.0, c=-0.3, alpha=0.7),
    MixParams(s=3.0, p=2.0, c=-0.3, alpha=0.95),
    MixParams(s=0.5, p=4.0, c=0.2, clamp="relu", ln_k=3, alpha=0.6, temperature=0.5),
    IDENTITY.with_(alpha=0.9),
)
PLAN = PoolPlan(norm="Linf", eps=0.08, n_iter=6, n_targets=2)


def network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, K))
    return net.eval().requires_grad_(False)


IMAGES = torch.rand(N, 3, 6, 6, generator=torch.Generator().manual_seed(2))
# mostly what g says or h says, so that some images are settled at once, some soon, some never
STD, ROB = network(0), network(1)
LABELS = torch.where(torch.arange(N) % 3 > 0, ROB(IMAGES).argmax(1), STD(IMAGES).argmax(1))


class Recorded(nn.Module):
    """A network that remembers what it was asked, and what it answered."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner
        self.passes: list[tuple[torch.Tensor, torch.Tensor]] = []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits = self.inner(images)
        self.passes.append((images.detach().clone(), logits.detach().clone()))
        return logits


def attack(target=None, watched=MIXES, plan=PLAN, rows=None, std=STD, rob=ROB, images=IMAGES, progress=None):
    rows = torch.arange(N) if rows is None else rows
    target = PoolTarget(MIXES[0]) if target is None else target
    return attack_for_pool(
        Attacked.of(target, std, rob, K),
        images[rows],
        LABELS[rows],
        rows,
        watch=Watch(watched, standard=target.params is None, device=CPU),
        plan=plan,
        **({} if progress is None else {"progress": progress}),
    )


def owners(points, plan):
    """Whose ball each point lies in: brute force."""
    ball = make_ball(plan.norm, plan.eps)
    inside = torch.stack([ball.distance(points, image.expand_as(points)) for image in IMAGES])
    held = (inside <= plan.eps + 1e-6) & ((points >= 0) & (points <= 1)).flatten(1).all(dim=1)
    return [np.flatnonzero(held[:, place].numpy()).tolist() for place in range(len(points))]


def every_pass(std, rob, plan):
    """All points asked about in float32, by image: g's and h's logits at each, in order."""
    seen: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in range(N)]
    assert len(std.passes) == len(rob.passes)
    for (points, g), (same, h) in zip(std.passes, rob.passes, strict=True):
        assert torch.equal(points, same)
        for place, images in enumerate(owners(points, plan)):
            for image in images if g.dtype == torch.float32 else ():
                seen[image].append((g[place].numpy(), h[place].numpy()))
    return seen


def wrong(g, h, label):
    others = np.delete(h, label)
    return g.argmax() != label and h[label] <= others.max()


def margins(g, h, label, watched=MIXES):
    """Of each mix, and of its M(h), by the functions that a remix uses."""
    g, h = torch.from_numpy(g)[None].double(), torch.from_numpy(h)[None].double()
    label = torch.tensor([label])
    found = [signed_margin(g, label)]
    for mix in watched:
        found += [signed_margin(mixed_logits(g, h, mix), label), signed_margin(transform_with(h, mix), label)]
    return np.array([float(each) for each in found])


@pytest.mark.parametrize("components", [("apgd-ce", "apgd-t"), ("fab-t",), ("square",)])
@pytest.mark.parametrize("norm", ["Linf", "L2"])
@pytest.mark.parametrize("target", [PoolTarget(MIXES[2], alpha_d=0.8), PoolTarget()], ids=["mix", "g"])
def test_keeps_the_least_of_every_pass(components, norm, target):
    plan = replace(PLAN, components=components, norm=norm, eps=0.08 if norm == "Linf" else 0.4)
    plan = replace(plan, n_iter=1 if "square" in components else 3)
    std, rob = Recorded(STD), Recorded(ROB)
    found = attack(target, plan=plan, std=std, rob=rob)
    seen, n_settled = every_pass(std, rob, plan), 0
    for image, label in enumerate(LABELS.tolist()):
        kept = [
            (found.std_logits[place], found.rob_logits[place]) for place in np.flatnonzero(found.row == image)
        ]
        assert kept
        for g, h in kept:
            assert any(np.array_equal(g, a) and np.array_equal(h, b) for a, b in seen[image])
        first = next((point for point in seen[image] if wrong(*point, label)), None)
        if first is not None:
            n_settled += 1
            assert len(kept) == 1
            assert np.array_equal(kept[0][0], first[0])
            assert np.array_equal(kept[0][1], first[1])
            continue
        least = np.min([margins(*point, label) for point in seen[image]], axis=0)
        own = np.min([margins(*point, label) for point in kept], axis=0)
        start = 0 if target.params is None else 1  # g's own margin counts where g is attacked
        np.testing.assert_allclose(own[start:], least[start:], atol=3e-9)
    assert 0 < n_settled < N


def test_a_settled_image_leaves():
    std, rob = Recorded(STD), Recorded(ROB)
    found = attack(std=std, rob=rob)
    settled = [np.flatnonzero(found.row == image) for image in range(N)]
    one = [
        wrong(found.std_logits[places[0]], found.rob_logits[places[0]], int(label))
        for places, label in zip(settled, LABELS, strict=True)
    ]
    assert any(one)
    sizes = [len(points) for points, _ in std.passes]
    assert sizes[0] == N
    assert sizes[-1] <= N - sum(one), "the last run holds at most the images that were open when it began"


def test_nothing_is_attacked_once_all_are_settled():
    labels = (STD(IMAGES).argmax(1) + 1) % K
    open_ = ROB(IMAGES).argmax(1) != labels
    std, rows = Recorded(STD), torch.arange(N)[open_]
    found = attack_for_pool(
        Attacked.of(PoolTarget(MIXES[0]), std, ROB, K),
        IMAGES[rows],
        labels[rows],
        rows,
        watch=Watch(MIXES, standard=False, device=CPU),
        plan=replace(PLAN, components=COMPONENTS),
    )
    assert len(std.passes) == 1, "the clean points settle them"
    assert np.array_equal(found.row, np.arange(len(rows)))


def test_is_no_weaker_than_the_adaptive_attack_on_the_target():
    """Same starts, same gradients: what B.2.1 breaks with early stopping, these points break too."""
    mix = MixedClassifier(STD, ROB, MIXES[0])
    plan = Plan(norm="Linf", eps=0.08, n_iter=6)
    found = attack(plan=replace(PLAN, n_targets=plan.n_targets(K)))
    right = mix(IMAGES).argmax(1) == LABELS
    for name in ("apgd-ce", "apgd-t"):
        rows = right.nonzero().squeeze(1)
        if not len(rows):
            break
        points = run_component(name, mix, IMAGES[rows], LABELS[rows], rows, plan, K)
        right[rows] = mix(points).argmax(1) == LABELS[rows]
    g, h = torch.from_numpy(found.std_logits), torch.from_numpy(found.rob_logits)
    at_points = mixed_logits(g, h, MIXES[0]).argmax(1) == LABELS[torch.from_numpy(found.row)]
    pooled = torch.ones(N, dtype=torch.bool)
    pooled[torch.from_numpy(found.row)[~at_points]] = False
    assert not (pooled & ~right).any()
    assert not right.all()


def test_batches_do_not_matter():
    whole = attack()
    parts = [attack(rows=rows) for rows in torch.split(torch.arange(N), 5)]
    rows = np.concatenate([part.row + 5 * number for number, part in enumerate(parts)])
    assert np.array_equal(rows, whole.row)
    for name in ("std_logits", "rob_logits"):
        together = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_allclose(together, getattr(whole, name), atol=1e-4)


def test_the_seed_matters():
    first, again, other = attack(), attack(), attack(plan=replace(PLAN, seed=1))
    assert np.array_equal(first.std_logits, again.std_logits)
    assert not (len(first.row) == len(other.row) and np.array_equal(first.std_logits, other.std_logits)), (
        "another seed starts elsewhere"
    )


@pytest.mark.parametrize("target", [PoolTarget(MIXES[0]), PoolTarget()], ids=["mix", "g"])
def test_with_reduced_precision_what_is_kept_is_exact(target):
    plan = replace(PLAN, precision="bfloat16")
    std, rob = Recorded(STD), Recorded(ROB)
    found = attack(target, plan=plan, std=std, rob=rob)
    exact = [point for image in every_pass(std, rob, plan) for point in image]
    for g, h in zip(found.std_logits, found.rob_logits, strict=True):
        assert any(np.array_equal(g, a) and np.array_equal(h, b) for a, b in exact)
    assert mean_least_margin(found, target) <= mean_least_margin(attack(target), target) + 0.05


def mean_least_margin(found, target):
    """The least margin of the target at each image's points, on average."""
    place, least = 0 if target.params is None else 1, np.full(N, np.inf)
    for row, g, h in zip(found.row, found.std_logits, found.rob_logits, strict=True):
        least[row] = min(least[row], margins(g, h, int(LABELS[row]))[place])
    return least.mean()


class Broken(nn.Module):
    """NaN wherever a pixel of the image differs from the clean one, for one image."""

    def __init__(self, inner: nn.Module, image: torch.Tensor) -> None:
        super().__init__()
        self.inner, self.image = inner, image

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        moved = (images - self.image).abs().flatten(1).amax(dim=1)
        bad = (moved > 0) & (moved < 0.1)
        return self.inner(images).masked_fill(bad.unsqueeze(1), torch.nan)


@pytest.mark.parametrize("which", ["std", "rob"])
@pytest.mark.parametrize("components", [("apgd-ce",), ("square",)])
@pytest.mark.parametrize("precision", ["full", "bfloat16"])
def test_an_image_with_nan_is_settled_by_a_stand_in(which, components, precision):
    strong = MixParams(s=3.0, p=2.0, c=-0.3, alpha=0.999)
    image = next(i for i in range(N) if ROB(IMAGES)[i].argmax() == LABELS[i] == STD(IMAGES)[i].argmax())
    models = {"std": STD, "rob": ROB} | {which: Broken(ROB if which == "rob" else STD, IMAGES[image])}
    plan = replace(PLAN, components=components, precision=precision, n_iter=2)
    found = attack(PoolTarget(strong), watched=(strong,), plan=plan, **models)
    assert np.flatnonzero(found.not_finite).tolist() == [image]
    assert np.isfinite(found.std_logits).all()
    assert np.isfinite(found.rob_logits).all()
    (place,) = np.flatnonzero(found.row == image)
    g, h = found.std_logits[place], found.rob_logits[place]
    assert wrong(g, h, int(LABELS[image]))
    for mix in MIXES:
        said = mixed_logits(torch.from_numpy(g)[None], torch.from_numpy(h)[None], mix).argmax()
        assert said != LABELS[image]


def test_progress_ends_where_it_said_and_cancels():
    plan, done = replace(PLAN, components=("apgd-ce", "apgd-t", "square")), []
    attack(plan=plan, progress=done.append)
    assert done == sorted(done)
    assert done[-1] == sum(plan.costs) == 6 + 12 + 300

    class CancelledError(Exception):
        """Raised in the middle."""

    def cancel(passes: int) -> None:
        if passes > 3:
            raise CancelledError

    with pytest.raises(CancelledError):
        attack(plan=plan, progress=cancel)


class TestWatch:
    def test_margins_are_those_of_the_mixes(self):
        raw = torch.randn(40, 2 * K, generator=torch.Generator().manual_seed(3)) * 3
        labels = torch.arange(40) % K
        watch = Watch(MIXES, standard=True, device=CPU)
        assert len(watch) == 1 + 4 + 3, "the first two mixes share their transform"
        found = watch.margins(raw, labels).numpy()
        for place in range(40):
            g, h = (part[place].numpy() for part in raw.chunk(2, dim=1))
            expected = np.delete(margins(g, h, int(labels[place])), 4)  # the second mix's transform
            np.testing.assert_allclose(found[:, place], expected, atol=2e-9)

    def test_a_saturated_margin_still_has_a_least(self):
        """At s = 5000 every margin rounds to 1: then LN∘h decides."""
        steep = MixParams(s=5000.0, p=10.0, c=0.0, alpha=0.9)
        watch = Watch((steep,), standard=False, device=CPU)
        raw = torch.tensor([[2.0, 0, 0, 9.0, 0, 1.0], [2.0, 0, 0, 9.0, 0, 3.0]])
        far, near = watch.margins(raw, torch.zeros(2, dtype=torch.long))[1].tolist()
        assert near < far

    def test_alpha_is_needed(self):
        with pytest.raises(ParameterError, match="alpha must be a number"):
            Watch((MixParams(),), standard=False, device=CPU)


def test_later_points_do_not_replace_the_one_that_settles():
    labels = torch.tensor([0, 0])
    kept = Kept(Watch(MIXES, standard=False, device=CPU), labels, 3)
    settling = torch.tensor([[0.0, 1, 0, 0, 1, 0]])
    kept.take(torch.tensor([1]), torch.tensor([[9.0, 0, 0, 9, 0, 0]]))
    kept.take(torch.tensor([1]), settling)
    kept.take(torch.tensor([1]), torch.tensor([[0.0, 9, 0, 0, 9, 0]]))
    kept.take(torch.tensor([1]), torch.full((1, 6), torch.nan))
    found = kept.result()
    assert kept.settled.tolist() == [False, True]
    assert found.row.tolist() == [1]
    assert found.std_logits.tolist() == [[0, 1, 0]]
    assert not found.not_finite.any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"components": ("apgd-t", "apgd-ce")}, "components must be some of apgd-ce, apgd-t, fab-t, square"),
        ({"components": ()}, "got none"),
        ({"components": ("pgd",)}, "got pgd"),
        ({"n_iter": 0}, "n_iter must be an integer of at least 1"),
        ({"n_targets": 0}, "n_targets must be an integer of at least 1"),
        ({"seed": -1}, "seed must be an integer of at least 0"),
        ({"eps": 0.0}, "eps must be a number"),
        ({"precision": "half"}, "precision must be one of"),
    ],
)
def test_a_bad_plan_is_refused(change, message):
    with pytest.raises(ParameterError, match=message):
        replace(PLAN, **change)

"""Black-box minimum margins (D.5): budget, monotony, seeds, and against the library's Square."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mnuts_core import minimum_margin_attack
from mnuts_core.attacks.norms import make_ball
from mnuts_core.attacks.square import square_margin_attack
from mnuts_core.attacks.square_search import square_size
from mnuts_core.datasets.digits import load_digits_split
from mnuts_core.demo.digits import EPS as DIGITS_EPS
from mnuts_core.demo.digits import load_digits_models
from mnuts_core.errors import ParameterError
from mnuts_core.functional.margins import signed_margin
from mnuts_core.functional.transform import layer_norm
from mnuts_core.models.compat import attack_library

N = 24
EPS = {"Linf": 0.03, "L2": 0.2}


def network(channels: int = 2, height: int = 7, width: int = 9) -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(channels, 6, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(6 * height * width, 10),
    ).eval()


MODEL = network()
IMAGES = torch.rand(N, 2, 7, 9, generator=torch.Generator().manual_seed(2))
LABELS = MODEL(IMAGES).argmax(dim=1).where(torch.arange(N) % 4 > 0, torch.tensor(3))

attack = partial(square_margin_attack, MODEL, IMAGES, LABELS, n_queries=60)
both = pytest.mark.parametrize("norm", ["Linf", "L2"])


def margin_at(images: Tensor) -> Tensor:
    return signed_margin(layer_norm(MODEL(images).detach()), LABELS)


@both
def test_never_above_the_clean_margin_and_consistent(norm):
    found = attack(norm=norm, eps=EPS[norm])
    assert (found.margin <= margin_at(IMAGES)).all()
    assert (found.margin < margin_at(IMAGES)).float().mean() > 0.7
    torch.testing.assert_close(found.margin, margin_at(found.images), rtol=0, atol=1e-6)
    torch.testing.assert_close(found.logits, MODEL(found.images).detach(), rtol=0, atol=1e-6)
    assert torch.equal(found.correct, found.margin > 0)


@both
def test_inside_ball_and_box(norm):
    found = attack(norm=norm, eps=EPS[norm])
    assert (make_ball(norm, EPS[norm]).distance(found.images, IMAGES) <= EPS[norm] + 1e-6).all()
    assert found.images.min() >= 0
    assert found.images.max() <= 1


@both
def test_more_queries_never_raise_a_margin(norm):
    run = partial(attack, norm=norm, eps=EPS[norm])
    margins = [run(n_queries=n).margin for n in (1, 2, 20, 100, 300)]
    for fewer, more in pairwise(margins):
        assert (more <= fewer + 1e-6).all()
    assert (margins[-1] < margins[0] - 1e-3).float().mean() > 0.5


@both
def test_every_query_counts_and_the_least_is_kept(norm):
    seen: list[Tensor] = []

    def spy(images: Tensor) -> Tensor:
        if len(images) == N:
            seen.append(images.clone())
        return MODEL(images)

    found = square_margin_attack(spy, IMAGES, LABELS, norm=norm, eps=EPS[norm], n_queries=30)
    assert len(seen) == 32, "30 queries, then clean and best points for the result"
    margins = torch.stack([margin_at(points) for points in (IMAGES, *seen)])
    torch.testing.assert_close(found.margin, margins.amin(dim=0), rtol=0, atol=1e-6)
    ball = make_ball(norm, EPS[norm])
    assert all((ball.distance(points, IMAGES) <= EPS[norm] + 1e-6).all() for points in seen)


@both
def test_the_squares_stay_small_and_move(norm):
    seen: list[Tensor] = []
    model = lambda images: seen.append(images.clone()) or MODEL(images)
    square_margin_attack(model, IMAGES, LABELS, norm=norm, eps=EPS[norm], n_queries=400)
    changed = torch.stack([(a != b).any(dim=1) for a, b in pairwise(seen[300:401])])
    assert changed.flatten(2).float().sum(dim=2).mean() < 40, "a move touches few of the 63 pixels"
    assert changed.any(dim=0).float().mean() > 0.95, "a hundred moves touch nearly all pixels"


def test_any_callable_without_gradients():
    weight = np.random.default_rng(0).normal(size=(126, 10))

    def black_box(images: Tensor) -> Tensor:
        return torch.from_numpy(images.flatten(1).numpy().astype(np.float64) @ weight)

    labels = black_box(IMAGES).argmax(dim=1)
    found = square_margin_attack(black_box, IMAGES, labels, eps=0.05, n_queries=60)
    clean = signed_margin(layer_norm(black_box(IMAGES)), labels)
    assert (found.margin < clean).all()
    assert not found.correct.all()


def test_batches_and_shards_change_nothing():
    whole = attack(eps=0.03)
    small = attack(eps=0.03, batch_size=5)
    torch.testing.assert_close(small.margin, whole.margin, rtol=0, atol=1e-5)
    order = torch.arange(N).flip(0)
    shard = square_margin_attack(MODEL, IMAGES[order], LABELS[order], eps=0.03, n_queries=60, indices=order)
    torch.testing.assert_close(shard.margin[order], whole.margin, rtol=0, atol=1e-5)


def test_seeds():
    first, again, other = (attack(eps=0.03, seed=seed) for seed in (4, 4, 5))
    assert torch.equal(first.images, again.images)
    assert not torch.equal(first.images, other.images)


@both
def test_as_strong_as_the_librarys_and_near_mmaa(norm):
    rob = load_digits_models()[1].requires_grad_(False)
    images, labels = (part[:80] for part in load_digits_split()[1])
    images, eps = images.float(), {"Linf": DIGITS_EPS, "L2": 0.5}[norm]
    found = square_margin_attack(rob, images, labels, norm=norm, eps=eps, n_queries=400)
    theirs = attack_library().autoattack.SquareAttack(
        rob, norm=norm, eps=eps, n_queries=400, p_init=0.8, resc_schedule=False, seed=0
    )
    with torch.random.fork_rng():
        right = int((rob(theirs.perturb(images, labels)).argmax(dim=1) == labels).sum())
    white = minimum_margin_attack(rob, images, labels, norm=norm, eps=eps, n_iter=20)
    assert int(found.correct.sum()) <= right + 1
    assert int(found.correct.sum()) <= int(white.correct.sum()) + 4


def test_progress_reaches_the_end_and_may_cancel():
    calls: list[tuple[int, int]] = []
    attack(eps=0.03, n_queries=5, batch_size=10, progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (5 * N, 5 * N)
    assert [done for done, _ in calls] == sorted({done for done, _ in calls})

    def cancel(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attack(eps=0.03, progress=cancel)


@pytest.mark.parametrize(("query", "size"), [(0, 29), (10, 29), (11, 20), (50, 20), (51, 14), (9000, 1)])
def test_the_published_schedule(query, size):
    assert square_size(query, 32, 32) == size


def test_never_larger_than_the_image():
    assert square_size(0, 4, 40) == 4


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 2, 5), (1, 16, 4)])
@both
def test_odd_shapes(norm, shape):
    images = torch.rand(4, *shape, generator=torch.Generator().manual_seed(0))
    model = network(*shape)
    found = square_margin_attack(
        model, images, torch.zeros(4, dtype=torch.long), norm=norm, eps=0.2, n_queries=20
    )
    assert found.images.shape == images.shape
    assert found.images.isfinite().all()
    assert (make_ball(norm, 0.2).distance(found.images, images) <= 0.2 + 1e-6).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_queries": 0}, "n_queries must be an integer of at least 1, got 0"),
        ({"norm": "L1"}, "norm must be one of Linf, L2"),
        ({"eps": -1}, r"eps must be a number in \(0, inf\)"),
        ({"seed": -1}, "seed must"),
        ({"ln_k": 1}, "ln_k must"),
    ],
)
def test_refusals(change, message):
    with pytest.raises(ParameterError, match=message):
        attack(**({"eps": 0.03} | change))

"""APGD against the attack library's own: same start, same steps, same iterates."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from pyautoattack.autopgd_base import APGDAttack, APGDAttack_targeted
from torch import Tensor, nn

from mnuts_core.attacks.apgd import apgd, checkpoint_steps, of_examples
from mnuts_core.attacks.losses import cross_entropy, targeted_dlr
from mnuts_core.attacks.norms import make_ball

EPS = {"Linf": 0.1, "L2": 0.7}


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(192, 48), nn.Tanh(), nn.Linear(48, 48))
        self.skip, self.head = nn.Linear(192, 48), nn.Linear(48, 10)

    def forward(self, images: Tensor) -> Tensor:
        flat = images.flatten(1)
        return self.head(torch.tanh(self.skip(flat) + self.inner(flat)))


def network(kind: str) -> nn.Module:
    torch.manual_seed(3)
    conv = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 16, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(256, 10),
    )
    model = conv if kind == "conv" else Residual()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2.5)
    return model.eval()


class Recorder:
    """A model that remembers where it was called with a gradient."""

    def __init__(self, model: nn.Module) -> None:
        self.model, self.seen = model, []

    def __call__(self, images: Tensor) -> Tensor:
        if images.requires_grad:
            self.seen.append(images.detach().clone())
        return self.model(images)


def both(kind: str, norm: str, loss: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The iterates of ours and the library's, and the best points of both."""
    model = network(kind)
    generator = torch.Generator().manual_seed(5)
    images = torch.rand((24, 3, 8, 8), generator=generator)
    ranking = model(images).argsort(dim=1)
    labels, targets = ranking[:, -1], ranking[:, -3]
    ball = make_ball(norm, EPS[norm])
    start = ball.start(images, ball.noise(images.shape, generator).float())

    recorder = Recorder(model)
    if loss == "targeted-dlr":
        library = APGDAttack_targeted(recorder, n_iter=100, norm=norm, eps=ball.eps, device="cpu")
        library.y_target = targets
        ours = of_examples(targeted_dlr, labels, targets)
    else:
        library = APGDAttack(recorder, n_iter=100, norm=norm, eps=ball.eps, loss="ce", device="cpu")
        ours = of_examples(cross_entropy, labels)
    library.init_hyperparam(images)
    theirs = library.attack_single_run(images, labels, x_init=start)

    iterates: list[Tensor] = []
    best = apgd(
        model, ours, images, start, ball=ball, n_iter=100, watch=lambda points, *_: iterates.append(points)
    )
    return torch.stack(iterates), torch.stack(recorder.seen), best.points, theirs[0]


@pytest.mark.parametrize("loss", ["ce", "targeted-dlr"])
@pytest.mark.parametrize("norm", ["Linf", "L2"])
@pytest.mark.parametrize("kind", ["conv", "residual"])
def test_follows_the_library_step_by_step(kind: str, norm: str, loss: str) -> None:
    ours, theirs, our_best, their_best = both(kind, norm, loss)
    assert ours.shape == theirs.shape == (101, 24, 3, 8, 8)
    assert (ours[1:] - ours[:-1]).abs().amax(dim=(2, 3, 4)).max() > 0.01, "nothing moved"
    torch.testing.assert_close(ours, theirs, rtol=0, atol=2e-6)
    torch.testing.assert_close(our_best, their_best, rtol=0, atol=2e-6)


def test_best_is_the_largest_loss_that_was_watched() -> None:
    model = network("conv")
    images = torch.rand(8, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    labels = model(images).argmax(dim=1)
    losses: list[Tensor] = []
    best = apgd(
        model,
        of_examples(cross_entropy, labels),
        images,
        images,
        ball=make_ball("Linf", 0.05),
        n_iter=20,
        watch=lambda _, logits, rows: losses.append(cross_entropy(logits, labels)),
    )
    assert len(losses) == 21
    torch.testing.assert_close(best.loss, torch.stack(losses).amax(dim=0), rtol=0, atol=0)
    torch.testing.assert_close(cross_entropy(model(best.points), labels).detach(), best.loss)
    assert (best.loss > losses[0]).all()


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_examples_that_leave_do_not_disturb_the_others(norm: str) -> None:
    model = network("residual").double()  # in float32 another batch size rounds otherwise, and signs turn
    images = torch.rand(16, 3, 8, 8, generator=torch.Generator().manual_seed(1)).double()
    labels = model(images).argmax(dim=1)
    ball, sizes, loss = make_ball(norm, EPS[norm]), [], of_examples(cross_entropy, labels)

    def only_even(points: Tensor, logits: Tensor, rows: Tensor) -> Tensor | None:
        sizes.append(len(rows))
        return rows % 2 == 0 if len(sizes) > 5 else None

    whole = apgd(model, loss, images, images, ball=ball, n_iter=30)
    shrunk = apgd(model, loss, images, images, ball=ball, n_iter=30, watch=only_even)
    assert sizes == [16] * 6 + [8] * 25
    torch.testing.assert_close(shrunk.points[::2], whole.points[::2], rtol=0, atol=1e-9)
    torch.testing.assert_close(shrunk.loss[::2], whole.loss[::2])
    early = apgd(model, loss, images, images, ball=ball, n_iter=5)  # what the others had found until then
    assert (shrunk.loss[1::2] <= whole.loss[1::2]).all()
    assert (shrunk.loss[1::2] >= early.loss[1::2] - 1e-5).all()


def test_it_ends_when_nobody_is_left() -> None:
    model, calls = network("conv"), []
    images = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(2))

    def nobody(points: Tensor, logits: Tensor, rows: Tensor) -> Tensor:
        calls.append(len(rows))
        return torch.zeros(len(rows), dtype=torch.bool)

    labels = model(images).argmax(dim=1)
    best = apgd(
        model,
        of_examples(cross_entropy, labels),
        images,
        images,
        ball=make_ball("Linf", 0.05),
        n_iter=50,
        watch=nobody,
    )
    assert calls == [4]
    assert torch.equal(best.points, images)


@pytest.mark.parametrize(("n_iter", "first"), [(100, 22), (50, 11), (10, 2), (1, 1)])
def test_checkpoints_come_ever_closer(n_iter: int, first: int) -> None:
    steps = list(checkpoint_steps(n_iter))
    gaps = [b - a for a, b in pairwise([0, *steps])]
    assert steps[0] == first
    assert gaps == sorted(gaps, reverse=True)
    assert all(gap >= 1 for gap in gaps)
    assert steps[-1] <= n_iter


def test_a_constant_model_stays_inside_the_ball() -> None:
    images = torch.full((2, 1, 4, 4), 0.5)
    best = apgd(
        lambda x: x.flatten(1)[:, :3] * 0.0,
        of_examples(targeted_dlr, torch.tensor([0, 1]), torch.tensor([1, 2])),
        images,
        images,
        ball=make_ball("L2", 0.1),
        n_iter=10,
    )
    assert best.points.isfinite().all()
    torch.testing.assert_close(best.points, images)

"""Norms: starts, steps and projections stay where they must; losses against hand-computed values."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from mnuts_core.attacks.losses import cross_entropy, targeted_dlr
from mnuts_core.attacks.norms import make_ball
from mnuts_core.errors import ParameterError

GENERATOR = torch.Generator().manual_seed(0)
IMAGES = torch.rand(50, 3, 6, 6, generator=GENERATOR, dtype=torch.float64)


@pytest.mark.parametrize(("norm", "eps"), [("Linf", 0.1), ("L2", 0.8)])
def test_start_lies_on_the_sphere_cut_with_the_box(norm: str, eps: float) -> None:
    ball = make_ball(norm, eps)
    start = ball.start(IMAGES, ball.noise(IMAGES.shape, torch.Generator().manual_seed(1)))
    assert start.min() >= 0
    assert start.max() <= 1
    assert (ball.distance(start, IMAGES) <= eps * (1 + 1e-9)).all()
    inner = torch.full_like(IMAGES, 0.5)
    free = make_ball(norm, 0.3)
    start = free.start(inner, free.noise(inner.shape, torch.Generator().manual_seed(1)))
    torch.testing.assert_close(free.distance(start, inner), torch.full((50,), 0.3, dtype=torch.float64))


@pytest.mark.parametrize(("norm", "eps"), [("Linf", 0.1), ("L2", 0.8)])
def test_projection_lands_inside_and_is_idempotent(norm: str, eps: float) -> None:
    ball = make_ball(norm, eps)
    far = IMAGES + torch.randn(IMAGES.shape, generator=GENERATOR, dtype=torch.float64)
    near = ball.project(far, IMAGES)
    assert (ball.distance(near, IMAGES) <= eps * (1 + 1e-9)).all()
    assert near.min() >= 0
    assert near.max() <= 1
    torch.testing.assert_close(ball.project(near, IMAGES), near, rtol=0, atol=1e-12)
    inside = (IMAGES + 1e-3).clamp_max(1.0)
    torch.testing.assert_close(ball.project(inside, IMAGES), inside, rtol=0, atol=1e-12)


def test_linf_projection_by_hand() -> None:
    image = torch.tensor([[[[0.05, 0.5, 0.95]]]])
    point = torch.tensor([[[[-1.0, 0.9, 2.0]]]])
    expected = torch.tensor([[[[0.0, 0.6, 1.0]]]])
    torch.testing.assert_close(make_ball("Linf", 0.1).project(point, image), expected)


def test_l2_projection_by_hand() -> None:
    image, point = torch.full((1, 1, 1, 2), 0.5), torch.tensor([[[[0.8, 0.9]]]])
    expected = torch.tensor([[[[0.53, 0.54]]]])  # (.3, .4) has length .5; shortened to .05
    torch.testing.assert_close(make_ball("L2", 0.05).project(point, image), expected)


def test_directions_have_length_one_and_zero_stays_zero() -> None:
    gradient = torch.randn(4, 3, 5, 5, generator=GENERATOR)
    assert set(make_ball("Linf", 1).direction(gradient).unique().tolist()) == {-1.0, 1.0}
    length = make_ball("L2", 1).direction(gradient).flatten(1).norm(dim=1)
    torch.testing.assert_close(length, torch.ones(4))
    for norm in ("Linf", "L2"):
        assert not make_ball(norm, 1).direction(torch.zeros(2, 1, 2, 2)).any()


@pytest.mark.parametrize("eps", [0, -1, math.inf, math.nan, "8/255", True])
def test_eps_must_be_positive(eps: object) -> None:
    with pytest.raises(ParameterError, match=r"eps must be a number in \(0, inf\)"):
        make_ball("Linf", eps)  # type: ignore[arg-type]


def test_unknown_norm() -> None:
    with pytest.raises(ParameterError, match="norm must be one of Linf, L2, got 'L1'"):
        make_ball("L1", 1.0)  # type: ignore[arg-type]


LOGITS = torch.tensor([[4.0, 1.0, 3.0, 0.0], [1.0, 2.0, 5.0, 3.0]], dtype=torch.float64)
LABELS = torch.tensor([0, 1])


def test_losses_by_hand() -> None:
    # Row 0: right, target 1, sorted 4 3 1 0. Row 1: wrong, y = 2, target 3, sorted 5 3 2 1.
    targets = torch.tensor([1, 3])
    expected = torch.tensor([-(4 - 1) / (4 - 0.5), -(2 - 3) / (5 - 1.5)], dtype=torch.float64)
    torch.testing.assert_close(targeted_dlr(LOGITS, LABELS, targets), expected)
    torch.testing.assert_close(
        cross_entropy(LOGITS, LABELS), -F.log_softmax(LOGITS, 1)[torch.arange(2), LABELS]
    )


def test_dlr_ignores_shift_and_scale() -> None:
    targets = torch.tensor([1, 3])
    other = 7.0 * LOGITS - 100.0
    torch.testing.assert_close(targeted_dlr(other, LABELS, targets), targeted_dlr(LOGITS, LABELS, targets))


def test_few_classes() -> None:
    two, three = torch.tensor([[3.0, 1.0]]), torch.tensor([[3.0, 2.0, 0.0]])
    label, target = torch.tensor([0]), torch.tensor([1])
    assert targeted_dlr(two, label, target).item() == -2.0
    assert targeted_dlr(three, label, target).item() == pytest.approx(-1 / 3)


def test_equal_logits_are_finite() -> None:
    flat = torch.zeros(1, 5, requires_grad=True)
    assert targeted_dlr(flat, torch.tensor([0]), torch.tensor([1])).isfinite().all()

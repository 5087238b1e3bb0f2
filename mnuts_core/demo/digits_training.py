"""Training the demo's networks: plain, or against PGD, the same to the last bit from the same seed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mnuts_core.attacks.norms import Ball
from mnuts_core.demo.augment import one_cycle, random_crops
from mnuts_core.models.inputs import Progress

PEAK = 0.2
"""Share of the training over which the learning rate grows."""


@dataclass(frozen=True)
class Recipe:
    """How a network is trained: SGD with Nesterov momentum, a rate that warms up and then falls to 0.

    Attributes:
        width: Size of the network, see `DigitsNet`.
        hidden: Size of the network, see `DigitsNet`.
        epochs: Passes over the training images.
        rate: Largest learning rate.
        ball: Train against PGD in this ball, or None to train on the images as they are.
        pgd_steps: Steps of PGD, each of length 2.5 ε / steps.
        ramp: Share of the training over which ε grows from 0 to its full size.
        shift: Move each image by up to this many pixels, at random.
        batch_size: Images a step.
        weight_decay: Coefficient of the ℓ2 penalty.
    """

    width: int
    hidden: int
    epochs: int
    rate: float
    ball: Ball | None = None
    pgd_steps: int = 7
    ramp: float = 0.5
    shift: int = 0
    batch_size: int = 50
    weight_decay: float = 1e-4


@contextmanager
def reproducible(seed: int) -> Iterator[None]:
    """Run a block so that it computes the same bits each time, on other machines as far as possible.

    One thread, deterministic algorithms, the global generator seeded; all of it is set back afterwards.
    Compute in float64 inside: oneDNN, which picks its kernels by the CPU's type, then has no part in it,
    and what other libraries round differently from CPU to CPU lies far below the float32 that is stored.

    Args:
        seed: Seed of torch's global generator.
    """
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
        torch.set_rng_state(state)
        torch.set_num_threads(threads)


def train(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    recipe: Recipe,
    *,
    seed: int,
    progress: Progress | None = None,
) -> nn.Module:
    """Train a network in place on cross-entropy, by the recipe.

    Args:
        network: Images → logits, in the images' dtype.
        images: Shape (N, C, H, W), in [0, 1]; float64 keeps machines closest to each other.
        labels: Shape (N,), int64.
        recipe: How to train.
        seed: Seed of the order, the shifts and PGD's random starts.
        progress: Called with (steps done, steps in all) after each step.

    Returns:
        The same network.
    """
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.SGD(
        network.parameters(), lr=0.0, momentum=0.9, nesterov=True, weight_decay=recipe.weight_decay
    )
    total = recipe.epochs * math.ceil(len(images) / recipe.batch_size)
    done = 0
    for _ in range(recipe.epochs):
        for rows in torch.split(torch.randperm(len(images), generator=generator), recipe.batch_size):
            batch = shifted(images[rows], recipe.shift, generator)
            if recipe.ball is not None:
                share = min(1.0, (done + 1) / (recipe.ramp * total))
                ball = replace(recipe.ball, eps=share * recipe.ball.eps)
                batch = pgd(network, batch, labels[rows], ball, recipe.pgd_steps, generator)
            optimizer.param_groups[0]["lr"] = recipe.rate * one_cycle(done / total, PEAK)
            optimizer.zero_grad()
            torch.autograd.backward(F.cross_entropy(network(batch), labels[rows]))
            optimizer.step()
            done += 1
            if progress is not None:
                progress(done, total)
    return network


def shifted(images: Tensor, reach: int, generator: torch.Generator) -> Tensor:
    """Each image moved by a random whole number of pixels in [-reach, reach] each way; zeros move in."""
    if reach == 0:
        return images
    return random_crops(F.pad(images, (reach,) * 4), reach, generator)


def pgd(
    network: nn.Module, images: Tensor, labels: Tensor, ball: Ball, steps: int, generator: torch.Generator
) -> Tensor:
    """Projected gradient ascent on cross-entropy (Madry et al., 2018), as adversarial training uses it.

    Args:
        network: Images → logits.
        images: Shape (N, C, H, W), in [0, 1].
        labels: Shape (N,), int64.
        ball: Allowed perturbations.
        steps: How many steps, each of length 2.5 ε / steps.
        generator: Source of the random starts.

    Returns:
        Perturbed images inside the ball, same shape and dtype, detached.
    """
    points = ball.start(images, ball.noise(images.shape, generator).to(images.dtype))
    for _ in range(steps):
        points.requires_grad_()
        loss = F.cross_entropy(network(points), labels, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, points)
        step = 2.5 * ball.eps / steps * ball.direction(gradient)
        points = ball.project(points.detach() + step, images)
    return points

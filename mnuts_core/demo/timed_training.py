"""Training by the clock: as many steps as a time allows, plain or against perturbations, weights averaged.

The learning rate's cycle, the perturbations' growth and the change from one robust loss to the other follow
the share of the time, or of the epochs, that is gone: what ends first ends the training. On a GPU everything
stays there: images, augmentation, random numbers.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from mnuts_core.demo.augment import one_cycle, with_holes
from mnuts_core.demo.checkpoints import resume_training, save_training
from mnuts_core.demo.cifar10_training import FLOOR, augmented, nesterov, one_step
from mnuts_core.models.inputs import Precision, Progress, in_precision

PEAK = 0.2
"""Share of the training over which the learning rate grows."""
REACH = 1.25
"""By this factor the steps of PGD together are longer than ε."""


@dataclass(frozen=True)
class TimedRecipe:
    """How a network is trained: SGD with Nesterov momentum 0.9, one cycle of the learning rate.

    Attributes:
        seconds: Time for it, interruptions not counted.
        epochs: Passes over the training images at most.
        rate: Largest learning rate.
        batch_size: Images a step.
        eps: ℓ∞ radius of the perturbations trained against, in units where pixels span [0, 1]; 0 for none.
        ramp: Share of the training over which the radius grows.
        trades_from: Until this share of the training, one-step perturbations and cross-entropy (N-FGSM);
            from then on TRADES (Zhang et al., 2019).
        trades: Weight of TRADES' second term.
        pgd_steps: Steps of PGD in TRADES.
        shift: Move each image by up to this many pixels, at random (reflected at the edges).
        hole: Side of a grey square in each image; 0 for none.
        smoothing: Label smoothing.
        weight_decay: Coefficient of the ℓ2 penalty, on the weights of convolutions and the head.
        average: How much of the averaged weights each step keeps.
    """

    seconds: float
    epochs: int
    rate: float
    batch_size: int
    eps: float = 0.0
    ramp: float = 0.1
    trades_from: float = 0.5
    trades: float = 5.0
    pgd_steps: int = 2
    shift: int = 4
    hole: int = 0
    smoothing: float = 0.1
    weight_decay: float = 5e-4
    average: float = 0.999

    def radius(self, position: float) -> float:
        """ε at a position in [0, 1] of the training."""
        return self.eps * min(1.0, position / self.ramp)


class Trained(NamedTuple):
    """What a training ends with.

    Attributes:
        networks: `averaged`, and `last`, with the weights of the last step; float32, on the CPU, in
            evaluation mode.
        epochs: Epochs begun.
        seconds: Time spent.
    """

    networks: dict[str, nn.Module]
    epochs: int
    seconds: float


def train_by_clock(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    recipe: TimedRecipe,
    *,
    seed: int,
    device: str | torch.device = "cpu",
    precision: Precision = "full",
    checkpoint: Path | None = None,
    save_every: float = 20.0,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Trained:
    """Train a network until the recipe's time or epochs are gone.

    Args:
        network: Where to start; changed in place. What does not require gradients stays.
        images: uint8, shape (N, 3, 32, 32).
        labels: int64, shape (N,).
        recipe: How to train.
        seed: Seed of order, augmentation and perturbations. Where the time ends a training, the outcome
            depends on the machine's speed, too.
        device: Where to train.
        precision: `"full"`: float32. `"bfloat16"`: convolutions run in it, by autocast.
        checkpoint: File that holds the state after an epoch; training goes on from there if it exists.
        save_every: So many seconds lie between two writings of it at least.
        progress: Called after each epoch with (thousandths of the training done, 1000).
        clock: Gives the time in seconds.

    Returns:
        Both sets of weights.

    Raises:
        MnutsError: If the checkpoint is of another training.
    """
    run = _Run(network, recipe, torch.device(device), precision)
    identity = json.dumps(asdict(recipe) | {"seed": seed, "precision": precision}, sort_keys=True)
    epoch, spent = run.resume(checkpoint, identity)
    images, labels = images.to(device), labels.to(device)
    begun, saved = clock() - spent, clock()
    while epoch < recipe.epochs and clock() - begun < recipe.seconds:
        generator = torch.Generator(device).manual_seed(1_000_003 * (seed + 1) + epoch)
        order = torch.randperm(len(images), generator=generator, device=device)
        whole = len(order) // recipe.batch_size * recipe.batch_size
        batches = torch.split(order[:whole], recipe.batch_size)
        for step, rows in enumerate(batches):
            position = max((epoch + step / len(batches)) / recipe.epochs, (clock() - begun) / recipe.seconds)
            if position >= 1.0:
                break
            with torch.backends.cudnn.flags(enabled=True, benchmark=True):  # all batches have one shape
                run.step(images[rows], labels[rows], position, generator)
        epoch += 1
        if progress is not None:
            done = max(epoch / recipe.epochs, (clock() - begun) / recipe.seconds)
            progress(round(1000 * min(done, 1.0)), 1000)
        if checkpoint is not None and clock() - saved >= save_every:
            run.save(checkpoint, identity, epoch, clock() - begun)
            saved = clock()
    spent = clock() - begun
    if checkpoint is not None:
        run.save(checkpoint, identity, epoch, spent)
    networks = {"averaged": run.averaged.module, "last": run.network}
    return Trained({name: made.cpu().eval() for name, made in networks.items()}, epoch, spent)


class _Run:
    """A training under way: the network, its averaged twin, the optimizer."""

    def __init__(
        self, network: nn.Module, recipe: TimedRecipe, device: torch.device, precision: Precision
    ) -> None:
        self.recipe, self.precision = recipe, precision
        self.network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model = in_precision(self.network, precision, device)
        averaged = get_ema_multi_avg_fn(recipe.average)  # type: ignore[no-untyped-call]
        self.averaged = AveragedModel(self.network, multi_avg_fn=averaged, use_buffers=True)
        self.optimizer = nesterov(self.network, recipe.rate, recipe.weight_decay)
        self.network.train()

    @property
    def _networks(self) -> dict[str, nn.Module]:
        return {"net": self.network, "average": self.averaged.module}

    def resume(self, path: Path | None, identity: str) -> tuple[int, float]:
        """Go on from a checkpoint, if there is one: epochs and seconds that are behind it."""
        state = resume_training(path, self._networks, self.optimizer, identity)
        if state:
            self.averaged.n_averaged.fill_(1)  # else the first update would copy the weights
        return int(state.get("epoch", 0)), state.get("seconds", 0.0)

    def save(self, path: Path, identity: str, epoch: int, seconds: float) -> None:
        """Write a checkpoint."""
        save_training(path, self._networks, self.optimizer, identity, epoch=epoch, seconds=seconds)

    def step(self, images: Tensor, labels: Tensor, position: float, generator: torch.Generator) -> None:
        """One step on a batch of uint8 images, at a position in [0, 1) of the training."""
        recipe = self.recipe
        batch = with_holes(augmented(images, recipe.shift, generator), recipe.hole, generator)
        radius = recipe.radius(position)
        trades = radius > 0 and position >= recipe.trades_from
        if trades:
            points = self._far_from(batch, radius, generator)
        elif radius:
            batch = one_step(self.network, batch, labels, radius, generator, self.precision)
        for group in self.optimizer.param_groups:
            group["lr"] = recipe.rate * one_cycle(position, PEAK, FLOOR)
        self.optimizer.zero_grad()
        logits = self._logits(batch)
        loss = F.cross_entropy(logits, labels, label_smoothing=recipe.smoothing)
        if trades:
            loss = loss + recipe.trades * _divergence(logits, self._logits(points), "batchmean")
        torch.autograd.backward(loss)
        self.optimizer.step()
        self.averaged.update_parameters(self.network)

    def _far_from(self, images: Tensor, radius: float, generator: torch.Generator) -> Tensor:
        """PGD on the divergence from what the network says of the images, in evaluation mode."""
        self.network.eval()
        with torch.no_grad():
            there = self._logits(images)
        noise = torch.empty(images.shape, device=images.device).uniform_(-radius, radius, generator=generator)
        points = (images + noise).clamp(0.0, 1.0)
        length = REACH * radius / self.recipe.pgd_steps
        for _ in range(self.recipe.pgd_steps):
            points.requires_grad_()
            (gradient,) = torch.autograd.grad(_divergence(there, self._logits(points), "sum"), points)
            points = points.detach() + length * gradient.sign()
            points = torch.minimum(torch.maximum(points, images - radius), images + radius).clamp(0.0, 1.0)
        self.network.train()
        return points

    def _logits(self, images: Tensor) -> Tensor:
        return self.model(images.contiguous(memory_format=torch.channels_last))


def _divergence(there: Tensor, here: Tensor, reduction: str) -> Tensor:
    """KL(σ(there) ‖ σ(here))."""
    return F.kl_div(F.log_softmax(here, 1), F.log_softmax(there, 1), reduction=reduction, log_target=True)

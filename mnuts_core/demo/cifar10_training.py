"""Training the CIFAR-10 pair: plain, or against one-step perturbations, resumable by epoch."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mnuts_core.demo.augment import one_cycle, random_crops
from mnuts_core.demo.checkpoints import resume_training, save_training
from mnuts_core.demo.cifar10_network import CifarNet, make_network, whiten
from mnuts_core.models.inputs import Precision, Progress, in_precision

PEAK = 0.25
"""Share of the training over which the learning rate grows."""
FLOOR = 0.02
"""Share of the largest learning rate that it starts from."""


@dataclass(frozen=True)
class CifarRecipe:
    """How a network is trained: SGD with Nesterov momentum 0.9, a rate that warms up and then falls to 0.

    Attributes:
        widths: See `CifarNet`.
        epochs: Passes over the training images.
        rate: Largest learning rate.
        batch_size: Images a step.
        eps: ℓ∞ radius of the perturbations trained against, in units where pixels span [0, 1]; 0 for none.
        plain: Share of the training before perturbations begin; over a share as large again they grow.
        whitened: Whether the stem starts as `whiten` sets it.
        shift: Move each image by up to this many pixels, at random (reflected at the edges).
        smoothing: Label smoothing.
        weight_decay: Coefficient of the ℓ2 penalty, on the weights of convolutions and the head.
    """

    widths: tuple[int, int, int]
    epochs: int
    rate: float
    batch_size: int
    eps: float = 0.0
    plain: float = 0.0
    whitened: bool = False
    shift: int = 2
    smoothing: float = 0.1
    weight_decay: float = 5e-4

    def radius(self, position: float) -> float:
        """ε at a position in [0, 1) of the training."""
        if position < self.plain:
            return 0.0
        return self.eps * min(1.0, (position - self.plain) / self.plain) if self.plain else self.eps


def train_network(
    images: Tensor,
    labels: Tensor,
    recipe: CifarRecipe,
    *,
    seed: int,
    device: str = "cpu",
    precision: Precision = "full",
    start: CifarNet | None = None,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
) -> CifarNet:
    """Train a network, from scratch or from where an earlier training left it.

    Args:
        images: uint8, shape (N, 3, 32, 32).
        labels: int64, shape (N,).
        recipe: How to train.
        seed: Seed of the weights, the order, the augmentation and the perturbations' random starts.
        device: Where to train.
        precision: `"full"`: float32. `"bfloat16"`: convolutions run in it, by autocast.
        start: Network to go on from, changed in place; new weights drawn from the seed if None.
        checkpoint: File that holds the state after each epoch; training goes on from there if it exists.
        progress: Called with (steps done, steps in all).

    Returns:
        The network, float32, on the CPU, in evaluation mode.

    Raises:
        MnutsError: If the checkpoint is of another training, be it only of another precision.
    """
    network = make_network(recipe.widths, seed) if start is None else start.requires_grad_()
    if recipe.whitened:
        if start is None:
            whiten(network, images[:5000].float() / 255.0)
        network.stem.weight.requires_grad_(False)
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = nesterov(network, recipe.rate, recipe.weight_decay)
    identity = json.dumps(asdict(recipe) | {"seed": seed, "precision": precision}, sort_keys=True)
    networks = {"net": network}
    started = int(resume_training(checkpoint, networks, optimizer, identity).get("epoch", 0))
    steps = len(images) // recipe.batch_size
    network.train()
    for epoch in range(started, recipe.epochs):
        generator = torch.Generator().manual_seed(1_000_003 * (seed + 1) + epoch)
        order = torch.randperm(len(images), generator=generator)[: steps * recipe.batch_size]
        for step, rows in enumerate(torch.split(order, recipe.batch_size)):
            position = (epoch * steps + step) / (recipe.epochs * steps)
            batch = augmented(images[rows], recipe.shift, generator).to(device)
            target = labels[rows].to(device)
            if radius := recipe.radius(position):
                batch = one_step(network, batch, target, radius, generator, precision)
            for group in optimizer.param_groups:
                group["lr"] = recipe.rate * one_cycle(position, PEAK, FLOOR)
            optimizer.zero_grad()
            torch.autograd.backward(_loss(network, batch, target, recipe.smoothing, precision))
            optimizer.step()
            if progress is not None:
                progress(epoch * steps + step + 1, recipe.epochs * steps)
        if checkpoint is not None:
            save_training(checkpoint, networks, optimizer, identity, epoch=epoch + 1)
    return network.cpu().eval()


def augmented(images: Tensor, reach: int, generator: torch.Generator) -> Tensor:
    """Each image mirrored or not, and moved by a random whole number of pixels; its edges are reflected.

    Args:
        images: uint8, shape (N, C, H, W).
        reach: Moves lie in [-reach, reach] each way.
        generator: Source of the moves and mirrorings.

    Returns:
        float32 in [0, 1], same shape, channels last in memory.
    """
    padded = F.pad(images.float(), (reach,) * 4, mode="reflect") / 255.0
    return random_crops(padded, reach, generator, mirror=True)


def one_step(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    radius: float,
    generator: torch.Generator,
    precision: Precision = "full",
) -> Tensor:
    """N-FGSM (de Jorge et al., 2022): uniform noise of size ε, then one signed gradient step of size ε.

    The sum is not cut back to the ball, only to valid pixels, which keeps one-step training from failing
    suddenly ("catastrophic overfitting").

    Args:
        network: Images → logits; batch norm stays in the mode it is in.
        images: Shape (N, C, H, W), in [0, 1].
        labels: Shape (N,), int64.
        radius: ε.
        generator: Source of the noise.
        precision: Of the gradient, see `train_network`.
    """
    noise = torch.empty(images.shape, device=generator.device).uniform_(-radius, radius, generator=generator)
    points = (images + noise.to(images.device)).requires_grad_()
    for parameter in (parameters := [p for p in network.parameters() if p.requires_grad]):
        parameter.requires_grad_(False)
    (gradient,) = torch.autograd.grad(_loss(network, points, labels, 0.0, precision), points)
    for parameter in parameters:
        parameter.requires_grad_(True)
    return (points.detach() + radius * gradient.sign()).clamp(0.0, 1.0)


def _loss(
    network: nn.Module, images: Tensor, labels: Tensor, smoothing: float, precision: Precision
) -> Tensor:
    model = in_precision(network, precision, images.device)
    logits = model(images.contiguous(memory_format=torch.channels_last))
    return F.cross_entropy(logits, labels, label_smoothing=smoothing)


def nesterov(network: nn.Module, rate: float, weight_decay: float) -> torch.optim.SGD:
    """SGD with Nesterov momentum 0.9 on what is trainable; weights decay, biases and norms do not.

    Args:
        network: On the device where it is trained.
        rate: Learning rate to begin with.
        weight_decay: Coefficient of the ℓ2 penalty.
    """
    free = [parameter for parameter in network.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in free if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in free if p.ndim == 1], "weight_decay": 0.0},
    ]
    return torch.optim.SGD(groups, lr=rate, momentum=0.9, nesterov=True)

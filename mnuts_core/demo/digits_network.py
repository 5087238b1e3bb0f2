"""The demo's classifier: a small convolutional network for 8 × 8 images of one channel."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class DigitsNet(nn.Module):
    """Three 3 × 3 convolutions with ReLU, then two linear layers.

    No batch norm, no dropout: the network computes the same function in training and evaluation.

    Args:
        width: Channels of the first convolution; the others have twice as many.
        hidden: Units of the linear layer before the last.
        classes: K, the number of classes.
    """

    def __init__(self, width: int = 16, hidden: int = 64, classes: int = 10) -> None:
        super().__init__()
        self.width, self.hidden, self.classes = width, hidden, classes
        self.features = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(2 * width, 2 * width, 3, stride=2, padding=1),
            nn.ReLU(),
        )
        self.head = nn.Sequential(nn.Linear(2 * width * 4, hidden), nn.ReLU(), nn.Linear(hidden, classes))

    def forward(self, images: Tensor) -> Tensor:
        """Logits of shape (N, K) for images of shape (N, 1, 8, 8) in [0, 1]."""
        features: Tensor = self.features(images)
        logits: Tensor = self.head(features.flatten(1))
        return logits


def make_network(width: int, hidden: int, seed: int) -> DigitsNet:
    """A network with weights drawn from the seed, in float64 (He initialisation, zero biases).

    Args:
        width: See `DigitsNet`.
        hidden: See `DigitsNet`.
        seed: Seed of the weights; the global random state is neither read nor changed.
    """
    generator = torch.Generator().manual_seed(seed)
    network = DigitsNet(width, hidden).double()
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim == 1:
                parameter.zero_()
                continue
            fan_in = parameter[0].numel()
            uniform = torch.rand(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.copy_((2.0 * uniform - 1.0) * (6.0 / fan_in) ** 0.5)
    return network

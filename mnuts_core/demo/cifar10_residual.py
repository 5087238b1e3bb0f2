"""The wide CIFAR-10 pair's robust classifier: a pre-activation residual network."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mnuts_core.demo.cifar10_network import CLASSES


class ResidualNet(nn.Module):
    """A 3 × 3 stem, stages of pre-activation blocks, each stage but the first halving the image, and a head.

    PreActResNet-18 (He et al., 2016), on which short robust trainings are usually compared, is the one with
    widths (64, 128, 256, 512) and 2 blocks, but for SiLU in the place of ReLU: smooth activations make for
    better gradients in adversarial training (Xie et al., 2020).

    Args:
        widths: Channels of the stages.
        blocks: Blocks of two convolutions in each stage.
    """

    def __init__(self, widths: Sequence[int] = (64, 128, 256, 352), blocks: int = 2) -> None:
        super().__init__()
        self.widths, self.blocks = tuple(widths), blocks
        self.stem = nn.Conv2d(3, self.widths[0], 3, padding=1, bias=False)
        before, parts = self.widths[0], list[nn.Module]()
        for number, after in enumerate(self.widths):
            for block in range(blocks):
                parts.append(Block(before, after, stride=2 if number and not block else 1))
                before = after
        self.stages = nn.Sequential(*parts)
        self.norm = nn.BatchNorm2d(before)
        self.head = nn.Linear(before, CLASSES)

    @property
    def architecture(self) -> dict[str, int | tuple[int, ...]]:
        """The network's arguments."""
        return {"widths": self.widths, "blocks": self.blocks}

    def forward(self, images: Tensor) -> Tensor:
        """Logits of shape (N, 10) for images of shape (N, 3, 32, 32) in [0, 1]."""
        features = self.stages(self.stem(4.0 * images - 2.0))
        logits: Tensor = self.head(F.silu(self.norm(features)).mean(dim=(2, 3)))
        return logits


class Block(nn.Module):
    """Twice batch norm, SiLU, convolution, and the input added to what comes out.

    Args:
        before: Channels that come in.
        after: Channels that go out.
        stride: Of the first convolution.
    """

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(before)
        self.conv1 = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        plain = stride == 1 and before == after
        self.skip = None if plain else nn.Conv2d(before, after, 1, stride=stride, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """(N, before, H, W) to (N, after, H // stride, W // stride)."""
        ready = F.silu(self.norm1(features))
        skipped = features if self.skip is None else self.skip(ready)
        made: Tensor = self.conv2(F.silu(self.norm2(self.conv1(ready))))
        return made + skipped


def make_residual(widths: Sequence[int], blocks: int, seed: int) -> ResidualNet:
    """A network with first weights drawn from the seed; the global random state is set back afterwards.

    Args:
        widths: See `ResidualNet`.
        blocks: See `ResidualNet`.
        seed: Seed of the weights.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = ResidualNet(widths, blocks)
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
    return network

"""The CIFAR-10 pair's classifier: seven convolutions, small enough to be attacked on a laptop's CPU."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CLASSES = 10
STEM = 24
"""Channels of the first convolution: `whiten` fills it with 12 filters and their negatives."""
HEAD_SCALE = 1 / 8
"""Factor on the logits (Page, 2018): it keeps the softmax out of saturation while the rate is high."""


class CifarNet(nn.Module):
    """A 2 × 2 stem, three stages of two 3 × 3 convolutions, each halving the image, and a linear head.

    The form is that of the CIFAR-10 speed runs (K. Jordan, 2024, arXiv:2404.00498; D. Page, 2018): early
    max pooling, so that most of the work is done on 15 × 15 and 7 × 7 pixels.

    Args:
        widths: Channels of the three stages.
    """

    def __init__(self, widths: Sequence[int] = (64, 256, 256)) -> None:
        super().__init__()
        self.widths = tuple(widths)
        self.stem = nn.Conv2d(3, STEM, 2)
        self.stages = nn.Sequential(
            *(
                Stage(before, after)
                for before, after in zip((STEM, *self.widths[:-1]), self.widths, strict=True)
            )
        )
        self.head = nn.Linear(self.widths[-1], CLASSES, bias=False)

    @property
    def architecture(self) -> dict[str, int | tuple[int, ...]]:
        """The network's arguments."""
        return {"widths": self.widths}

    def forward(self, images: Tensor) -> Tensor:
        """Logits of shape (N, 10) for images of shape (N, 3, 32, 32) in [0, 1]."""
        features = self.stages(F.gelu(self.stem(4.0 * images - 2.0)))
        logits: Tensor = self.head(features.amax(dim=(2, 3)))
        return HEAD_SCALE * logits


class Stage(nn.Module):
    """Convolution, max pooling, batch norm, GELU; then convolution, batch norm, GELU.

    Args:
        before: Channels that come in.
        after: Channels that go out.
    """

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(after)

    def forward(self, features: Tensor) -> Tensor:
        """(N, before, H, W) to (N, after, H // 2, W // 2)."""
        features = F.gelu(self.norm1(F.max_pool2d(self.conv1(features), 2)))
        return F.gelu(self.norm2(self.conv2(features)))


def make_network(widths: Sequence[int], seed: int) -> CifarNet:
    """A network with first weights drawn from the seed: PyTorch's own for stem and head, else identities.

    Each 3 × 3 convolution starts by passing its first channels on unchanged (a Dirac filter), the rest
    random, as in the speed runs.

    Args:
        widths: See `CifarNet`.
        seed: Seed of the weights; the global random state is set back afterwards.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = CifarNet(widths)
    for module in network.stages.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.dirac_(module.weight.data[: module.in_channels])
    return network


@torch.no_grad()
def whiten(network: CifarNet, images: Tensor) -> None:
    """Set the stem so that it decorrelates 2 × 2 patches, and freeze its weight.

    The 12 eigenvectors of the patches' covariance, each divided by the root of its eigenvalue, and their
    negatives; the bias stays free. Good for accuracy in few epochs, bad for robustness: it amplifies
    what is faint in an image.

    Args:
        network: Changed in place.
        images: Shape (N, 3, 32, 32), in [0, 1]; a few thousand suffice.
    """
    patches = F.unfold(4.0 * images - 2.0, 2).movedim(1, 2).reshape(-1, 12).double()
    patches -= patches.mean(dim=0)
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    filters = (vectors / (values + 5e-3).sqrt()).T.reshape(12, 3, 2, 2)
    network.stem.weight.copy_(torch.cat([filters, -filters]))
    network.stem.weight.requires_grad_(False)

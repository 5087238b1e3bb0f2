"""The two threat models as three hooks each: random start, direction of ascent, projection.

A ball is the set of allowed points: at most ε (in units of pixels in [0, 1]) away from an image, and
inside [0, 1]. All tensors are images of shape (N, C, H, W), or anything else with examples first.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from mnuts_core.errors import ParameterError

Norm = Literal["Linf", "L2"]
NORMS: tuple[Norm, ...] = get_args(Norm)

_TINY = 1e-12
"""Added to a length before dividing by it, so that a zero vector stays zero."""


@dataclass(frozen=True)
class Ball(ABC):
    """What may be done to an image: the ε-ball of one norm, cut with [0, 1].

    Attributes:
        eps: Radius in units of pixels in [0, 1].
    """

    eps: float

    @abstractmethod
    def noise(self, shape: torch.Size, generator: torch.Generator) -> Tensor:
        """The raw random numbers of one start: float64 on the generator's device."""

    @abstractmethod
    def start(self, images: Tensor, noise: Tensor) -> Tensor:
        """The random start: a point on the sphere of radius ε in the noise's direction, cut to [0, 1]."""

    @abstractmethod
    def direction(self, gradient: Tensor) -> Tensor:
        """The step of length 1 in this norm along which the loss rises fastest."""

    @abstractmethod
    def project(self, points: Tensor, images: Tensor) -> Tensor:
        """The points brought back into the ε-ball around the images and into [0, 1]."""

    def projection(self, images: Tensor) -> Callable[[Tensor], Tensor]:
        """`project` for many points around the same images, which may overwrite the points given."""
        return partial(self.project, images=images)

    @abstractmethod
    def distance(self, points: Tensor, images: Tensor) -> Tensor:
        """The norm of the perturbations, shape (N,)."""


class LinfBall(Ball):
    """ℓ∞: each pixel moves by at most ε."""

    def noise(self, shape: torch.Size, generator: torch.Generator) -> Tensor:
        """Uniform in [-1, 1)."""
        return 2.0 * torch.rand(shape, generator=generator, dtype=torch.float64) - 1.0

    def start(self, images: Tensor, noise: Tensor) -> Tensor:
        """Scale the noise so that its largest entry is ±ε."""
        largest = _per_example(noise.abs().flatten(1).amax(dim=1), noise)
        return (images + self.eps * (noise / (largest + _TINY))).clamp(0.0, 1.0)

    def direction(self, gradient: Tensor) -> Tensor:
        """The gradient's sign."""
        return gradient.sign()

    def project(self, points: Tensor, images: Tensor) -> Tensor:
        """Cut each pixel to [x - ε, x + ε] and to [0, 1]."""
        return points.clamp(images - self.eps, images + self.eps).clamp(0.0, 1.0)

    def projection(self, images: Tensor) -> Callable[[Tensor], Tensor]:
        """`project` with the bounds of each pixel computed once."""
        low, high = ((images + change).clamp_(0.0, 1.0) for change in (-self.eps, self.eps))
        return lambda points: points.clamp_(low, high)

    def distance(self, points: Tensor, images: Tensor) -> Tensor:
        """The largest change of a pixel."""
        return (points - images).abs().flatten(1).amax(dim=1)


class L2Ball(Ball):
    """ℓ2: the root of the summed squared changes is at most ε."""

    def noise(self, shape: torch.Size, generator: torch.Generator) -> Tensor:
        """Standard normal, so that all directions are equally likely."""
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    def start(self, images: Tensor, noise: Tensor) -> Tensor:
        """Scale the noise to length ε."""
        return (images + self.eps * self.direction(noise)).clamp(0.0, 1.0)

    def direction(self, gradient: Tensor) -> Tensor:
        """The gradient divided by its length."""
        return gradient / (_per_example(_length(gradient), gradient) + _TINY)

    def project(self, points: Tensor, images: Tensor) -> Tensor:
        """Shorten the change to length ε where it is longer, then cut to [0, 1].

        The image itself lies in [0, 1], so the cut only ever shortens the change further.
        """
        change = points - images
        length = _per_example(_length(change), change).clamp_max(self.eps)
        return (images + self.direction(change) * length).clamp(0.0, 1.0)

    def distance(self, points: Tensor, images: Tensor) -> Tensor:
        """The length of the change."""
        return _length(points - images)


def make_ball(norm: Norm, eps: float) -> Ball:
    """The ball of radius ε in the given norm.

    Args:
        norm: `"Linf"` or `"L2"`.
        eps: Radius in (0, inf), in units of pixels in [0, 1] (8/255, not 8).

    Raises:
        ParameterError: If the norm is unknown or ε is not a positive finite number.

    Example:
        >>> make_ball("Linf", 8 / 255)
        LinfBall(eps=0.03137254901960784)
    """
    if norm not in NORMS:
        raise ParameterError(f"norm must be one of {', '.join(NORMS)}, got {norm!r}")
    if isinstance(eps, bool) or not isinstance(eps, (int, float)) or not math.isfinite(eps) or eps <= 0:
        raise ParameterError(f"eps must be a number in (0, inf), in units of pixels in [0, 1], got {eps!r}")
    return LinfBall(float(eps)) if norm == "Linf" else L2Ball(float(eps))


def _length(vectors: Tensor) -> Tensor:
    return vectors.square().flatten(1).sum(dim=1).sqrt()


def _per_example(values: Tensor, like: Tensor) -> Tensor:
    """Shape (N,) → (N, 1, ..., 1), to broadcast against images."""
    return values.view(-1, *(1,) * (like.ndim - 1))


def generator(*entropy: int) -> torch.Generator:
    """A generator whose stream belongs to these numbers alone.

    Args:
        *entropy: Non-negative integers, such as seed, example and attack.
    """
    state = np.random.SeedSequence(entropy).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0]) >> 1)

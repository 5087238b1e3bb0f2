"""The moves of the Square attack (Andriushchenko et al., 2020): where a search starts, what it proposes."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor

from mnuts_core.attacks.base import MinimumMargin
from mnuts_core.attacks.norms import Ball, L2Ball, generator
from mnuts_core.functional.margins import signed_margin
from mnuts_core.functional.mixing import sound
from mnuts_core.models.inputs import Model

P_INIT = 0.8
"""Share of the image that the first squares cover."""
HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
"""Queries after which the squares' share halves."""
TILES = 5
"""The ℓ2 attack starts from a grid of so many by so many bumps."""
CHUNK = 256
"""How many queries' random numbers are drawn at a time."""
_TINY = 1e-12


def search_of(ball: Ball) -> type[Search]:
    """The search that belongs to a ball's norm."""
    return L2Search if isinstance(ball, L2Ball) else LinfSearch


def square_size(query: int, height: int, width: int) -> int:
    """The side of the squares at a query: from 0.8 of the area down, at least 1, at most the image.

    Args:
        query: 0 for the first move.
        height: Of the image in pixels.
        width: Of the image in pixels.

    Example:
        >>> [square_size(query, 32, 32) for query in (0, 11, 51, 201, 4999)]
        [29, 20, 14, 10, 3]
    """
    share = P_INIT / 2 ** sum(query > at for at in HALVINGS)
    return min(max(round(math.sqrt(share * height * width)), 1), height, width)


class Draws:
    """Random numbers in [0, 1), one stream for each example.

    Args:
        seed: The attack's seed.
        indices: The examples' numbers, shape (B,).
        channels: Of the images.
        device: Where the numbers are wanted.
    """

    def __init__(self, seed: int, indices: Tensor, channels: int, device: torch.device) -> None:
        self.generators = [generator(seed, int(index)) for index in indices]
        self.width, self.device = 5 + channels, device

    def rand(self, *shape: int) -> Tensor:
        """Fresh numbers, shape (B, *shape)."""
        drawn = [torch.rand(shape, generator=generator) for generator in self.generators]
        return torch.stack(drawn).to(self.device)

    def move(self, number: int) -> Tensor:
        """The numbers of a move, shape (B, 5 + C): two places, a coin, and one for each channel."""
        if number % CHUNK == 0:
            self.chunk = self.rand(CHUNK, self.width)
        return self.chunk[:, number % CHUNK]


class Search(ABC):
    """One batch under attack. A norm is two hooks: where to start, and what to propose next.

    Args:
        model: Images → raw logits.
        attacked: Raw logits → logits whose margin counts.
        ball: Allowed perturbations.
        images: Shape (B, C, H, W).
        labels: Shape (B,).
        draws: The examples' random numbers.
    """

    def __init__(
        self, model: Model, attacked: Model, ball: Ball, images: Tensor, labels: Tensor, draws: Draws
    ) -> None:
        self.model, self.attacked, self.ball = model, attacked, ball
        self.images, self.labels, self.draws = images, labels, draws
        self.unsound = torch.zeros_like(labels, dtype=torch.bool)
        self.points = ball.project(self.start(), images)
        self.margin = self._ask(self.points)[0]

    @abstractmethod
    def start(self) -> Tensor:
        """Where the walk begins."""

    @abstractmethod
    def propose(self, size: int, draw: Tensor) -> Tensor:
        """A move of each example: its point with a square of the given size redrawn."""

    def step(self, number: int) -> None:
        """Ask about one move of each example, and make it where it lowers the margin."""
        size = square_size(number, *self.images.shape[2:])
        proposed = self.ball.project(self.propose(size, self.draws.move(number)), self.images)
        margin = self._ask(proposed)[0]
        less = margin < self.margin
        self.margin = torch.where(less, margin, self.margin)
        self.points = torch.where(_column(less), proposed, self.points)

    def result(self) -> MinimumMargin:
        """The last point of the walk, or the clean one where that has the smaller margin."""
        clean_margin, clean_logits = self._ask(self.images)
        margin, logits = self._ask(self.points)
        less = margin < clean_margin
        margin = torch.where(less, margin, clean_margin)
        return MinimumMargin(
            torch.where(_column(less), self.points, self.images),
            margin,
            torch.where(less.unsqueeze(1), logits, clean_logits),
            margin > 0,
        )

    def _ask(self, points: Tensor) -> tuple[Tensor, Tensor]:
        logits = self.model(points)
        self.unsound |= ~sound(logits)
        return signed_margin(self.attacked(logits), self.labels), logits


class LinfSearch(Search):
    """Vertical stripes at ±ε; then squares in which each channel goes to +ε or to -ε (Algorithm 2)."""

    def start(self) -> Tensor:
        """Each column of each channel at +ε or at -ε."""
        channels, _, width = self.images.shape[1:]
        return self.images + self.ball.eps * _signs(self.draws.rand(channels, 1, width))

    def propose(self, size: int, draw: Tensor) -> Tensor:
        """A square of one colour."""
        inside = _windows(self.images, size, draw[:, :2])
        coloured = self.images + self.ball.eps * _signs(draw[:, 5:])[..., None, None]
        return torch.where(inside, coloured, self.points)


class L2Search(Search):
    """A grid of bumps; then the budget of one window moves into another (Algorithm 3)."""

    def start(self) -> Tensor:
        """A grid of bumps of random sign, on the sphere."""
        channels, height, width = self.images.shape[1:]
        side = max(min(height, width) // TILES, 1)
        bump = _bump(side).to(self.images)
        signs = _signs(self.draws.rand(channels, height // side, width // side))
        tiled = torch.kron(signs.to(bump), bump)
        top, left = ((length - length // side * side) // 2 for length in (height, width))
        change = torch.zeros_like(self.images)
        change[:, :, top : top + tiled.shape[2], left : left + tiled.shape[3]] = tiled
        return self.images + self.ball.eps * self.ball.direction(change)

    def propose(self, size: int, draw: Tensor) -> Tensor:
        """Take the budget of a second window, and what is unused, into a new bump in the first."""
        size = min(max(size + 1 - size % 2, 3), *self.images.shape[2:])
        change = self.points - self.images
        first, second = (_windows(change, size, draw[:, at : at + 2]) for at in (0, 2))
        unused = (self.ball.eps**2 - change.square().sum(dim=(1, 2, 3), keepdim=True)).clamp_min(0.0)
        energy = (change * (first | second)).square().sum(dim=(2, 3), keepdim=True)
        budget = (energy + unused / change.shape[1]).sqrt()
        bump = _bump(size).to(change).expand(len(change), 1, size, size)
        bump = torch.where(_column(draw[:, 4] < 0.5), bump, bump.transpose(2, 3))
        laid = torch.zeros_like(change).masked_scatter(
            first.expand_as(change), bump.expand(-1, change.shape[1], -1, -1)
        )
        signs = _signs(draw[:, 5:])[..., None, None]
        mixed = signs * laid + _unit(change * first)
        change = torch.where(first, _unit(mixed) * budget, change.masked_fill(second, 0.0))
        return self.images + self.ball.eps * self.ball.direction(change)


def _windows(images: Tensor, size: int, places: Tensor) -> Tensor:
    """Masks (B, 1, H, W) of one square in each image, placed by numbers (B, 2) in [0, 1)."""
    inside = []
    for axis, length in enumerate(images.shape[2:]):
        first = (places[:, axis : axis + 1] * (length - size + 1)).long().clamp_max(length - size)
        at = torch.arange(length, device=images.device)
        inside.append((at >= first) & (at < first + size))
    return (inside[0].unsqueeze(2) & inside[1].unsqueeze(1)).unsqueeze(1)


def _bump(side: int) -> Tensor:
    """The ℓ2 attack's η of unit length: a positive and a negative pyramid side by side, (side, side)."""
    if side == 1:
        return torch.ones(1, 1)
    half = side // 2
    both = torch.cat([_pyramid(half, side), -_pyramid(side - half, side)])
    return both / both.square().sum().sqrt()


def _pyramid(rows: int, columns: int) -> Tensor:
    """Nested rectangles of weight 1/k², k counted from the middle outwards (section 4.2 there)."""
    row, column = torch.arange(rows), torch.arange(columns)
    away = torch.maximum((row - rows // 2).abs()[:, None], (column - columns // 2).abs())
    layers = max(rows, columns) // 2 + 1
    weights = 1.0 / torch.arange(1, layers + 1).square()
    outer: Tensor = weights.flip(0).cumsum(0).flip(0)
    return outer[away]


def _unit(change: Tensor) -> Tensor:
    """Each channel divided by its length."""
    return change / (change.square().sum(dim=(2, 3), keepdim=True).sqrt() + _TINY)


def _signs(uniform: Tensor) -> Tensor:
    return torch.where(uniform < 0.5, -1.0, 1.0)


def _column(values: Tensor) -> Tensor:
    return values.view(-1, 1, 1, 1)

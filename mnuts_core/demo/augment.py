"""What the trainings of the demo pairs share: the learning rate's cycle, random crops and holes."""

from __future__ import annotations

import torch
from torch import Tensor


def one_cycle(position: float, peak: float, floor: float = 0.0) -> float:
    """The learning rate's factor: in a line up to 1, then in a line down to 0.

    Args:
        position: Share of the training that is done, in [0, 1).
        peak: Position at which the factor is 1, in (0, 1).
        floor: Least factor on the way up.

    Example:
        >>> [one_cycle(position, peak=0.25, floor=0.02) for position in (0.0, 0.125, 0.25, 0.625)]
        [0.02, 0.5, 1.0, 0.5]
    """
    return max(position / peak, floor) if position < peak else (1.0 - position) / (1.0 - peak)


def random_crops(padded: Tensor, reach: int, generator: torch.Generator, *, mirror: bool = False) -> Tensor:
    """Each padded image cut back to its size at a random place, which moves it by up to `reach` pixels.

    Args:
        padded: Shape (N, C, H + 2 reach, W + 2 reach).
        reach: Moves are whole numbers in [-reach, reach] each way.
        generator: Source of the moves, then of the mirrorings, on the images' device.
        mirror: Whether each crop is also mirrored, left to right, with probability 1/2.

    Returns:
        Shape (N, C, H, W), same dtype, channels last in memory.
    """
    (n, _, height, width), device = padded.shape, padded.device
    offsets = torch.randint(0, 2 * reach + 1, (n, 2), generator=generator, device=device)
    rows = offsets[:, :1] + torch.arange(height - 2 * reach, device=device)
    columns = offsets[:, 1:] + torch.arange(width - 2 * reach, device=device)
    if mirror:
        mirrored = torch.rand(n, generator=generator, device=device) < 0.5
        columns = torch.where(mirrored[:, None], columns.flip(1), columns)
    everyone = torch.arange(n, device=device)[:, None, None]
    return padded[everyone, :, rows[:, :, None], columns[:, None, :]].movedim(-1, 1)


def with_holes(images: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """A grey square in each image, its centre anywhere in it (cutout; DeVries & Taylor, 2017).

    Args:
        images: Shape (N, C, H, W), in [0, 1].
        side: The square's side in pixels, even; 0 for none.
        generator: Source of the places, on the images' device.

    Example:
        >>> holes = with_holes(torch.ones(1, 1, 8, 8), 2, torch.Generator().manual_seed(0)) == 0.5
        >>> int(holes.sum()) in (1, 2, 4)
        True
    """
    if not side:
        return images
    (n, _, height, width), device = images.shape, images.device
    inside = []
    for length in (height, width):
        centre = torch.randint(0, length + 1, (n, 1), generator=generator, device=device)
        places = torch.arange(length, device=device)
        inside.append((places >= centre - side // 2) & (places < centre + side // 2))
    return images.masked_fill((inside[0][:, :, None] & inside[1][:, None, :]).unsqueeze(1), 0.5)

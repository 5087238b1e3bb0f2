"""A bundle's images, as reports show them."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from mnuts_core.bundles.bundle import LogitBundle

PICTURE = 128
"""Pixels that a small image's side is brought to."""


def data_url(pixels: NDArray[np.uint8], side: int = 0) -> str:
    """Pixels as the data URL of a PNG.

    Args:
        pixels: uint8, shape (H, W, C) with C = 1 or 3.
        side: Enlarge to about so many pixels, by whole steps, so that each stays a square.

    Example:
        >>> data_url(np.zeros((8, 8, 1), np.uint8))[:22]
        'data:image/png;base64,'
    """
    from PIL import Image

    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    times = max(1, side // max(image.size))
    buffer = io.BytesIO()
    image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST).save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def picture(bundle: LogitBundle, row: int) -> str | None:
    """One image as a data URL of a PNG; None if the bundle has none: it keeps none of further points.

    Args:
        bundle: The bundle.
        row: Its row of the engine: clean ones first, then the first attacked points, then all others.
    """
    images, place = bundle.clean_images, row
    if row >= bundle.n_clean:
        images, place = bundle.require_attacked().images, row - bundle.n_clean
    if images is None or place >= len(images) or images.shape[-1] not in (1, 3):
        return None
    return data_url(images[place], PICTURE)

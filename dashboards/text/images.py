"""A bundle's images, as the page shows them."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray


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

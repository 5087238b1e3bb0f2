"""Each clean image by M(h)'s margin, and whether g, M(h) and the mix get it right: what α decides."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnuts_core.remix.answers import Remix
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.views.margins import Array

Bools = NDArray[np.bool_]


class MarginScatter(NamedTuple):
    """The clean images, one entry each; arrays of shape (N,).

    Attributes:
        margin: M(h)'s confidence margin, in [0, 1].
        std_right: Whether g is right.
        mapped_right: Whether M(h) is.
        mix_right: Whether the mix is.
    """

    margin: Array
    std_right: Bools
    mapped_right: Bools
    mix_right: Bools


def margin_scatter(engine: RemixEngine, remix: Remix) -> MarginScatter:
    """M(h)'s margin on every clean image, with who is right there.

    Args:
        engine: The engine of the bundle.
        remix: The mix.
    """
    clean = remix.on_clean
    std_right = (engine.std_class == engine.labels).cpu().numpy()[: engine.n_clean]
    return MarginScatter(clean.margin, std_right, clean.right, clean.mix_right)

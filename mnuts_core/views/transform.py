"""The transform of one logit, and where a bundle's logits lie under it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from mnuts_core.functional.transform import transform_logits
from mnuts_core.params import MixParams
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.views.margins import Array


class TransformCurve(NamedTuple):
    """M as a function of one layer-normed logit; arrays of shape (n,).

    Attributes:
        z: Layer-normed logits.
        m: Transformed logits `s·|clamp(z + c)|^p·sgn`.
        top: Density of the largest layer-normed logit on the clean images.
        rest: Density of all other layer-normed logits.
    """

    z: Array
    m: Array
    top: Array
    rest: Array


class LogitDensity(NamedTuple):
    """Where the bundle's layer-normed logits lie: densities on a grid; arrays of shape (n,)."""

    z: Array
    top: Array
    rest: Array


def logit_density(engine: RemixEngine, ln_k: int, n: int = 121) -> LogitDensity:
    """Densities of the clean images' layer-normed logits: the largest, and all others.

    Args:
        engine: The engine of the bundle.
        ln_k: Layer norm over the ln_k largest logits; 0: raw logits.
        n: Points of the grid.
    """
    normed = engine.stages.normed(ln_k)[: engine.n_clean].double().cpu().numpy()
    low, high = np.floor(2 * np.quantile(normed[:, -1], 0.01)) / 2, np.ceil(2 * normed[:, 0].max()) / 2
    z = np.linspace(low, max(high, low + 0.5), n)  # two classes that tie are both 0
    width = z[1] - z[0]
    edges = np.concatenate([z - width / 2, [z[-1] + width / 2]])
    top, rest = (np.histogram(part, edges)[0] / part.size / width for part in (normed[:, 0], normed[:, 1:]))
    return LogitDensity(z, top, rest)


def transform_curve(density: LogitDensity, params: MixParams) -> TransformCurve:
    """M over the range of logits that the bundle has.

    Args:
        density: Where the logits lie.
        params: The transform. The logits are normed already, so its layer norm is left out.
    """
    # pairs, because a transform needs two classes at least; without layer norm each is mapped alone
    pairs = torch.from_numpy(np.stack([density.z, density.z], axis=1))
    m = transform_logits(pairs, s=params.s, p=params.p, c=params.c, clamp=params.clamp, ln_k=0)
    return TransformCurve(density.z, m[:, 0].numpy(), density.top, density.rest)

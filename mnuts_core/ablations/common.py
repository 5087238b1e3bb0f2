"""What the ablations share: the mix to look at, parts of a bundle, frames that say what they rest on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mnuts_core.ablations import ABLATIONS
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.manifest import library_versions, now
from mnuts_core.errors import ParameterError
from mnuts_core.functional.statistics import columns, share
from mnuts_core.params import MixParams
from mnuts_core.search.algorithm1 import grid_search
from mnuts_core.search.grids import GridSpec

if TYPE_CHECKING:
    import pandas as pd

PAPER_GRID = "cifar10"
"""The grid of Table 3 that is searched if none is given."""


def grid_or_paper(grid: GridSpec | None) -> GridSpec:
    """The grid, or the paper's for CIFAR-10."""
    return GridSpec.paper(PAPER_GRID) if grid is None else grid


def chosen_mix(
    bundle: LogitBundle, beta: float, grid: GridSpec | None, params: MixParams | None
) -> MixParams:
    """The mix that an ablation looks at: the one given, else the best of Algorithm 1.

    Args:
        bundle: The bundle.
        beta: Level β of the search.
        grid: Its grid; the paper's for CIFAR-10 if None.
        params: A mix with α set, instead of a search.

    Returns:
        Parameters with α.

    Raises:
        BundleError: If the bundle has no attacked part.
        ParameterError: If `params` carry no α.
    """
    bundle.require_attacked()
    if params is None:
        return grid_search(bundle, grid_or_paper(grid), beta).best.params
    if params.alpha is None:
        raise ParameterError("params must carry alpha, got None: take them from a search or a configuration")
    return params


def mix_columns(params: MixParams) -> dict[str, Any]:
    """A mix's parameters as columns."""
    return {name: getattr(params, name) for name in ("s", "p", "c", "clamp", "temperature", "alpha")}


def attacked_part(bundle: LogitBundle, chosen: NDArray[np.int64]) -> LogitBundle:
    """The bundle with all points of some of its attacked images; clean ones stay.

    Args:
        bundle: A bundle with an attacked part.
        chosen: Numbers of attacked images, at least one.
    """
    return replace(bundle, attacked=bundle.require_attacked().of_images(chosen))


def objective_columns(objective: float, n_wrong: int) -> dict[str, float | int | None]:
    """Algorithm 1's objective as columns of a data frame, with its 95 % Wilson interval.

    Args:
        objective: The share of the clean examples that h gets wrong which keep a margin ≥ q.
        n_wrong: How many such examples.
    """
    # the search's own value stays: one minus a share differs from the share in the last digit
    return columns("objective", share(round(objective * n_wrong), n_wrong)) | {"objective": objective}


def drawn(bundle: LogitBundle, n: int, seed: int) -> NDArray[np.int64]:
    """Some of the bundle's attacked images at random, as ascending numbers.

    Args:
        bundle: A bundle with an attacked part.
        n: How many, from 1 to all.
        seed: Seed of the draw.

    Raises:
        ParameterError: If there are not so many.
    """
    there = bundle.require_attacked().n_images
    if not 1 <= n <= there:
        raise ParameterError(f"n must lie in [1, {there}], the number of attacked images, got {n}")
    return np.sort(np.random.default_rng(seed).permutation(there)[:n])


def frame(
    name: str, bundle: LogitBundle, rows: Iterable[Mapping[str, Any]] | pd.DataFrame, **settings: Any
) -> pd.DataFrame:
    """Rows as a data frame whose `attrs` say what it is and what it rests on.

    Args:
        name: The ablation's name.
        bundle: The bundle it is of.
        rows: The rows.
        **settings: What was asked for, as plain JSON.
    """
    import pandas as pd

    table = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows))
    manifest, ablation = bundle.manifest, ABLATIONS[name]
    table.attrs = {
        "ablation": name,
        "paper": ablation.where,
        "title": ablation.title,
        "bundle": bundle.name,
        "digest": bundle.digest,
        "data": manifest.data.model_dump(),
        "threat": manifest.threat and manifest.threat.model_dump(),
        "attack": manifest.attack and manifest.attack.model_dump(),
        "models": {"std": manifest.std_model.spec, "rob": manifest.rob_model.spec},
        "settings": settings,
        "versions": library_versions(),
        "created": now(),
    }
    return table


def grid_words(grid: GridSpec) -> str:
    """A grid in a word or two, for a frame's settings."""
    shape = " × ".join(map(str, grid.shape))
    return f"{grid.name}, {shape}"

"""How the images that Algorithm 1 sees matter: Tables 8 and 9."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mnuts_core.ablations.common import attacked_part, drawn, frame, grid_or_paper, grid_words, mix_columns
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.errors import ParameterError
from mnuts_core.functional.statistics import columns, share_of
from mnuts_core.params import PARAMS
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.search.algorithm1 import grid_search
from mnuts_core.search.grids import GridSpec

if TYPE_CHECKING:
    import pandas as pd

PAPER_SIZES = (1000, 300, 100)
"""How many images Algorithm 1 sees in Table 9."""


def table8(
    bundle: LogitBundle,
    *,
    beta: float = PARAMS["beta"].default,
    grid: GridSpec | None = None,
    n_optimised: int | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Table 8 (D.3): accuracy on images that s, p, c, α were chosen on, and on images that they were not.

    Algorithm 1 sees a random part of the attacked images with all their points, and the same images' clean
    logits; the mix it chooses is looked at on these and on all others.

    Args:
        bundle: A bundle with at least two attacked examples.
        beta: Level β.
        grid: The grid; the paper's for CIFAR-10 if None.
        n_optimised: How many images Algorithm 1 sees; if None half of the attacked, but 1,000 at most.
        seed: Seed of the draw.

    Returns:
        Two rows, `seen` true and false: the mix's parameters, `clean`, `attacked` and `by_margin` with
        intervals and n; robust estimates are absent where no attacked example is left.
    """
    index = bundle.require_attacked().first.index
    there = len(index)
    chosen = drawn(bundle, max(1, min(1000, there // 2)) if n_optimised is None else n_optimised, seed)
    best = grid_search(attacked_part(bundle, chosen), grid_or_paper(grid), beta).best
    remix = RemixEngine(bundle).remix(best.params)
    seen_attacked = np.isin(np.arange(there), chosen)
    seen_clean = np.isin(np.arange(bundle.n_clean), index[chosen])
    images = remix.require_images()
    held, right = images.held(remix.threshold), images.mix_right
    rows = []
    for seen, clean, attacked in ((True, seen_clean, seen_attacked), (False, ~seen_clean, ~seen_attacked)):
        figures = (
            ("clean", share_of(remix.on_clean.mix_right[clean], "clean") if clean.any() else None),
            ("by_margin", share_of(held[attacked], "right by margin") if attacked.any() else None),
            ("attacked", share_of(right[attacked], "attacked") if attacked.any() else None),
        )
        row: dict[str, Any] = {"seen": seen, **mix_columns(best.params)}
        for name, figure in figures:
            row |= columns(name, figure)
        rows.append(row)
    settings = {
        "beta": beta,
        "grid": grid_words(grid_or_paper(grid)),
        "n_optimised": len(chosen),
        "seed": seed,
    }
    return frame("table8", bundle, rows, **settings)


def table9(
    bundle: LogitBundle,
    *,
    beta: float = PARAMS["beta"].default,
    grid: GridSpec | None = None,
    sizes: Sequence[int] | None = None,
    repeats: int = 3,
    seed: int = 0,
) -> pd.DataFrame:
    """Table 9 (D.3): what becomes of the mix if Algorithm 1 sees fewer images.

    The paper draws once; a draw of 100 images varies, so each size is drawn several times here.

    Args:
        bundle: A bundle with an attacked part.
        beta: Level β.
        grid: The grid; the paper's for CIFAR-10 if None.
        sizes: How many images; 1,000, 300 and 100 as far as there are so many, and all if there are fewer
            than 1,000.
        repeats: Draws of each size; one of all images is enough.
        seed: Seed of the first draw.

    Returns:
        One row a draw: `n_optimised`, `seed`, the mix's parameters, the search's `objective`, and `clean`,
        `attacked` and `by_margin` on the whole bundle, with intervals and n.
    """
    if not isinstance(repeats, int) or repeats < 1:
        raise ParameterError(f"repeats must be an integer of at least 1, got {repeats!r}")
    there = bundle.require_attacked().n_images
    if sizes is None:
        smaller = [size for size in PAPER_SIZES if size <= there]
        sizes = smaller if there >= max(PAPER_SIZES) else [there, *smaller]
    engine, cells, rows = RemixEngine(bundle), grid_or_paper(grid), []
    for size in dict.fromkeys(sizes):
        for repeat in range(1 if size == there else repeats):
            part = attacked_part(bundle, drawn(bundle, size, seed + repeat))
            best = grid_search(part, cells, beta).best
            remix = engine.remix(best.params)
            rows.append(
                {
                    "n_optimised": size,
                    "seed": seed + repeat,
                    **mix_columns(best.params),
                    "objective": best.objective,
                    **columns("clean", remix.clean),
                    **columns("by_margin", remix.by_margin),
                    **columns("attacked", remix.attacked),
                }
            )
    settings = {"beta": beta, "grid": grid_words(cells), "sizes": list(sizes), "repeats": repeats}
    return frame("table9", bundle, rows, **settings)

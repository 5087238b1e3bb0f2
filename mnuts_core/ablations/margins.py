"""Median confidence margins and margin gaps: Figures 6 and 7."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mnuts_core.ablations.common import chosen_mix, frame, grid_or_paper, grid_words, mix_columns
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.functional.statistics import Estimate, columns
from mnuts_core.functional.transform import layer_norm
from mnuts_core.params import PARAMS, MixParams
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.search.grids import GridSpec
from mnuts_core.views.margins import (
    Histogram,
    MarginHistograms,
    base_histograms,
    mix_histograms,
    split_histograms,
)
from mnuts_core.views.own_points import of_standard

if TYPE_CHECKING:
    import pandas as pd


def fig6(
    bundle: LogitBundle,
    *,
    beta: float = PARAMS["beta"].default,
    grid: GridSpec | None = None,
    params: MixParams | None = None,
) -> pd.DataFrame:
    """Fig. 6: median margins of g, h, LN h and M(h), clean and attacked, right and wrong, and the margin gap.

    Args:
        bundle: A bundle with an attacked part; attacked means each classifier at its own points.
        beta: Level of the search for M.
        grid: Its grid; the paper's for CIFAR-10 if None.
        params: M of this mix instead of a search.

    Returns:
        One row for each classifier, part (`clean`, `attacked`) and correctness (`right`): `n`,
        `median_margin`, the classifier's `margin_gap`: the median of the attacked right examples minus
        that of the clean wrong ones, and whether it was `attacked_itself` (g may be shown at h's points).
    """
    mix = chosen_mix(bundle, beta, grid, params)
    engine = RemixEngine(bundle)
    both = base_histograms(engine) | {"M(h)": mix_histograms(engine.remix(mix))}
    rows = [{"classifier": name, **row} for name, found in both.items() for row in _medians(found)]
    settings = {"mix": mix_columns(mix), "beta": beta, "grid": grid_words(grid_or_paper(grid))}
    return frame("fig6", bundle, rows, **settings)


def fig7(bundle: LogitBundle, *, others: Sequence[LogitBundle] = ()) -> pd.DataFrame:
    """Fig. 7: median margins after layer norm and the margin gap of every model of one or more bundles.

    Args:
        bundle: A bundle with an attacked part.
        others: Further ones to stand beside it.

    Returns:
        One row for each model, part and correctness as in `fig6`, with the model's clean accuracy and its
        attacked accuracy (the standard model's only where an attack on it is among the bundle's points).
    """
    rows = [row for each in (bundle, *others) for row in _model_rows(each)]
    return frame("fig7", bundle, rows, others={other.name: other.digest for other in others})


def _model_rows(bundle: LogitBundle) -> Iterator[dict[str, Any]]:
    bundle.require_attacked()
    engine, manifest = RemixEngine(bundle), bundle.manifest
    base = engine.base
    models: tuple[tuple[str, str, MarginHistograms, Estimate, Estimate | None], ...] = (
        (
            "LN g",
            manifest.std_model.spec,
            split_histograms(engine, of_standard(engine, layer_norm)),
            base.std_clean,
            base.std_attacked,
        ),
        ("LN h", manifest.rob_model.spec, base_histograms(engine)["LN h"], base.rob_clean, base.rob_attacked),
    )
    for name, spec, found, clean, attacked in models:
        about: dict[str, Any] = {"bundle": bundle.name, "classifier": name, "model": spec}
        figures = columns("clean", clean) | columns("attacked", attacked)
        about |= figures
        yield from ({**about, **row} for row in _medians(found))


def _medians(found: MarginHistograms) -> Iterator[dict[str, Any]]:
    assert found.attacked is not None  # callers asked for an attacked part
    parts: tuple[tuple[str, Histogram], ...] = (("clean", found.clean), ("attacked", found.attacked))
    for part, histogram in parts:
        for right, counts, median in (
            (True, histogram.right, histogram.median_right),
            (False, histogram.wrong, histogram.median_wrong),
        ):
            row = {"part": part, "right": right, "n": int(counts.sum()), "median_margin": median}
            yield {**row, "margin_gap": found.gap, "attacked_itself": found.attacked_itself}

"""Which plots the explorer has, what each shows of one moment, and the line under each title."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.remix.engine import Remix
from mnuts_core.search.result import GridSearchResult
from mnuts_core.views import examples, headline, margins, tradeoff, transform
from mnuts_core.views.examples import Where, example_bars, paper_bars
from mnuts_dashboards.board.board import Panel
from mnuts_dashboards.bundles.open_bundles import Opened
from mnuts_dashboards.bundles.verified import Known
from mnuts_dashboards.figures.examples import bars_figure, simplex_figure
from mnuts_dashboards.figures.layout import Figure
from mnuts_dashboards.figures.margins import histogram_figure, medians_figure
from mnuts_dashboards.figures.sensitivity import slices_figure
from mnuts_dashboards.figures.tradeoff import plane_figure
from mnuts_dashboards.figures.transform import transform_figure

PANELS = (
    Panel("plane", "Clean accuracy and accuracy under attack", span=7, height=400),
    Panel("transform", "What M does to a single logit", span=5, height=400),
    Panel("margins", "Confidence margins of the base models", span=8, height=400),
    Panel("mix_margins", "Margins of M(h)", span=4, height=400),
    Panel("slices", "Sensitivity of the objective", span=8, height=380),
    Panel("medians", "Median margins, margin gap", span=4, height=380),
    Panel("simplex", "Trajectories on the probability simplex", span=7, height=340),
    Panel("bars", "Probabilities", span=5, height=340),
)
ALL = frozenset(panel.name for panel in PANELS)


class Scene(NamedTuple):
    """One moment of the explorer: all that its plots show.

    Attributes:
        opened: The bundle.
        remix: The current mix.
        table: The headline figures.
        result: The search at hand, or None.
        frontier: Its β-frontier, or None.
        example: Part and row of the chosen example; None for the paper's two cases.
        kept: The snapshots' mixes.
        verified: Other mixes that were attacked.
    """

    opened: Opened
    remix: Remix
    table: headline.Headline
    result: GridSearchResult | None = None
    frontier: tradeoff.Frontier | None = None
    example: tuple[Where, int] | None = None
    kept: tuple[Remix, ...] = ()
    verified: tuple[Known, ...] = ()


def draw(scene: Scene, names: frozenset[str]) -> dict[str, Figure]:
    """The figures of some panels.

    Args:
        scene: The moment.
        names: Names of panels.
    """
    makers = _makers(scene)
    return {name: makers[name]() for name in names & makers.keys()}


def _makers(scene: Scene) -> dict[str, Callable[[], Figure]]:
    opened, remix, params = scene.opened, scene.remix, scene.remix.params
    histograms = cache(lambda: margins.mix_histograms(remix))  # for two panels, if either is in view
    return {
        "plane": lambda: plane_figure(
            tradeoff.plane(opened.engine, remix),
            opened.plain_curve(params.temperature),
            scene.frontier,
            scene.table,
            scene.kept,
            scene.verified,
        ),
        "transform": lambda: transform_figure(
            transform.transform_curve(opened.density(params.ln_k), params), ln=params.ln_k > 0
        ),
        "margins": lambda: histogram_figure(opened.histograms),
        "mix_margins": lambda: histogram_figure({"M(h)": histograms()}, remix.threshold),
        "slices": lambda: _slices(scene),
        "medians": lambda: medians_figure(opened.histograms, histograms()),
        "simplex": lambda: simplex_figure(_cases(scene)),
        "bars": lambda: bars_figure(_bars(scene)),
    }


def _slices(scene: Scene) -> Figure:
    if scene.result is None:
        return {"data": [], "layout": {}}
    return slices_figure(tradeoff.sensitivity(scene.result, scene.remix.params))


def _cases(scene: Scene) -> tuple[examples.SimplexCase, ...]:
    engine, params = scene.opened.engine, scene.remix.params
    if scene.example is None or engine.bundle.num_classes < 3:
        return examples.paper_cases(params)
    where, row = scene.example
    return (examples.example_case(engine, row if where == "clean" else engine.n_clean + row, params),)


def _bars(scene: Scene) -> Any:
    if scene.example is None:
        return paper_bars(scene.remix.params)
    return (example_bars(scene.opened.engine, scene.remix, *scene.example),)


def notes(bundle: LogitBundle, *, chosen: bool) -> dict[str, str]:
    """The small line under each plot's title: what it rests on.

    Args:
        bundle: The bundle.
        chosen: Whether an example of it is shown, instead of the paper's two cases.
    """
    n = f"n = {bundle.n_clean:,} clean" + (f", {bundle.n_adv:,} attacked" if bundle.n_adv else "")
    not_g = "; g was not attacked" if bundle.n_adv else ""
    case = "The chosen example's top three classes" if chosen else "The paper's two cases"
    return {
        "plane": "Solid line: margin-bound estimate. Dotted line, hollow marks: transfer estimate. "
        f"★: verified by attack. {n}",
        "transform": f"Over the logits of n = {bundle.n_clean:,} clean images",
        "margins": f"As in the paper's Table 6; LN h: layer-normed{not_g}. {n}",
        "mix_margins": "To the right of the dashed line, M(h) overrules g",
        "slices": "Objective for every grid cell at this β (Fig. 9). Darker is better; ☆ is the best, ○ the "
        "current mix. Click a cell to select it.",
        "medians": "Gap = median margin of correct attacked images minus that of misclassified clean "
        f"images (Fig. 6). g: at h's attack points. {n}",
        "simplex": f"{case}; large marks τ = 1, dots τ = 3, 0.06, 0.003 as in Fig. 4",
        "bars": f"{case}, at τ = 1, as in Fig. 3" + ("; ✓ is the label" if chosen else ""),
    }

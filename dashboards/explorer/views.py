"""The explorer's views in Python: what each plot shows of one moment, and the line under its title."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.views import examples, tradeoff, transform
from mnuts_core.views.adaptive_alpha import adaptive_points
from mnuts_core.views.examples import example_bars, paper_bars
from mnuts_dashboards.bundles.computed import base_histograms, density, plain_curve
from mnuts_dashboards.explorer.scene import Scene
from mnuts_dashboards.figures import tradeoff as plane
from mnuts_dashboards.figures.examples import bars_figure, simplex_figure
from mnuts_dashboards.figures.layout import Figure
from mnuts_dashboards.figures.margins import histogram_figure
from mnuts_dashboards.figures.medians import medians_figure
from mnuts_dashboards.figures.plots import PLOTS
from mnuts_dashboards.figures.sensitivity import slices_figure
from mnuts_dashboards.figures.template import fill
from mnuts_dashboards.figures.transform import transform_figure
from mnuts_dashboards.plotlyjs.panels import Panel


class View(NamedTuple):
    """One plot of the explorer.

    Attributes:
        panel: Its place on the board, with its name and title.
        make: Its figure at one moment.
        searched: Whether it rests on a finished search.
        numbers: Whether it shows figures of the bundle.
    """

    panel: Panel
    make: Callable[[Scene], Figure]
    searched: bool = False
    numbers: bool = True


def draw(scene: Scene, names: frozenset[str]) -> dict[str, Figure]:
    """The figures of some views.

    Args:
        scene: The moment.
        names: Names of panels.
    """
    return {name: view.make(scene) for name, view in BY_NAME.items() if name in names}


def notes(bundle: LogitBundle, *, chosen: bool) -> dict[str, str]:
    """The small line under each plot's title: what it rests on.

    Args:
        bundle: The bundle.
        chosen: Whether an example of it is shown, instead of the paper's two cases.
    """
    facts = {name: getattr(bundle, name) for name in ("n_clean", "n_adv", "n_points")}
    meta = facts | {"optimistic": bundle.manifest.optimistic}
    fields = {"meta": meta, "state": {"example": chosen}}
    return {name: fill(PLOTS[name].note, fields) for name in BY_NAME}


# --- the figures
def _plane(scene: Scene) -> Figure:
    return plane.plane_figure(
        tradeoff.plane(scene.opened.engine, scene.remix),
        plain_curve(scene.opened, scene.remix.params.temperature),
        scene.frontier,
        scene.table,
        scene.kept,
        scene.verified,
        scene.direct,
        adaptive_points(scene.opened.engine.bundle),
        scene.certified,
    )


def _transform(scene: Scene) -> Figure:
    params = scene.remix.params
    curve = transform.transform_curve(density(scene.opened, params.ln_k), params)
    return transform_figure(curve, ln=params.ln_k > 0)


def _slices(scene: Scene) -> Figure:
    if scene.result is None:
        return {"data": [], "layout": {}}
    return slices_figure(tradeoff.sensitivity(scene.result, scene.remix.params))


def _simplex(scene: Scene) -> Figure:
    engine, params = scene.opened.engine, scene.remix.params
    if scene.example is None or engine.bundle.num_classes < 3:
        return simplex_figure(examples.paper_cases(params))
    where, place = scene.example
    row = int(examples.shown_rows(engine, scene.remix, where)[place])
    return simplex_figure((examples.example_case(engine, row, params),))


def _bars(scene: Scene) -> Figure:
    if scene.example is None:
        return bars_figure(paper_bars(scene.remix.params))
    return bars_figure((example_bars(scene.opened.engine, scene.remix, *scene.example),))


VIEWS = (
    View(PLOTS["plane"].panel, make=_plane, searched=True),
    View(PLOTS["transform"].panel, make=_transform),
    View(PLOTS["margins"].panel, make=lambda scene: histogram_figure(base_histograms(scene.opened))),
    View(
        PLOTS["mix_margins"].panel,
        make=lambda scene: histogram_figure({"M(h)": scene.mix_histograms}, scene.remix.threshold),
    ),
    View(PLOTS["slices"].panel, make=_slices, searched=True),
    View(
        PLOTS["medians"].panel,
        make=lambda scene: medians_figure(base_histograms(scene.opened), scene.mix_histograms),
    ),
    View(PLOTS["simplex"].panel, make=_simplex, numbers=False),
    View(PLOTS["bars"].panel, make=_bars, numbers=False),
)
"""In reading order; the report and the notebooks' `Playground` take them from here."""

BY_NAME = {view.panel.name: view for view in VIEWS}
PANELS = tuple(view.panel for view in VIEWS)
ALL = frozenset(BY_NAME)

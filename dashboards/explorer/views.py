"""The explorer's views: what each plot shows of one moment, the line under its title, where a click leads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.search.grids import GridSpec
from mnuts_core.views import examples, tradeoff, transform
from mnuts_core.views.examples import example_bars, paper_bars
from mnuts_dashboards.board.board import BoardEvent
from mnuts_dashboards.board.panels import Panel
from mnuts_dashboards.bundles.configs import settings_of
from mnuts_dashboards.bundles.open_bundles import Opened
from mnuts_dashboards.explorer.scene import Scene
from mnuts_dashboards.explorer.state import ExplorerState
from mnuts_dashboards.figures import tradeoff as plane
from mnuts_dashboards.figures.examples import bars_figure, simplex_figure
from mnuts_dashboards.figures.layout import Figure
from mnuts_dashboards.figures.margins import histogram_figure
from mnuts_dashboards.figures.medians import medians_figure
from mnuts_dashboards.figures.plots import PLOTS
from mnuts_dashboards.figures.sensitivity import slices_figure
from mnuts_dashboards.figures.template import fill
from mnuts_dashboards.figures.transform import transform_figure

Point = Mapping[str, Any]
"""A point that was clicked, see `BoardEvent`."""


class View(NamedTuple):
    """One plot of the explorer.

    Attributes:
        panel: Its place on the board, with its name and title.
        make: Its figure at one moment.
        click: Where a click on one of its points leads; None if it leads nowhere.
        fixed: The same figure from the bundle alone, where no slider moves it.
        searched: Whether it rests on a finished search.
        numbers: Whether it shows figures of the bundle.
    """

    panel: Panel
    make: Callable[[Scene], Figure]
    click: Callable[[Point, ExplorerState, Scene], None] | None = None
    fixed: Callable[[Opened], Figure] | None = None
    searched: bool = False
    numbers: bool = True


def draw(scene: Scene, names: frozenset[str]) -> dict[str, Figure]:
    """The figures of some views.

    Args:
        scene: The moment.
        names: Names of panels.
    """
    return {name: view.make(scene) for name, view in BY_NAME.items() if name in names}


def draw_fixed(opened: Opened) -> dict[str, Figure]:
    """The figures that no slider moves, of a bundle."""
    return {name: view.fixed(opened) for name, view in BY_NAME.items() if view.fixed}


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


def follow(event: BoardEvent, state: ExplorerState, scene: Scene) -> None:
    """Go where the visitor clicked.

    Args:
        event: The click.
        state: What it moves.
        scene: What the plots show.
    """
    click = BY_NAME[event.panel].click
    if click is not None and event.points:
        click(event.points[0], state, scene)


def go_to_cell(point: Point, state: ExplorerState, grid: GridSpec) -> None:
    """Go to the cell of a slice that was clicked.

    Args:
        point: `curve` says which p, `x` is c, `y` is log₁₀ s.
        state: What it moves.
        grid: The grid of the slices.
    """
    if point["curve"] < len(grid.p):
        s = grid.s[np.abs(grid.s - 10 ** float(point["y"])).argmin()]
        c = grid.c[np.abs(grid.c - float(point["x"])).argmin()]
        state.set(s=float(s), p=float(grid.p[point["curve"]]), c=float(c))


# --- the figures
def _plane(scene: Scene) -> Figure:
    return plane.plane_figure(
        tradeoff.plane(scene.opened.engine, scene.remix),
        scene.opened.plain_curve(scene.remix.params.temperature),
        scene.frontier,
        scene.table,
        scene.kept,
        scene.verified,
        scene.direct,
    )


def _transform(scene: Scene) -> Figure:
    params = scene.remix.params
    curve = transform.transform_curve(scene.opened.density(params.ln_k), params)
    return transform_figure(curve, ln=params.ln_k > 0)


def _margins(opened: Opened) -> Figure:
    return histogram_figure(opened.histograms)


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


# --- where clicks lead
def _click_slices(point: Point, state: ExplorerState, scene: Scene) -> None:
    if scene.result is not None:
        go_to_cell(point, state, scene.result.grid)


def _click_plane(point: Point, state: ExplorerState, scene: Scene) -> None:
    """To a mix of the frontier, a snapshot, a verified mix, or along the current curve by its α."""
    trace, place = point["trace"], int(point["point"])
    if trace == plane.FRONTIER and scene.frontier is not None:
        state.take(scene.frontier.params[place].with_(alpha=None), level=True)
    elif trace == plane.DIRECT and scene.direct is not None:
        state.take(scene.direct.params[place].with_(beta=state.beta), level=True)
    elif trace == plane.SNAPSHOTS:
        state.take(state.snapshots[place], level=True)
    elif trace == plane.OTHERS:
        for known in scene.verified:  # by its number: a second click finds other places
            if known.number == point["customdata"]:
                state.take(settings_of(scene.opened.engine, known.config), level=True)
    elif trace in (plane.CURRENT, plane.CURRENT_BY_MARGIN):
        state.set(by_hand=True, alpha=float(point["customdata"]))


VIEWS = (
    View(PLOTS["plane"].panel, make=_plane, click=_click_plane, searched=True),
    View(PLOTS["transform"].panel, make=_transform),
    View(PLOTS["margins"].panel, make=lambda scene: _margins(scene.opened), fixed=_margins),
    View(
        PLOTS["mix_margins"].panel,
        make=lambda scene: histogram_figure({"M(h)": scene.mix_histograms}, scene.remix.threshold),
    ),
    View(PLOTS["slices"].panel, make=_slices, click=_click_slices, searched=True),
    View(
        PLOTS["medians"].panel,
        make=lambda scene: medians_figure(scene.opened.histograms, scene.mix_histograms),
    ),
    View(PLOTS["simplex"].panel, make=_simplex, numbers=False),
    View(PLOTS["bars"].panel, make=_bars, numbers=False),
)
"""In reading order; the explorer, its report and the notebooks' `Playground` take them from here."""

BY_NAME = {view.panel.name: view for view in VIEWS}
PANELS = tuple(view.panel for view in VIEWS)
ALL = frozenset(BY_NAME)
FIXED = frozenset(name for name, view in BY_NAME.items() if view.fixed)
"""Panels that no slider moves."""

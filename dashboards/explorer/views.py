"""The explorer's views: what each plot shows of one moment, the line under its title, where a click leads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.search.grids import GridSpec
from mnuts_core.views import examples, tradeoff, transform
from mnuts_core.views.examples import example_bars, paper_bars
from mnuts_dashboards.board.board import BoardEvent, Panel
from mnuts_dashboards.bundles.configs import settings_of
from mnuts_dashboards.bundles.open_bundles import Opened
from mnuts_dashboards.explorer.scene import Scene
from mnuts_dashboards.explorer.state import ExplorerState
from mnuts_dashboards.figures import tradeoff as plane
from mnuts_dashboards.figures.examples import bars_figure, simplex_figure
from mnuts_dashboards.figures.layout import Figure
from mnuts_dashboards.figures.margins import histogram_figure, medians_figure
from mnuts_dashboards.figures.sensitivity import slices_figure
from mnuts_dashboards.figures.transform import transform_figure

Point = Mapping[str, Any]
"""A point that was clicked, see `BoardEvent`."""


class View(NamedTuple):
    """One plot of the explorer.

    Attributes:
        panel: Its place on the board, with its name and title.
        make: Its figure at one moment.
        note: The small line under its title, which says what it rests on: of a bundle, and whether an example
            of it is chosen instead of the paper's two cases.
        click: Where a click on one of its points leads; None if it leads nowhere.
        fixed: The same figure from the bundle alone, where no slider moves it.
        searched: Whether it rests on a finished search.
        numbers: Whether it shows figures of the bundle.
    """

    panel: Panel
    make: Callable[[Scene], Figure]
    note: Callable[[LogitBundle, bool], str]
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
    return {name: view.note(bundle, chosen) for name, view in BY_NAME.items()}


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


# --- the lines under their titles
def _n(bundle: LogitBundle) -> str:
    return f"n = {bundle.n_clean:,} clean" + (f", {bundle.n_adv:,} attacked" if bundle.n_adv else "")


def _how_tight(bundle: LogitBundle) -> str:
    return "optimistic (MMAA points only)" if bundle.manifest.optimistic else "an upper bound"


def _margins_note(bundle: LogitBundle, chosen: bool) -> str:
    g = "; g: at h's points, not attacked itself" if bundle.n_adv else ""
    return f"As in the paper's Table 6; LN h: layer-normed{g}. {_n(bundle)}"


def _least(bundle: LogitBundle) -> str:
    """At which of several points an attacked image's margin is shown."""
    several = bundle.attacked is not None and bundle.attacked.further is not None
    return "; each attacked image at its point of least margin" if several else ""


def _case(chosen: bool) -> str:
    return "The chosen example's top three classes" if chosen else "The paper's two cases"


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
    View(
        Panel("plane", "Clean accuracy and accuracy under attack", span=7, height=370),
        make=_plane,
        note=lambda bundle, _: (
            f"Solid line: attacked accuracy, {_how_tight(bundle)}. Dotted: right by margin. "
            f"Dashed: all cells at every α. ★: verified by attack. {_n(bundle)}"
        ),
        click=_click_plane,
        searched=True,
    ),
    View(
        Panel("transform", "What M does to a single logit", span=5, height=370),
        make=_transform,
        note=lambda bundle, _: f"Over the logits of n = {bundle.n_clean:,} clean images",
    ),
    View(
        Panel("margins", "Confidence margins of the base models", span=8, height=400),
        make=lambda scene: _margins(scene.opened),
        note=_margins_note,
        fixed=_margins,
    ),
    View(
        Panel("mix_margins", "Margins of M(h)", span=4, height=400),
        make=lambda scene: histogram_figure({"M(h)": scene.mix_histograms}, scene.remix.threshold),
        note=lambda bundle, _: f"To the right of the dashed line, M(h) overrules g{_least(bundle)}",
    ),
    View(
        Panel("slices", "Sensitivity of the objective", span=8, height=380),
        make=_slices,
        note=lambda *_: (
            "Objective for every grid cell at this β (Fig. 9). Darker is better; ☆ is the best, ○ the "
            "current mix. Click a cell to select it."
        ),
        click=_click_slices,
        searched=True,
    ),
    View(
        Panel("medians", "Median margins, margin gap", span=4, height=380),
        make=lambda scene: medians_figure(scene.opened.histograms, scene.mix_histograms),
        note=lambda bundle, _: (
            "Gap = median margin of correct attacked images minus that of misclassified clean images "
            f"(Fig. 6). g: at h's attack points. {_n(bundle)}"
        ),
    ),
    View(
        Panel("simplex", "Trajectories on the probability simplex", span=7, height=340),
        make=_simplex,
        note=lambda _, chosen: f"{_case(chosen)}; large marks τ = 1, dots τ = 3, 0.06, 0.003 as in Fig. 4",
        numbers=False,
    ),
    View(
        Panel("bars", "Probabilities", span=5, height=340),
        make=_bars,
        note=lambda _, chosen: (
            f"{_case(chosen)}, at τ = 1, as in Fig. 3" + ("; ✓ is the label" if chosen else "")
        ),
        numbers=False,
    ),
)
"""In reading order; the explorer, its report and the notebooks' `Playground` take them from here."""

BY_NAME = {view.panel.name: view for view in VIEWS}
PANELS = tuple(view.panel for view in VIEWS)
ALL = frozenset(BY_NAME)
FIXED = frozenset(name for name, view in BY_NAME.items() if view.fixed)
"""Panels that no slider moves."""

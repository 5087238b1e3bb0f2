"""Some of the explorer's plots under some of its sliders: what the notebooks let a reader play with."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import ipywidgets as w
import numpy as np

from mnuts_core.bundles.library import default_bundle, find_bundle
from mnuts_core.errors import MnutsError, ParameterError
from mnuts_core.params import MixParams
from mnuts_core.remix.answers import Remix
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.views import headline
from mnuts_dashboards.board.board import Board
from mnuts_dashboards.board.events import BoardEvent
from mnuts_dashboards.board.panels import Panel
from mnuts_dashboards.bundles.computed import (
    draw_frontier,
    known_direct_frontier,
    known_frontier,
    search,
)
from mnuts_dashboards.bundles.open_bundles import Session
from mnuts_dashboards.explorer.scene import Scene
from mnuts_dashboards.explorer.state import DECLARED, ExplorerState
from mnuts_dashboards.explorer.views import PANELS, VIEWS, draw, notes
from mnuts_dashboards.text.messages import lines_html
from mnuts_dashboards.widgets.inputs import input_of

COLUMNS = 12
SEARCHED = frozenset(view.panel.name for view in VIEWS if view.searched)
"""Plots that rest on a finished search."""
CONTROLS = tuple(name for name, setting in DECLARED.items() if setting.values and setting.group)
"""Settings that can be among its controls."""
NUMBERLESS = frozenset(view.panel.name for view in VIEWS if not view.numbers)
"""Plots that show no figure of the bundle."""


class Playground(w.VBox):
    """Sliders above linked plots, on one bundle.

    Args:
        plots: Names of the explorer's panels (`mnuts_dashboards.explorer.views.PANELS`), in reading order.
        controls: Names among the parameters (`s`, `p`, `c`, `beta`, `alpha`, `temperature`) and `clamp`. With
            `alpha` the weight is set by hand; otherwise it follows from β.
        bundle: A bundle's name or file; the default bundle if None.
        start: Values to start from, by name: any trait of `ExplorerState`.

    Attributes:
        state: Every setting; set it from Python and the plots follow.
        engine: The engine of the bundle.
        board: The plots.

    Raises:
        ParameterError: If a plot or a control is unknown.
        BundleError: If there is no such bundle.
    """

    def __init__(
        self,
        plots: Sequence[str],
        controls: Sequence[str] = ("s", "p", "c"),
        bundle: str | os.PathLike[str] | None = None,
        **start: Any,
    ) -> None:
        known = {panel.name: panel for panel in PANELS}
        _check("plots", plots, known)
        _check("controls", controls, CONTROLS)
        path = default_bundle() if bundle is None else find_bundle(bundle)
        self._opened = Session(path).open(path.stem)
        self.engine: RemixEngine = self._opened.engine
        self.state = ExplorerState(bundle=path.stem)
        self.state.set(**start, by_hand="alpha" in controls)
        self.messages = w.HTML(layout={"width": "100%"})
        self.board = Board(_filled([known[name] for name in plots]), on_error=self._on_error)
        row = w.HBox([self._control(name) for name in controls])
        row.layout.flex_flow, row.layout.overflow = "row wrap", "visible"
        super().__init__([row, self.messages, self.board], layout={"overflow": "visible"})
        self.board.draw(self.make(frozenset(plots)), self._notes(plots))
        self.state.observe(self._refresh, names=list(ExplorerState.MIX_TRAITS))
        self.board.on_event(self._on_click, kinds=["click"])

    def _control(self, name: str) -> w.Widget:
        made = input_of(self.state, name, self._show)
        made.layout.flex, made.layout.width = "1 1 360px", "auto"
        return made

    @property
    def params(self) -> MixParams:
        """The parameters that the controls show."""
        return self.state.params

    @property
    def remix(self) -> Remix:
        """The mix with these parameters."""
        return self.engine.remix(self.params)

    def make(self, visible: frozenset[str]) -> Mapping[str, Mapping[str, Any]]:
        """Figures of the visible plots at the current settings; the line of numbers is set on the way.

        Args:
            visible: Names of plots.
        """
        try:
            scene = self._scene(visible)
            drawn = draw(scene, visible)
        except MnutsError as error:
            self._show(str(error))
            return {}
        shown = {panel["name"] for panel in self.board.panels}
        self._show(*([] if shown <= NUMBERLESS else _numbers(scene.remix)))
        return drawn

    def _scene(self, visible: Collection[str]) -> Scene:
        """The current moment, with a search where a plot rests on one; it takes a second at most, once."""
        params, grid, engine = self.params, self.state.grid, self.engine
        mix = engine.remix(params)
        result = curve = direct = None
        if SEARCHED & set(visible) and engine.bundle.n_adv:
            result = search(self._opened, params, grid)
            draw_frontier(self._opened, params, grid)
            curve = known_frontier(self._opened, params, grid)
            direct = known_direct_frontier(self._opened, params, grid)
        table = headline.headline(engine, params, mix)
        return Scene(self._opened, mix, table, result, curve, direct)

    def _notes(self, plots: Sequence[str]) -> dict[str, str]:
        lines_of = notes(self.engine.bundle, chosen=False)
        return {name: lines_of[name] for name in plots if name in lines_of}

    def _refresh(self, _: object) -> None:
        self.board.request(self.make)

    def _on_click(self, event: BoardEvent) -> None:
        """A click on a slice of the grid, over c and log₁₀ s, goes to that cell."""
        grid = self._opened.grids[self.state.grid]
        if event.panel == "slices" and event.points and event.points[0]["curve"] < len(grid.p):
            point = event.points[0]
            s = grid.s[np.abs(grid.s - 10 ** float(point["y"])).argmin()]
            c = grid.c[np.abs(grid.c - float(point["x"])).argmin()]
            self.state.set(s=float(s), p=float(grid.p[point["curve"]]), c=float(c))

    def _show(self, *lines: str) -> None:
        self.messages.value = lines_html(lines) if lines else ""

    def _on_error(self, error: Exception) -> None:
        self._show(f"Something went wrong: {error}. The last good view is shown.")


def show(figure: Mapping[str, Any], title: str, *, height: int = 340, note: str = "") -> Board:
    """One figure that stands still, drawn as the explorer draws.

    Args:
        figure: Plain Plotly JSON, as `mnuts_dashboards.figures` make it.
        title: Heading above the plot.
        height: In pixels.
        note: A small line under the title, such as n.
    """
    board = Board([Panel("figure", title, span=COLUMNS, height=height, note=note)])
    board.draw({"figure": figure})
    return board


def _filled(panels: Sequence[Panel]) -> list[Panel]:
    """The panels in rows without gaps: the last of a row takes what is left of it."""
    placed: list[Panel] = []
    used = 0
    for panel in panels:
        if placed and used + panel.span > COLUMNS:
            placed[-1] = replace(placed[-1], span=placed[-1].span + COLUMNS - used)
            used = 0
        placed.append(panel)
        used += panel.span
    placed[-1] = replace(placed[-1], span=placed[-1].span + COLUMNS - used)
    return placed


def _check(what: str, names: Sequence[str], known: Collection[str]) -> None:
    if isinstance(names, str) or not names or any(name not in known for name in names):
        raise ParameterError(f"{what} must be a list of {', '.join(known)}, got {names!r}")


def _numbers(mix: Remix) -> list[str]:
    parts = [f"α = {mix.alpha:.6g}", f"clean {mix.clean}"]
    if mix.by_margin is not None:
        parts += [f"attacked {mix.attacked}", f"right by margin {mix.by_margin}"]
    return [" · ".join(parts), *(f"⚠ {warning}" for warning in mix.warnings)]

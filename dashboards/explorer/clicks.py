"""Clicks on plots that lead to other settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mnuts_core.search.grids import GridSpec
from mnuts_dashboards.board.board import BoardEvent
from mnuts_dashboards.bundles.open_bundles import settings_of
from mnuts_dashboards.explorer.scene import Scene
from mnuts_dashboards.explorer.state import ExplorerState
from mnuts_dashboards.figures.tradeoff import PLANE_TRACES


def follow(event: BoardEvent, state: ExplorerState, scene: Scene) -> None:
    """Go where the visitor clicked: to a cell of the slices, or on the trade-off plane.

    Args:
        event: The click.
        state: What it moves.
        scene: What the plots show.
    """
    if event.points and event.panel == "slices" and scene.result is not None:
        go_to_cell(event.points[0], state, scene.result.grid)
    elif event.points and event.panel == "plane":
        _go_on_plane(event.points[0], state, scene)


def go_to_cell(point: Mapping[str, Any], state: ExplorerState, grid: GridSpec) -> None:
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


def _go_on_plane(point: Mapping[str, Any], state: ExplorerState, scene: Scene) -> None:
    """To a mix of the frontier, a snapshot, a verified mix, or along the current curve by its α."""
    trace, place = PLANE_TRACES[point["curve"]], int(point["point"])
    if trace == "frontier" and scene.frontier is not None:
        state.take(scene.frontier.params[place].with_(alpha=None), level=True)
    elif trace == "snapshots":
        state.take(state.snapshots[place], level=True)
    elif trace == "others verified":
        for known in scene.verified:  # by its number: a second click finds other places
            if known.number == point["customdata"]:
                state.take(settings_of(scene.opened, known.config), level=True)
    elif trace.startswith("current"):
        state.set(by_hand=True, alpha=float(point["customdata"]))

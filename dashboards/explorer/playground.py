"""What the notebooks' playground shows: some of the explorer's plots under some of its sliders."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from mnuts_core.errors import ParameterError
from mnuts_dashboards.explorer.page_file import explorer_settings
from mnuts_dashboards.explorer.state import DECLARED
from mnuts_dashboards.explorer.views import BY_NAME
from mnuts_dashboards.figures.catalogue import catalogue
from mnuts_dashboards.page.data import paper_points
from mnuts_dashboards.page.one_file import App

COLUMNS = 12
"""Of the grid in which plots stand."""
CONTROLS = tuple(name for name, setting in DECLARED.items() if setting.values and setting.group)
"""Settings that can be among its controls."""


def playground_app(plots: Sequence[str], controls: Sequence[str]) -> App:
    """A playground, for a page.

    Args:
        plots: Names of the explorer's plots, in reading order.
        controls: Names of settings, see `CONTROLS`; none for plots that stand as they are.

    Raises:
        ParameterError: If a plot or a control is unknown, or there is no plot.
    """
    _check("plots", plots, BY_NAME)
    if not plots:
        raise ParameterError(f"plots must name some of {', '.join(BY_NAME)}, got none")
    _check("controls", controls, CONTROLS)
    known = catalogue()
    panels = {panel["name"]: panel for panel in known["panels"]}
    return _app(
        known | {"panels": list(_filled([panels[name] for name in plots]))},
        settings=explorer_settings(),
        controls=list(controls),
        figures=bool(controls) and any(BY_NAME[name].numbers for name in plots),
        paper=paper_points(),
    )


def still_app(figure: Mapping[str, Any], title: str, height: int, note: str) -> App:
    """One figure that stands still, for a page.

    Args:
        figure: Plain Plotly JSON without arrays.
        title: Heading above the plot.
        height: In pixels.
        note: A small line under the title.
    """
    panel = {
        "name": "figure",
        "title": title,
        "span": COLUMNS,
        "height": height,
        "views": [],
        "note": note,
        "alternative": note,
        "warning": [],
        "columns": {"x": "x", "y": "y"},
        "options": [],
        "selects": False,
    }
    return _app(catalogue() | {"panels": [panel], "templates": {"figure": dict(figure)}})


def _app(shown: Mapping[str, Any], **content: Any) -> App:
    named = {panel["name"] for panel in shown["panels"]}
    templates = {name: template for name, template in shown["templates"].items() if name in named}
    return App("playground", "", "", {"catalogue": {**shown, "templates": templates}, **content})


def _filled(panels: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The panels in rows without gaps: the last of a row takes what is left of it."""
    used = 0
    for panel, following in zip(panels, [*panels[1:], None], strict=True):
        used += panel["span"]
        if following is None or used + following["span"] > COLUMNS:
            panel, used = panel | {"span": panel["span"] + COLUMNS - used}, 0
        yield panel


def _check(what: str, names: Sequence[str], known: Collection[str]) -> None:
    if isinstance(names, str) or any(name not in known for name in names):
        raise ParameterError(f"{what} must be a list of {', '.join(known)}, got {names!r}")

"""The current view as one HTML file that opens from a disk, years later, with no server and no network."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

from mnuts_core.text import escape
from mnuts_dashboards.board.board import Panel
from mnuts_dashboards.board.packing import Packer
from mnuts_dashboards.board.plotlyjs import plotly_source

TEMPLATE = Path(__file__).with_name("report.html")


class Report(NamedTuple):
    """What goes into the file; the fields that end in `html` are HTML already.

    Attributes:
        title: Of the page.
        headline_html: The headline table, with its words.
        cards_html: Further tables below the plots.
        panels: The plots in order.
        figures: Plotly JSON by the panel's name.
        notes: The line under each plot's title.
        facts: Where the numbers come from, a line each.
        commands: How to repeat it, a line each.
        config: The configuration as JSON text.
        link: The query that opens the view in the explorer.
        made: When.
    """

    title: str
    headline_html: str
    cards_html: str
    panels: Sequence[Panel]
    figures: Mapping[str, Mapping[str, Any]]
    notes: Mapping[str, str]
    facts: Sequence[str]
    commands: Sequence[str]
    config: str
    link: str
    made: str


def report_html(report: Report) -> str:
    """The whole file.

    Args:
        report: What goes into it.
    """
    packer = Packer()
    figures = {
        name: {key: packer.pack(value, binary=False) for key, value in figure.items()}
        for name, figure in report.figures.items()
    }
    plots = "".join(_plot(panel, report.notes) for panel in report.panels if panel.name in figures)
    page = Template(TEMPLATE.read_text("utf-8"))
    return page.substitute(
        title=escape(report.title),
        made=escape(report.made),
        headline=report.headline_html,
        cards=report.cards_html,
        plots=plots,
        facts="".join(f"<li>{escape(fact)}</li>" for fact in report.facts),
        commands=escape("\n".join(report.commands)),
        link=escape(report.link),
        config=escape(report.config),
        plotly=plotly_source().decode("utf-8").replace("</script", "<\\/script"),
        figures=_in_script(figures),
    )


def _plot(panel: Panel, notes: Mapping[str, str]) -> str:
    note = escape(notes.get(panel.name, panel.note))
    return (
        f"<section style='grid-column: span {panel.span}' aria-label='{escape(panel.title, quote=True)}'>"
        f"<h3>{escape(panel.title)}</h3><p class='note'>{note}</p>"
        f"<div id='{escape(panel.name, quote=True)}' style='height:{panel.height}px'></div></section>"
    )


def _in_script(value: Any) -> str:
    """JSON that may stand inside a script element."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")

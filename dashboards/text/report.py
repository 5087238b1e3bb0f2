"""The current view as one HTML file that opens from a disk, years later, with no server and no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from mnuts_dashboards.plotlyjs.library import plotly_source
from mnuts_dashboards.plotlyjs.panels import Panel
from mnuts_dashboards.plotlyjs.plain import plain_json
from mnuts_dashboards.text.scripts import json_in_script, library_in_script
from mnuts_dashboards.text.templates import ENVIRONMENT


class Report(NamedTuple):
    """What goes into the file; the fields that end in `html` are HTML already, all else is text.

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
    headline_html: Markup
    cards_html: Markup
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
    figures = plain_json(report.figures)
    return ENVIRONMENT.get_template("text/templates/report.html").render(
        title=report.title,
        made=report.made,
        headline=report.headline_html,
        cards=report.cards_html,
        panels=[panel for panel in report.panels if panel.name in figures],
        notes=report.notes,
        facts=report.facts,
        commands=report.commands,
        link=report.link,
        config=report.config,
        plotly=library_in_script(plotly_source().decode("utf-8")),
        figures=json_in_script(figures),
    )

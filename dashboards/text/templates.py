"""HTML in Jinja2 templates: whatever is filled in is escaped, unless it is HTML already (`Markup`)."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from jinja2.environment import TemplateModule
from markupsafe import Markup

from mnuts_core.text import html_templates

ENVIRONMENT = html_templates(Path(__file__).parents[1])
"""Templates are named by their path from the dashboards' folder, so that any of them may import another."""


class Texts:
    """The texts of one template: each of its macros is a piece, with the values that it needs as arguments.

    Args:
        template: Path of the file from the folder of the dashboards.

    Example:
        >>> Texts("text/templates/messages.html").html("lines", lines=["a < b"])
        Markup("<div style='line-height:1.5'>a &lt; b</div>")
    """

    def __init__(self, template: str) -> None:
        self.template = template

    @cached_property
    def _pieces(self) -> TemplateModule:
        return ENVIRONMENT.get_template(self.template).module

    def html(self, piece: str, **values: object) -> Markup:
        """A piece as HTML.

        Args:
            piece: Name of a macro.
            **values: Its arguments; text is escaped.

        Raises:
            jinja2.UndefinedError: If a value that the piece uses is missing.
            TypeError: If it has no such argument.
        """
        return Markup(getattr(self._pieces, piece)(**values)).strip()

"""The dashboards: state, figures, widgets and the server of the MixedNUTS explorer.

A notebook needs this one import: what the core exports is here, too, beside the widgets and the tables of the
paper.

Example:
    >>> import mnuts_dashboards as mnuts
    >>> mnuts.MixParams(s=2.0).s
    2.0
"""

import importlib
from typing import TYPE_CHECKING, Any

import mnuts_core

if TYPE_CHECKING:
    from mnuts_core import *  # noqa: F403
    from mnuts_dashboards.apps.explorer import Explorer
    from mnuts_dashboards.apps.lesson import Lesson
    from mnuts_dashboards.apps.playground import Playground, show
    from mnuts_dashboards.explorer.page_file import explorer_page
    from mnuts_dashboards.figures.margins import attack_figure

_HOME = {
    "Explorer": "mnuts_dashboards.apps.explorer",
    "Lesson": "mnuts_dashboards.apps.lesson",
    "Playground": "mnuts_dashboards.apps.playground",
    "show": "mnuts_dashboards.apps.playground",
    "explorer_page": "mnuts_dashboards.explorer.page_file",
    "attack_figure": "mnuts_dashboards.figures.margins",
}
"""Where each of its own names lives; its module loads when it is first used."""

__all__ = [*mnuts_core.__all__, "Explorer", "Lesson", "Playground", "attack_figure", "explorer_page", "show"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
    elif name in mnuts_core.__all__:
        value = getattr(mnuts_core, name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

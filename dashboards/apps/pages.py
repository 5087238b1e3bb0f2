"""The apps that one HTML file can hold, by the names that `mnuts page --app` takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mnuts_dashboards.compare.page_file import compare_app
from mnuts_dashboards.explorer.page_file import explorer_app
from mnuts_dashboards.lesson.page_file import lesson_app
from mnuts_dashboards.page.one_file import App

APPS: Mapping[str, Callable[..., App]] = {
    "explorer": explorer_app,
    "lesson": lesson_app,
    "compare": compare_app,
}

"""The lesson in Voilà, JupyterLab and notebooks: its state as traits, and its bundles."""

from __future__ import annotations

import os

from mnuts_dashboards.lesson.page_file import lesson_app
from mnuts_dashboards.lesson.state import LessonState, read_view, view_json
from mnuts_dashboards.page.widget import PageApp
from mnuts_dashboards.services.bundles import Bundles
from mnuts_dashboards.services.calls import serve


class Lesson(PageApp):
    """The lesson as one widget.

    Its page computes by itself and shares its state: `lesson.state.observe(...)` hears of every change, a
    moment later, and what Python sets is shown.

    Args:
        *bundles: Bundle files to offer beside the shipped ones; the first is opened.
        language: In which it begins, `en` or `de`; readers may go on in another one.
        counted: Whether the server counts what a class predicts.

    Attributes:
        state: The step, the answers, every control.

    Raises:
        BundleError: If there is no bundle that can be opened.
        ParameterError: If the lesson does not speak the language.
    """

    def __init__(self, *bundles: str | os.PathLike[str], language: str = "en", counted: bool = False) -> None:
        self._bundles = Bundles(*bundles)
        super().__init__(lesson_app(language, counted=counted), self._bundles.offered)
        self.state = LessonState(bundle=self._bundles.first)
        serve(self, self._bundles.services)
        names = self._bundles.session.names
        self.share(self.state, lambda: view_json(self.state), lambda view: read_view(view, names))

"""The comparison: bundles side by side, their best parameters, and how these carry over (Table 11, D.5)."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets as w

from mnuts_core.errors import MnutsError
from mnuts_core.views import comparison, transfer_matrix
from mnuts_dashboards.compare.controls import CompareControls
from mnuts_dashboards.compare.results import Results
from mnuts_dashboards.compare.session import CompareSession, Comparison, Settings
from mnuts_dashboards.compare.state import CompareState, read_link, write_link
from mnuts_dashboards.compare.tables import paper_gaps
from mnuts_dashboards.text.messages import banner_html, copied_text
from mnuts_dashboards.widgets.background import Cancelled, Job
from mnuts_dashboards.widgets.browser import Page
from mnuts_dashboards.widgets.heartbeat import Heartbeat
from mnuts_dashboards.widgets.landmark import Landmark
from mnuts_dashboards.widgets.styles import APPS, style_sheet
from mnuts_dashboards.widgets.undo import Navigator
from mnuts_dashboards.widgets.upload import Upload

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

STYLE = Path(__file__).with_name("compare.css")

TITLE = "Bundles side by side"

AT_FIRST = 3
"""So many bundles are compared when nobody says which."""


class Compare(w.VBox):
    """The comparison as one widget, for Voilà and JupyterLab alike.

    Args:
        *bundles: Bundle files to offer beside the shipped ones; they are compared first.

    Attributes:
        state: Every setting; set it from Python and the page follows.
        results: Its plots and tables.

    A bundle that is broken is left out, and the banner says why.

    Raises:
        BundleError: If there is no bundle at all.
    """

    def __init__(self, *bundles: str | os.PathLike[str]) -> None:
        self.session = CompareSession(*map(Path, bundles))
        self.state = CompareState(bundles=tuple(self.session.names[:AT_FIRST]))
        self._asked: Settings | None = None
        self._job: Job[Comparison] | None = None
        self._complaint: str | None = None
        self.page, self.banner = Page("compare"), w.HTML()
        self.results = Results(self.banner, save=self._download, on_error=self._on_error)
        upload = Upload((".safetensors",), "Add a bundle …", take=self.add, refuse=self._complain)
        self.controls = CompareControls(self.state, self.session.names, upload, self._complain)
        self.navigator = Navigator(
            *(self.page, self.link, self._show_link),
            lambda: self.controls.toolbar.show_steps(self.navigator),
        )
        self._assemble()
        self._connect()
        self.start()
        self.navigator.restart()

    def _assemble(self) -> None:
        body = w.HBox([self.controls, self.results]).add_class("mnuts-body")
        heading = w.HTML(f"<h1>{TITLE}</h1>")
        unseen = [style_sheet(APPS, STYLE), self.page, Landmark("main", TITLE), Heartbeat(self)]
        super().__init__([*unseen, heading, body])
        self.add_class("mnuts-app").add_class("mnuts-compare")

    def _connect(self) -> None:
        self.state.observe(self._on_state, names=list(CompareState.SETTINGS))
        self.page.on_arrive = self.navigator.arrive
        self.page.on_copied = lambda text: self.controls.show_status(copied_text(text))
        controls = self.controls
        controls.cancel.on_click(self._on_cancel)
        controls.again.on_click(lambda _: self.start())
        controls.toolbar.connect(self.navigator, self.page)
        controls.margins.on_click(lambda _: self._download("median-margins.csv", "medians"))

    # --- from Python
    @property
    def shown(self) -> Comparison | None:
        """The numbers on the page; None until the first are there."""
        return self.results.shown

    def link(self) -> str:
        """The query that opens this view, without the question mark."""
        return write_link(self.state)

    def open_link(self, query: str) -> None:
        """Take over what a link asks for; what is wrong with it stands in the banner.

        Args:
            query: The URL's query string, see `state`.
        """
        self._show_link(query)
        self.navigator.restart()

    def frames(self) -> dict[str, pd.DataFrame]:
        """The page's tables as data frames: `facts`, `medians`, `best` and `transfers`."""
        result = self.shown
        if result is None:
            return {}
        return {
            "facts": comparison.summaries_frame(result.summaries),
            "medians": comparison.medians_frame(result.medians),
            "best": transfer_matrix.best_frame(result.best),
            "transfers": transfer_matrix.transfers_frame(result.transfers),
        }

    def add(self, path: Path) -> None:
        """Offer a bundle file and compare it with those that are chosen.

        Args:
            path: The file; what is wrong with it stands in the banner.
        """
        name = self.session.add(path)
        self.controls.bundles.offer(self.session.names)
        if name in self.state.bundles:
            self.start()
        else:
            self.controls.bundles.choose(name)

    # --- computing
    def start(self) -> None:
        """Compute what is shown, in the background; the newest settings win."""
        state = self.state
        asked = Settings(state.bundles, state.beta, state.grid, state.clamp, state.alpha)
        if self._job is not None:
            self._job.cancel()
        self._asked = asked
        self.controls.computing(0.0)

        def work(progress: Callable[[float], None]) -> Comparison:
            result = self.session.compare(asked, progress)
            paper_gaps()  # reading them takes a moment, the first time
            return result

        self._job = Job(
            work,
            done=lambda result: self._on_done(asked, result),
            failed=lambda error: self._on_failed(asked, error),
            progress=lambda share: self.controls.computing(share) if asked is self._asked else None,
        ).start()

    def _on_done(self, asked: Settings, result: Comparison) -> None:
        if asked is not self._asked:
            return
        self.controls.computing(None)
        if result.refused:
            self._leave_out(result)
            return
        self._show_complaint()
        self.results.show(result)

    def _leave_out(self, result: Comparison) -> None:
        """Go on without the bundles that cannot be opened: the others are compared at once."""
        for name in result.refused:
            self.session.forget(name)
        complaints = [f"{name} is left out: {why}." for name, why in result.refused.items()]
        complaints = [*([self._complaint] if self._complaint else []), *complaints]
        self.controls.bundles.offer(self.session.names)
        self.state.bundles = result.settings.bundles
        self._complain(" ".join(complaints))

    def _on_failed(self, asked: Settings, error: Exception) -> None:
        if asked is not self._asked:
            return
        self.controls.computing(None, cancelled=isinstance(error, Cancelled))
        if isinstance(error, MnutsError):
            self._complain(str(error))
        elif not isinstance(error, Cancelled):
            self._on_error(error)

    # --- what is wrong
    def _show_complaint(self) -> None:
        self.banner.value = banner_html(self._complaint)

    def _complain(self, message: str | None) -> None:
        """Show in the banner what was wrong, until the next change; the view stays."""
        self._complaint = message
        self._show_complaint()

    # --- the visitor
    def _on_state(self, _: object) -> None:
        self._complaint = None
        self.start()
        self.navigator.note()

    def _show_link(self, query: str) -> None:
        link = read_link(query, bundles=self.session.names)
        defaults = CompareState(bundles=self.state.bundles).settings
        values = defaults | {key: value for key, value in link.values.items() if value != ()}
        self.state.set(**values)
        self._complain(" ".join(f"Link: {problem}." for problem in link.problems) or None)

    def _on_cancel(self, _: object) -> None:
        if self._job is not None:
            self._job.cancel()

    def _download(self, filename: str, name: str) -> None:
        if self.shown is not None:
            self.results.board.download(filename, self.frames()[name].to_csv(index=False), "text/csv")

    def _on_error(self, error: Exception) -> None:
        """Exceptions in callbacks vanish otherwise: show them on the page, keep the last good view."""
        log.error("the comparison could not do this", exc_info=error)
        self._complain(f"Something went wrong: {error}. The last good view is shown.")

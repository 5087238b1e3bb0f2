"""The explorer's search: Algorithm 1 in the background, and the buttons that belong to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mnuts_core.errors import MnutsError
from mnuts_core.params import MixParams
from mnuts_core.selection import GridSearchResult

from . import panels
from .controls import Controls
from .jobs import Cancelled, Job
from .session import Opened, draw_frontier, known_search, search
from .state import ExplorerState


class Searching:
    """Runs one search at a time; a new one cancels the last.

    Args:
        state: Where it takes its settings from, and puts what it finds.
        controls: Its buttons and its progress bar.
        opened: Gives the bundle that is open.
        refresh: Called when there is a result.
        refuse: Told what is wrong, in one sentence.
        failed: Called with what nobody expected.
    """

    def __init__(
        self,
        state: ExplorerState,
        controls: Controls,
        *,
        opened: Callable[[], Opened],
        refresh: Callable[[], None],
        refuse: Callable[[str], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._state, self._controls, self._opened = state, controls, opened
        self._refresh, self._refuse, self._failed = refresh, refuse, failed
        self._found: MixParams | None = None
        self._job: Job[GridSearchResult] | None = None
        state.observe(self._on_setting, names=["grid", "clamp", "ln_k"])
        controls.find.on_click(lambda _: self.start(move=True))
        controls.widen.on_click(self._on_widen)
        controls.cancel.on_click(lambda _: self._job and self._job.cancel())

    def known(self) -> GridSearchResult | None:
        """The search that is at hand for the current settings."""
        return known_search(self._opened(), self._state.params, self._state.grid)

    def forget(self) -> None:
        """Nothing has been found yet: another bundle is open."""
        self._controls.found.value, self._found = "", None

    def age(self) -> None:
        """Fade what was found, if the settings have moved on."""
        self._controls.age(stale=self._found is not None and self._found != self._state.params)

    def start(self, *, move: bool) -> None:
        """Search in the background.

        Args:
            move: Whether the sliders go to what it finds.
        """
        opened, grid = self._opened(), self._state.grid
        try:
            params = self._state.params
            opened.engine.bundle.require_attacked()
        except MnutsError as error:
            if move:
                self._refuse(str(error))
            return

        def work(progress: Any) -> GridSearchResult:
            result = search(opened, params, grid, progress)
            draw_frontier(opened, params, grid)
            return result

        def done(result: GridSearchResult) -> None:
            self._on_found(opened, result, move)

        if self._job is not None:
            self._job.cancel()
        self._controls.searching(0.0)
        self._job = Job(work, done=done, failed=self._on_failed, progress=self._controls.searching).start()

    def _on_found(self, opened: Opened, result: GridSearchResult, move: bool) -> None:
        self._controls.searching(None)
        if opened is not self._opened():
            return
        if move:
            self._found = result.best.params.with_(alpha=None, temperature=self._state.temperature)
            self._controls.found.value = panels.found_html(result)
            self._controls.widen.layout.display = "" if result.edges else "none"
            self._state.take(self._found, level=True)
        self._refresh()

    def _on_failed(self, error: Exception) -> None:
        self._controls.searching(None)
        if isinstance(error, MnutsError):
            self._refuse(str(error))
        elif not isinstance(error, Cancelled):
            self._failed(error)

    def _on_setting(self, _: object) -> None:
        self._controls.widen.layout.display = "none"
        self.start(move=False)

    def _on_widen(self, _: object) -> None:
        result = self.known()
        if result is None:
            return
        wider = result.at_beta(self._state.beta).widened_grid()
        self._opened().grids[wider.name] = wider
        self._controls.grid.offer(list(self._opened().grids))
        self._state.grid = wider.name
        self.start(move=True)

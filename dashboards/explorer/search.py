"""The explorer's search: Algorithm 1 in the background, what the page opens on, and the search's buttons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mnuts_core.errors import MnutsError
from mnuts_core.params import PARAMS, MixParams
from mnuts_core.views.direct import at_least, match
from mnuts_dashboards.bundles.open_bundles import (
    Opened,
    draw_frontier,
    known_best,
    known_direct,
    known_frontier,
    known_search,
    provisional,
    search,
    search_directly,
)
from mnuts_dashboards.explorer.controls import Controls
from mnuts_dashboards.explorer.state import ExplorerState
from mnuts_dashboards.text import headline
from mnuts_dashboards.widgets.background import Cancelled, Job, Progress
from mnuts_dashboards.widgets.entries import sentence

MOMENT = 0.3
"""Seconds that a page waits for its opening search, so that on a small bundle nothing jumps."""


class Searching:
    """Runs one search at a time; another one cancels it.

    Args:
        state: Where it takes its settings from, and puts what it finds.
        controls: Its buttons and its progress bar.
        opened: Gives the bundle that is open.
        arrive: Called with the change from the provisional mix to the one that the page was to open on.
        refresh: Called when there is a result.
        refuse: Called with what is wrong, in one sentence.
        failed: Called with what nobody expected.
    """

    def __init__(
        self,
        state: ExplorerState,
        controls: Controls,
        *,
        opened: Callable[[], Opened],
        arrive: Callable[[Callable[[], None]], None],
        refresh: Callable[[], None],
        refuse: Callable[[str], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._state, self._controls, self._opened, self._arrive = state, controls, opened, arrive
        self._refresh, self._refuse, self._failed = refresh, refuse, failed
        self._found: MixParams | None = None
        self._awaiting: MixParams | None = None
        self._job: Job[Any] | None = None
        self._of: tuple[object, ...] = ()  # what that job works at
        self._move = False
        state.observe(self._on_setting, names=["grid", "clamp", "ln_k"])
        controls.find.on_click(lambda _: self.find())
        controls.widen.on_click(self._on_widen)
        controls.cancel.on_click(lambda _: self._job and self._job.cancel())

    @property
    def awaited(self) -> bool:
        """Whether the state shows a provisional mix, and the best one is still to come."""
        return self._awaiting is not None and self._awaiting == self._state.params

    def forget(self) -> None:
        """Nothing has been found yet: another bundle is open."""
        self._controls.found.value, self._found = "", None

    def age(self) -> None:
        """Fade what was found, if the settings have moved on."""
        self._controls.age(stale=self._found is not None and self._found != self._state.params)

    def opening(self, params: MixParams, grid: str) -> MixParams:
        """The mix to show where nobody chose s, p and c: the best, or a provisional one until it is found.

        Args:
            params: β, clamp, layer norm, T, and α where it is set by hand.
            grid: Name of the grid.
        """
        opened, self._awaiting = self._opened(), None
        if not opened.engine.bundle.n_adv:  # there is no search without an attack
            return params.with_(alpha=PARAMS["alpha"].default if params.alpha is None else params.alpha)
        self._begin(params, grid, move=False)
        best = known_best(opened, params, grid)
        if best is None and self._job is not None:
            self._job.wait(MOMENT)
            best = known_best(opened, params, grid)
        if best is None:
            self._awaiting = best = provisional(params, grid)
        return best

    def find(self) -> None:
        """Go to the best mix of the grid: for this β, or that keeps an accuracy."""
        if self._state.find_by == "beta":
            self.start(move=True)
            return
        try:
            params, grid, opened = self._state.params, self._state.grid, self._opened()
            opened.engine.bundle.require_attacked()
        except MnutsError as error:
            self._refuse(sentence(str(error)))
            return
        if known_direct(opened, params, grid) is not None:
            self._go_to_direct(opened, params, grid)
            return
        self._run(
            ("direct", id(opened), grid, params.clamp, params.ln_k),
            lambda progress: search_directly(opened, params, grid, progress),
            lambda: self._go_to_direct(opened, params, grid),
            self._controls.searching,
        )

    def _go_to_direct(self, opened: Opened, params: MixParams, grid: str) -> None:
        """Go to the mix that keeps the accuracy asked for; then draw the frontiers, if they are not yet."""
        found = known_direct(opened, params, grid)
        if opened is not self._opened() or found is None:
            return
        kept, least = self._state.find_by, self._state.least
        try:
            pair = match(opened.engine, found, opened.plain_direct, at_least(**{kept: least}))
        except MnutsError as error:  # out of reach, or β is kept by now
            self._refuse(sentence(str(error)))
            return
        self._awaiting = None
        self._found = pair.ours.choice.params.with_(beta=self._state.beta)
        self._controls.found.value = headline.direct_html(pair, found, kept, least)
        self._controls.widen.layout.display = "none"
        self._state.take(self._found, level=True)
        self._refresh()
        self.start(move=False)

    def start(self, *, move: bool) -> None:
        """Search in the background, with the current settings.

        Args:
            move: Whether the sliders go to what it finds.
        """
        try:
            params = self._state.params
            self._opened().engine.bundle.require_attacked()
        except MnutsError as error:
            if move:
                self._refuse(str(error))
            return
        self._begin(params, self._state.grid, move=move)

    def _begin(self, params: MixParams, grid: str, *, move: bool) -> None:
        opened = self._opened()
        settings = (id(opened), grid, params.clamp, params.ln_k)
        if known_search(opened, params, grid) is not None:
            self._on_found(opened, params, grid, move=move)
            return
        under_way = self._job is not None and self._of == ("search", *settings)
        self._move = move or (under_way and self._move)
        self._run(
            ("search", *settings),
            lambda progress: search(opened, params, grid, progress),
            lambda: self._on_found(opened, params, grid, move=self._move),
            self._controls.searching,
        )

    def _run(self, of: tuple[object, ...], work: Any, done: Callable[[], None], progress: Progress) -> None:
        """Do one thing in the background; what is under way is cancelled, unless it is the same."""
        if self._job is not None:
            if of == self._of:
                return
            self._job.cancel()

        def ended(then: Callable[[], None]) -> None:
            if job is self._job:
                self._job = None
                self._controls.searching(None)
                then()

        progress(0.0)
        job: Job[Any] = Job(
            work,
            done=lambda _: ended(done),
            failed=lambda error: ended(lambda: self._on_failed(error)),
            progress=lambda share: progress(share) if job is self._job else None,
        )
        self._job, self._of = job, of
        job.start()

    def _on_found(self, opened: Opened, params: MixParams, grid: str, *, move: bool) -> None:
        """Go to what was found, if that was asked for; then draw the β-frontier, which may take longer."""
        if opened is not self._opened():
            return
        if move:
            self._go_to_best()
        elif self.awaited and (best := known_best(opened, self._state.params, grid)) is not None:
            self._settle(best)
        self._refresh()
        if known_frontier(opened, params.with_(temperature=0.0), grid) is None:
            self._run(
                ("frontier", id(opened), grid, params.clamp, params.ln_k),
                lambda progress: draw_frontier(opened, params, grid, progress),
                self._refresh,
                lambda _: None,
            )

    def _settle(self, mix: MixParams) -> None:
        """End the waiting at a mix."""

        def change() -> None:
            self._awaiting = None
            self._state.take(mix, level=True)

        self._arrive(change)

    def _go_to_best(self) -> None:
        result = known_search(self._opened(), self._state.params, self._state.grid)
        if result is None:  # grid, clamp or layer norm have moved on, and their own search is under way
            return
        result, self._awaiting = result.at_beta(self._state.beta), None
        self._found = result.best.params.with_(alpha=None, temperature=self._state.temperature)
        self._controls.found.value = headline.found_html(result)
        self._controls.widen.layout.display = "" if result.edges else "none"
        self._state.take(self._found, level=True)

    def _on_failed(self, error: Exception) -> None:
        if self.awaited:  # the provisional mix stays, and a link says so
            self._settle(self._state.params)
        if isinstance(error, MnutsError):
            self._refuse(str(error))
        elif not isinstance(error, Cancelled):
            self._failed(error)

    def _on_setting(self, _: object) -> None:
        self._controls.widen.layout.display = "none"
        self.start(move=False)

    def _on_widen(self, _: object) -> None:
        opened, grid = self._opened(), self._state.grid
        result = known_search(opened, self._state.params, grid)
        if result is None:
            return
        wider = result.at_beta(self._state.beta).widened_grid()
        opened.grids[wider.name] = wider
        self._controls.inputs["grid"].offer(list(opened.grids))
        self._state.grid = wider.name
        self.start(move=True)

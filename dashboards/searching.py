"""The explorer's search: Algorithm 1 in the background, what the page opens on, and the search's buttons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mnuts_core.errors import MnutsError
from mnuts_core.params import PARAMS, MixParams
from mnuts_core.selection import GridSearchResult

from . import panels
from .controls import Controls
from .jobs import Cancelled, Job
from .session import Opened, draw_frontier, known_best, known_search, provisional, search
from .state import ExplorerState

MOMENT = 0.3
"""Seconds that a page waits for its opening search, so that on a small bundle nothing jumps."""


class Searching:
    """Runs one search at a time; another one cancels it.

    Args:
        state: Where it takes its settings from, and puts what it finds.
        controls: Its buttons and its progress bar.
        opened: Gives the bundle that is open.
        arrive: Called with the best mix that the page was to open on, unless the visitor has moved meanwhile.
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
        arrive: Callable[[MixParams], None],
        refresh: Callable[[], None],
        refuse: Callable[[str], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._state, self._controls, self._opened, self._arrive = state, controls, opened, arrive
        self._refresh, self._refuse, self._failed = refresh, refuse, failed
        self._found: MixParams | None = None
        self._awaiting: MixParams | None = None
        self._job: Job[None] | None = None
        self._of: tuple[object, ...] = ()
        self._move = False
        state.observe(self._on_setting, names=["grid", "clamp", "ln_k"])
        controls.find.on_click(lambda _: self.start(move=True))
        controls.widen.on_click(self._on_widen)
        controls.cancel.on_click(lambda _: self._job and self._job.cancel())

    def known(self) -> GridSearchResult | None:
        """The search that is at hand for the current settings."""
        return known_search(self._opened(), self._state.params, self._state.grid)

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
        """The mix to show where nobody chose s, p and c: the best one, or a provisional one until it is found.

        Args:
            params: β, clamp, layer norm, T, and α where it is set by hand.
            grid: Name of the grid.
        """
        self._awaiting = None
        if not self._opened().engine.bundle.n_adv:  # no search: it needs an attack
            return params.with_(alpha=PARAMS["alpha"].default if params.alpha is None else params.alpha)
        self._begin(params, grid, move=False)
        if self._job is not None:
            self._job.wait(MOMENT)
        best = known_best(self._opened(), params, grid)
        if best is None:
            self._awaiting = best = provisional(params, grid)
        return best

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
        asked = (id(opened), grid, params.clamp, params.ln_k)
        if self._job is not None and asked == self._of:
            self._move = self._move or move  # it is under way: every β is had from the same table
            return

        def work(progress: Any) -> None:
            search(opened, params, grid, progress)
            draw_frontier(opened, params, grid)

        if self._job is not None:
            self._job.cancel()
        self._of, self._move = asked, move
        self._controls.searching(0.0)
        job: Job[None] = Job(
            work,
            done=lambda _: self._end(job) and self._on_found(opened),
            failed=lambda error: self._end(job) and self._on_failed(error),
            progress=lambda share: self._controls.searching(share) if job is self._job else None,
        )
        self._job = job
        job.start()

    def _end(self, job: Job[None]) -> bool:
        """Clear away behind a job; False if another one has taken its place."""
        if job is not self._job:
            return False
        self._job = None
        self._controls.searching(None)
        return True

"""What stands below the plots: snapshots, examples, the assumptions. It follows when the sliders rest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import ipywidgets as w

from mnuts_core.views import headline
from mnuts_core.views.assumptions import assumptions
from mnuts_core.views.examples import Where
from mnuts_dashboards.explorer.examples import ExamplesCard
from mnuts_dashboards.explorer.scene import Scene
from mnuts_dashboards.explorer.snapshots import SnapshotsCard, Verified
from mnuts_dashboards.text import cards

REST = 0.25
"""Seconds without a change, after which the tables follow the sliders."""


class Details(w.VBox):
    """The cards below the plots.

    Args:
        choose: Called with part and row when the visitor chooses an example.
        restore: Called with the place of a snapshot whose settings shall become the current ones.
        drop: Called with the place of one to forget.
        verified: Gives what an attack left of a mix, if one was run.

    Attributes:
        examples: The card of examples.
        snapshots: The card of snapshots.
        checks: The assumptions, as HTML.
    """

    def __init__(
        self,
        choose: Callable[[Where, int], None],
        restore: Callable[[int], None],
        drop: Callable[[int], None],
        verified: Verified,
    ) -> None:
        self._verified = verified
        self._scene: Scene | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.snapshots = SnapshotsCard(restore, drop)
        self.examples = ExamplesCard(choose, self._again)
        self.checks = w.HTML()
        checks = w.VBox([w.HTML("<h3>Do the paper's assumptions hold here?</h3>"), self.checks])
        super().__init__([self.snapshots, self.examples, checks.add_class("mnuts-card")])
        self.add_class("mnuts-details")

    def follow(self, scene: Scene) -> None:
        """Show a moment, once no newer one has come for a while; at once where no event loop runs.

        Args:
            scene: The moment.
        """
        self._scene = scene
        self._again()

    def _again(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        try:
            self._timer = asyncio.get_running_loop().call_later(REST, self._fill)
        except RuntimeError:
            self._fill()

    def _fill(self) -> None:
        scene = self._scene
        if scene is None:
            return
        engine, remix = scene.opened.engine, scene.remix
        self.snapshots.fill(remix, scene.kept, self._verified)
        self.examples.fill(engine, remix, scene.example)
        self.checks.value = cards.assumptions_html(
            assumptions(engine, remix), headline.seen_and_unseen(engine, remix)
        )

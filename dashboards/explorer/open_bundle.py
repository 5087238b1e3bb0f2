"""Which bundle is open: the state's, and the old one until another has been loaded in the background."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mnuts_core.errors import BundleError, MnutsError
from mnuts_dashboards.bundles.open_bundles import Opened, Session
from mnuts_dashboards.explorer.state import ExplorerState
from mnuts_dashboards.widgets.background import Job


class Bundles:
    """Opens the first sound bundle, then follows the state.

    Args:
        session: The bundles at hand.

    Attributes:
        name: Name of the bundle that is open.
        opened: The bundle itself.
        refused: Why those before the first sound one were passed over; None if none was.

    Raises:
        BundleError: If none can be opened.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        refused: list[str] = []
        for name in session.names:
            try:
                self.name, self.opened = name, session.open(name)
                break
            except MnutsError as error:
                refused.append(str(error))
        else:
            raise BundleError(" ".join(refused))
        self.refused = " ".join(refused) or None

    def follow(
        self,
        state: ExplorerState,
        *,
        switched: Callable[[], None],
        loading: Callable[[str | None], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Open what the state's `bundle` says from now on.

        Args:
            state: The state.
            switched: Called when another bundle is open.
            loading: Called with the name of one that is being loaded; with None when that is over.
            failed: Called with what went wrong; the state is back at the open one by then.
        """
        self._state, self._switched, self._loading, self._failed = state, switched, loading, failed
        state.observe(self._on_bundle, names="bundle")

    def switch(self, name: str, opened: Opened) -> None:
        """Show a bundle that is loaded.

        Args:
            name: Its name in the session.
            opened: What it is.
        """
        if name == self.name and opened is self.opened:
            self._state.set_trait("bundle", name)  # another one may be on its way: it is no longer wanted
            return
        self.name, self.opened = name, opened
        self._state.set_trait("bundle", name)
        self._switched()

    def renew(self, opened: Opened) -> None:
        """Have the open bundle with more points in its place; the state stays.

        Args:
            opened: What `open_bundles.renewed` made of it.
        """
        self.opened = opened
        self.session.replace(self.name, opened)

    def _on_bundle(self, change: Mapping[str, Any]) -> None:
        name = change["new"]
        if name == self.name:
            self._loading(None)
        elif self.session.is_open(name):
            self.switch(name, self.session.open(name))
        else:
            self._load(name)

    def _load(self, name: str) -> None:
        def done(opened: Opened) -> None:
            self.session.keep(name, opened)
            if self._state.bundle == name:
                self.switch(name, opened)

        def failed(error: Exception) -> None:
            if self._state.bundle == name:
                self._state.bundle = self.name
            self._failed(error)

        self._loading(name)
        Job(lambda _: self.session.load(name), done=done, failed=failed, progress=lambda _: None).start()

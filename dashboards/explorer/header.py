"""What stands above the plots: what is wrong, what the figures rest on, and the figures in numbers."""

from __future__ import annotations

import logging
from collections.abc import Callable

import ipywidgets as w
from markupsafe import Markup

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.errors import MnutsError
from mnuts_core.views.sources import sources_words
from mnuts_dashboards.explorer.scene import Scene
from mnuts_dashboards.explorer.state import ExplorerState
from mnuts_dashboards.text import headline, messages

log = logging.getLogger(__name__)


class Header:
    """Three lines of HTML, and their messages.

    Args:
        state: The settings; a message about them stands until they change.

    Attributes:
        banner: What is wrong, or nothing.
        provenance: What the figures rest on.
        headline: The figures.
    """

    def __init__(self, state: ExplorerState) -> None:
        self._state, self._message_settings, self._unasked = state, state.trait_values(), False
        self.banner, self.provenance, self.headline = w.HTML(), w.HTML(), w.HTML()
        self.banner.add_class("mnuts-alert")  # it stays in view: controls can be far from the top

    @property
    def lines(self) -> tuple[w.HTML, ...]:
        """All of it, from the top."""
        return self.banner, self.provenance, self.headline

    def refuse(self, message: str | None) -> None:
        """Show in the banner what was wrong; the view stays."""
        self.banner.value = messages.banner_html(message)
        self._message_settings = self._state.trait_values()

    def settle(self) -> None:
        """The view is drawn: messages on other settings go."""
        if self._unasked:
            return
        if self.banner.value and self._message_settings != self._state.trait_values():
            self.refuse(None)

    def keep_message_during(self, change: Callable[[], None]) -> None:
        """Keep the message through a change that the visitor did not make."""
        self._unasked = True
        try:
            change()
        finally:
            self._unasked = False
        self._message_settings = self._state.trait_values()

    def fail(self, error: Exception) -> None:
        """Exceptions in callbacks vanish otherwise: show them on the page, keep the last good view."""
        log.error("the explorer could not do this", exc_info=error)
        self.refuse(f"Something went wrong: {error}. The last good view is shown.")

    def complain(self, error: Exception) -> None:
        """Show an error: in its own words if it is one of ours."""
        self.refuse(str(error)) if isinstance(error, MnutsError) else self.fail(error)

    def rest_on(self, bundle: LogitBundle, loading: str | None = None) -> None:
        """Show what the figures rest on, or that a bundle is being loaded.

        Args:
            bundle: The bundle that is open.
            loading: Name of the one that is being loaded.
        """
        facts, details = (["opening …"], []) if loading else messages.bundle_facts(bundle)
        self.provenance.value = messages.provenance_html(loading or bundle.name, facts, details)

    def show(self, scene: Scene) -> None:
        """Show a moment's figures."""
        self.headline.value = headline_html(scene)


def headline_html(scene: Scene) -> Markup:
    """A moment's figures in numbers and in words.

    Args:
        scene: The moment.
    """
    points = sources_words(scene.opened.engine.bundle)
    words = headline.words_html(scene.table, scene.remix.warnings, points)
    return headline.headline_html(scene.table) + words

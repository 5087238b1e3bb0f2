"""Undo and redo: a list of links, a place in it, and the browser's address kept in step with both."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

REST = 0.8  # seconds without a change, after which the next one is a step of its own
WRITE_EVERY = 0.2  # seconds between two changes of the address while a slider is dragged


class History:
    """The views that were there, as links, and which of them is shown.

    Args:
        link: The view to begin with.
    """

    def __init__(self, link: str) -> None:
        self.links, self.place = [link], 0

    @property
    def now(self) -> str:
        """The link of the view that is shown."""
        return self.links[self.place]

    @property
    def can_undo(self) -> bool:
        """Whether there is a view before this one."""
        return self.place > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is one after it."""
        return self.place < len(self.links) - 1

    def add(self, link: str) -> None:
        """A new step; what had been undone is forgotten."""
        self.links[self.place + 1 :] = [link]
        self.place += 1

    def amend(self, link: str) -> None:
        """Let the current step end at another view; what had been undone is forgotten."""
        self.links[self.place :] = [link]

    def rename(self, link: str) -> None:
        """Another link for the view that is shown; what had been undone stays."""
        self.links[self.place] = link

    def go(self, place: int) -> str | None:
        """Move to a step; its link, or None if there is no such step or it is the current one."""
        if place == self.place or not 0 <= place < len(self.links):
            return None
        self.place = place
        return self.now


class Address(Protocol):
    """The browser's address, as far as a navigator needs it (see `browser.Page`)."""

    def push(self, link: str, place: int) -> None:
        """A new entry of the browser's history."""

    def replace(self, link: str, place: int) -> None:
        """Another address for the current entry."""

    def go(self, steps: int) -> None:
        """Move in the browser's history."""


class Navigator:
    """Follows the state: a drag is one step, undone as a whole, by our buttons or the browser's *Back*.

    Args:
        address: The browser's address.
        link: Gives the link of the current state.
        show: Takes the state that a link means.
        changed: Called when undo or redo become possible or impossible.
    """

    def __init__(
        self,
        address: Address,
        link: Callable[[], str],
        show: Callable[[str], None],
        changed: Callable[[], None],
    ) -> None:
        self._address, self._link, self._show, self._changed = address, link, show, changed
        self.history = History(link())
        self._last, self._quiet = float("-inf"), False
        self._timer: asyncio.TimerHandle | None = None

    def restart(self) -> None:
        """Begin anew with the current state, in the browser's current entry."""
        self._forget_timer()
        self.history = History(self._link())
        self.announce()
        self._last = float("-inf")
        self._changed()

    def note(self, _: object = None) -> None:
        """The state has changed: record it, now or, in the middle of a drag, a little later."""
        if self._quiet or self._timer is not None:
            return
        now = time.monotonic()
        if now - self._last >= REST:
            self._record()
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._record()
            return
        self._timer = loop.call_later(WRITE_EVERY, self._record)

    def undo(self) -> None:
        """One step back."""
        self._step(-1)

    def redo(self) -> None:
        """One step forward."""
        self._step(1)

    def arrive(self, place: int | None, link: str) -> None:
        """The browser went to an entry of its history.

        Args:
            place: The step that it stands for; None if it is of an earlier visit.
            link: Its address's query.
        """
        if place is None:
            self._take(link)
            self.restart()
            return
        if (known := self.history.go(place)) is not None:
            self._take(known)
        if link != self.history.now:
            self.announce()

    def agree(self) -> None:
        """Let the current step have its view's link of now: what a link leaves out may have been found."""
        if self._quiet:  # a view is on its way, and `_take` sees to it
            return
        self.flush()
        if self._link() != self.history.now:
            self.history.rename(self._link())
            self.announce()

    def here(self) -> str:
        """The link of the view that is shown, as the address has it."""
        self.agree()
        return self.history.now

    def announce(self) -> None:
        """Write the current step's link into the address."""
        self._address.replace(self.history.now, self.history.place)

    def _step(self, by: int) -> None:
        self.flush()
        link = self.history.go(self.history.place + by)
        if link is not None:
            self._take(link)
            self._address.go(by)

    def flush(self) -> None:
        """Record what still waits."""
        if self._timer is not None:
            self._record()

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _record(self) -> None:
        self._forget_timer()
        link, now = self._link(), time.monotonic()
        fresh, self._last = now - self._last >= REST, now
        if link == self.history.now:
            return
        if fresh:
            self.history.add(link)
            self._address.push(link, self.history.place)
        else:
            self.history.amend(link)
            self._address.replace(link, self.history.place)
        self._changed()

    def _take(self, link: str) -> None:
        """Show a link without recording it as a step of its own."""
        self._quietly(lambda: self._show(link))
        self.history.rename(self._link())  # the address follows when the browser has arrived there, too
        self._last = float("-inf")
        self._changed()

    def _quietly(self, change: Callable[[], None]) -> None:
        self._quiet = True
        try:
            change()
        finally:
            self._quiet = False

"""Who is here: how many visitors a server takes, and which kernels nobody uses any more."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

MAX_PENDING = max(6, 2 * (os.cpu_count() or 1))
"""Kernels that may start, or wait for their page to connect, at the same time."""
MAX_SOCKETS = 8
"""Websockets to one kernel."""
LOOK_EVERY = 5.0
"""Seconds between two looks at which kernels nobody uses any more."""
CONNECT_WITHIN = 30.0
"""Seconds from the end of a page's transfer to its websocket."""
GONE_AFTER = 30.0
"""Seconds after which a kernel that its page has left is ended if another visitor needs its place."""


@dataclass
class _Visit:
    """One kernel of a visitor's."""

    since: float  # when its page was sent, or left
    sockets: int = 0
    ever: bool = False  # whether its page has connected


class Visits:
    """The visitors' kernels, from the request for the page on. Kernels in reserve are not among them.

    Args:
        most: How many visitors may be here at once.
        clock: Gives seconds.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.most, self._clock = most, clock
        self._arriving = 0
        self._visits: dict[str, _Visit] = {}

    def __len__(self) -> int:
        return self._arriving + len(self._visits)

    def __contains__(self, kernel_id: str) -> bool:
        return kernel_id in self._visits

    @property
    def full(self) -> bool:
        """Whether nobody else may come in."""
        return len(self) >= self.most

    @property
    def crowded(self) -> bool:
        """Whether so many are on their way in that the next one has to wait for them."""
        pending = sum(not visit.ever for visit in self._visits.values())
        return self._arriving + pending >= MAX_PENDING

    def arrive(self) -> None:
        """A page was asked for; `use` or `give_up` follows."""
        self._arriving += 1

    def give_up(self) -> None:
        """A page was asked for, and no kernel came of it."""
        self._arriving -= 1

    def use(self, kernel_id: str) -> None:
        """A kernel is an arriving visitor's from now on; it has all the time it needs to make the page."""
        self._arriving -= 1
        self._visits[kernel_id] = _Visit(since=float("inf"))

    def send(self, kernel_id: str) -> None:
        """Its page was sent."""
        if kernel_id in self._visits:
            self._visits[kernel_id].since = self._clock()

    def connect(self, kernel_id: str) -> bool:
        """Its page connects; False if too many have."""
        visit = self._visits.get(kernel_id)
        if visit is None or visit.sockets >= MAX_SOCKETS:
            return False
        visit.sockets, visit.ever = visit.sockets + 1, True
        return True

    def disconnect(self, kernel_id: str) -> bool:
        """One of its page's websockets is closed; whether that was the last one."""
        visit = self._visits.get(kernel_id)
        if visit is None:
            return False
        visit.sockets, visit.since = visit.sockets - 1, self._clock()
        return visit.sockets == 0

    def end(self, kernel_id: str) -> None:
        """Its kernel has ended."""
        self._visits.pop(kernel_id, None)

    def never_connected(self) -> list[str]:
        """Kernels whose page was sent and has not connected in time."""
        late = self._clock() - CONNECT_WITHIN
        return [name for name, visit in self._visits.items() if not visit.ever and visit.since < late]

    def left(self) -> str | None:
        """The kernel that its page left longest ago, if that is a while; None if there is none."""
        late = self._clock() - GONE_AFTER
        gone = [
            (visit.since, name) for name, visit in self._visits.items() if visit.ever and not visit.sockets
        ]
        return min(gone)[1] if gone and min(gone)[0] < late else None

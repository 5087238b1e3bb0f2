"""The page's websocket: what comes is checked and paced, what goes is bounded."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable

from tornado.websocket import WebSocketHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from mnuts_dashboards.server.gate import Gate
from mnuts_dashboards.server.messages import V1, BadMessageError, kind_of, says_idle, sent_type

RATE, BURST = 200.0, 600.0  # messages a second, and at once: a drag sends 60
BYTE_RATE, BYTE_BURST = 16.0 * 2**20, 64.0 * 2**20
MAX_UNANSWERED_BYTES = 32 * 2**20
MAX_UNANSWERED = 1000  # messages that the kernel has not finished
MAX_WAIT = 120.0  # seconds that a kernel may take for what lies before it
MAX_UNSENT = 96 * 2**20  # bytes that a page has not fetched
MAX_LOGGED = 20  # lines about one connection
log = logging.getLogger("mnuts.server")


class ChannelsHandler(Gate, VoilaKernelWebsocketHandler):
    """The page's websocket, behind the gate and without Nagle's algorithm.

    A slider's answer is a burst of small messages: with Nagle's all but the first would wait for the
    browser's delayed acknowledgement, 40 ms.
    """

    _connected = False

    async def open(self, kernel_id: str) -> None:
        """Connect the kernel; messages leave as they come."""
        self.set_nodelay(True)
        self._pace = Pace()
        self._unanswered: deque[int] = (
            deque()
        )  # sizes of the messages that lie before the kernel, oldest first
        self._unsent = self._logged = 0
        self._connected = self.kernel_manager.visits.connect(kernel_id)
        if self._connected:
            self.kernel_manager.channels[kernel_id].add(self)
            await super().open(kernel_id)
        else:
            self.close(1013, "too many connections")

    async def on_message(self, message: str | bytes) -> None:
        """Hand a message on if it is sound and of a kind that a page needs.

        While this waits nothing more is read from the connection, so that whoever sends faster than the pace,
        or faster than the kernel works, fills no memory but his own.
        """
        if wait := self._pace.wait(len(message)):
            await asyncio.sleep(wait)
        try:
            kind = kind_of(message, self._protocol)
        except BadMessageError as error:
            self._report("bad message: %s", error)
            self.close(1008, "bad message")
            return
        if not kind.allowed:
            self._report("dropped a message of type %.60r on channel %.20r", kind.type, kind.channel)
            return
        if not await self._kernel_keeps_up():
            self._report("the kernel took nothing for %g s", MAX_WAIT)
            self.close(1013, "the kernel is busy")
        elif self.connection is not None:
            self._unanswered.append(len(message))
            super().on_message(message)

    async def _kernel_keeps_up(self) -> bool:
        """Wait until few messages lie before the kernel; False if that takes too long."""
        give_up = time.monotonic() + MAX_WAIT
        while len(self._unanswered) >= MAX_UNANSWERED or sum(self._unanswered) > MAX_UNANSWERED_BYTES:
            if time.monotonic() > give_up:
                return False
            await asyncio.sleep(0.05)
            if self.connection is None:
                break
        return True

    def write_message(self, message: str | bytes, binary: bool = False) -> asyncio.Future[None] | None:
        """Send a message, unless the page has long ceased to fetch what is sent."""
        kind = sent_type(message, self._protocol)
        if kind == "execute_input":
            return None  # the notebook's code is nobody's business
        if kind == "status" and self._unanswered and says_idle(message):
            self._unanswered.popleft()
        if self._unsent > MAX_UNSENT:
            self._report("the page fetches nothing: closed with %d MiB unsent", self._unsent // 2**20)
            self._unsent = 0
            self.ws_connection.stream.close()  # a farewell would wait behind all that is unsent
            return None
        future = WebSocketHandler.write_message(self, message, binary)  # Voilà's reads the message anew
        size = len(message)
        self._unsent += size
        future.add_done_callback(lambda _: self._sent(size))
        return future

    @property
    def _protocol(self) -> str | None:
        return V1 if self.selected_subprotocol == V1 else None

    def _sent(self, size: int) -> None:
        self._unsent = max(0, self._unsent - size)

    def on_close(self) -> None:
        """Let the kernel go, and what its page had not sent completely."""
        if getattr(self, "connection", None) is not None:
            super().on_close()
        if not self._connected:
            return
        self.kernel_manager.channels.get(self.kernel_id, set()).discard(self)
        if self.kernel_manager.visits.disconnect(self.kernel_id):
            self.kernel_manager.folder.drop_unfinished(self.kernel_id)

    def _report(self, text: str, *values: object) -> None:
        """A line of the log, but not one for each message of a flood."""
        self._logged += 1
        if self._logged <= MAX_LOGGED:
            log.warning(f"websocket from %s: {text}", self.request.remote_ip, *values)


class Pace:
    """How long a sender has to wait so that it keeps to a number of messages and bytes a second.

    Args:
        clock: Gives seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._last = clock, clock()
        self._messages, self._bytes = BURST, BYTE_BURST

    def wait(self, size: int) -> float:
        """Count a message of `size` bytes; the seconds to wait before it is looked at."""
        now = self._clock()
        passed, self._last = now - self._last, now
        self._messages = min(BURST, self._messages + passed * RATE) - 1
        self._bytes = min(BYTE_BURST, self._bytes + passed * BYTE_RATE) - size
        return max(0.0, -self._messages / RATE, -self._bytes / BYTE_RATE)

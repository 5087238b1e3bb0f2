"""Calls from a page to its kernel, each answered once; what fails is answered with one sentence.

page -> kernel   {type: "call", id, name, args} + [bytes]
kernel -> page   {type: "progress", id, ...}   {type: "answer", id, value} + [arrays]
                 {type: "error", id, message}

Arrays that are too long for one message are left behind: the answer has their `sizes` instead, and the page
calls `more` with the answer's id and the byte to go on `from` until it has all of them. Where its connection
broke it calls `under way` with the `ids` of its calls: those that are not in the answer were lost on the way,
or their own answer was.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from mnuts_core.errors import MnutsError
from mnuts_dashboards.page.data import with_buffers
from mnuts_dashboards.services import pieces
from mnuts_dashboards.widgets.background import Cancelled, Job, Progress
from mnuts_dashboards.widgets.widget import PageWidget

log = logging.getLogger(__name__)
T = TypeVar("T")
Send = Callable[[Mapping[str, Any], Sequence[bytes]], None]
MAX_ID = 64


class Call:
    """One call, to be answered or failed.

    Attributes:
        args: What the page gave along, unchecked.
        buffers: The same in bytes.
    """

    def __init__(
        self,
        send: Send,
        unfetched: pieces.Unfetched,
        identity: str,
        args: Mapping[str, Any],
        buffers: Sequence[Any],
    ) -> None:
        self.args, self.buffers = args, buffers
        self._send, self._unfetched, self._id = send, unfetched, identity

    def answer(self, value: Any = None) -> None:
        """Answer with plain JSON in which arrays and bytes may stand."""
        plain, buffers = with_buffers(value)
        message = {"type": "answer", "id": self._id, "value": plain}
        sizes = [len(buffer) for buffer in buffers]
        if sum(sizes) <= pieces.PIECE:
            self._send(message, buffers)
        else:
            self._unfetched.keep(self._id, buffers)
            self._send(message | {"sizes": sizes}, [])

    def fail(self, error: Exception) -> None:
        """Answer with what went wrong; nothing of an unexpected error but its kind."""
        if isinstance(error, Cancelled):
            message = "cancelled"
        elif isinstance(error, MnutsError):
            message = str(error)
        else:
            log.error("a call of the page failed", exc_info=error)
            message = f"something went wrong here ({type(error).__name__}): try again, or reload the page"
        self._send({"type": "error", "id": self._id, "message": message}, [])

    def progress(self, **fields: Any) -> None:
        """Report how far it is."""
        self._send({"type": "progress", "id": self._id, **fields}, [])

    def work(
        self,
        work: Callable[[Progress], T],
        done: Callable[[T], Any],
        *,
        progress: Progress = lambda share: None,
        alone: bool = False,
    ) -> Job[T]:
        """Do the work in a thread, and answer with what `done` makes of its result on the event loop.

        Args:
            work: See `Job`.
            done: Makes the answer.
            progress: Called with the share done.
            alone: See `Job`.
        """

        def answer(result: T) -> None:
            try:
                self.answer(done(result))
            except Exception as error:  # answered, whatever it is
                self.fail(error)

        job = Job(work, done=answer, failed=self.fail, progress=progress, alone=alone)
        return job.start()


Service = Callable[[Call], None]
"""What serves a call: it answers, now or later, or raises."""


class Calls:
    """Serves what a page calls by name.

    Args:
        send: Sends a message with buffers to the page.
        services: By name.
    """

    def __init__(self, send: Send, services: Mapping[str, Service]) -> None:
        self._send, self._unfetched = send, pieces.Unfetched()
        self._services = {**services, "more": self._serve_more, "under way": self._serve_under_way}
        self._under_way: set[str] = set()

    def receive(self, content: object, buffers: Sequence[Any]) -> None:
        """Take a message of the page; one that is no call is passed over."""
        if not isinstance(content, Mapping) or content.get("type") != "call":
            return
        identity, name, args = (content.get(key) for key in ("id", "name", "args"))
        if not isinstance(identity, str) or len(identity) > MAX_ID or not isinstance(args, Mapping):
            return
        call = Call(self._send_and_note, self._unfetched, identity, args, buffers)
        self._under_way.add(identity)
        service = self._services.get(name) if isinstance(name, str) else None
        try:
            if service is None:
                raise MnutsError("this kernel offers no such service: reload the page")
            service(call)
        except Exception as error:  # answered, whatever it is
            call.fail(error)

    def _serve_more(self, call: Call) -> None:
        """The next piece `from` a byte on of the answer to the call `of`."""
        call.answer(self._unfetched.piece(call.args.get("of"), call.args.get("from")))

    def _serve_under_way(self, call: Call) -> None:
        """Those of the `ids` that have not been answered."""
        ids = call.args.get("ids")
        asked = ids if isinstance(ids, list) else []
        call.answer([one for one in asked if isinstance(one, str) and one in self._under_way])

    def _send_and_note(self, message: Mapping[str, Any], buffers: Sequence[bytes]) -> None:
        if message["type"] != "progress":
            self._under_way.discard(message["id"])
        self._send(message, buffers)


def serve(app: PageWidget, services: Mapping[str, Service]) -> None:
    """Serve what an app's page calls.

    Args:
        app: The app.
        services: By name.
    """
    calls = Calls(lambda content, buffers: app.send(dict(content), list(buffers)), services)
    app.on_msg(lambda _, content, buffers: calls.receive(content, buffers))

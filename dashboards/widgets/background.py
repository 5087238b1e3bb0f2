"""Long work beside the page: in a thread, with progress and cancel, reported on the page's own loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Progress = Callable[[float], None]

_workers = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mnuts-job")


class Cancelled(Exception):  # noqa: N818  # not an error: the visitor asked for it
    """The visitor cancelled; raised inside the work by its progress callback."""


class Job(Generic[T]):
    """One piece of long work. Callbacks run on the event loop, never in the thread.

    Args:
        work: The work; it calls its argument with the share done, in [0, 1].
        done: Called with the result.
        failed: Called with what the work raised, `Cancelled` included.
        progress: Called with the share done.
        alone: Whether it gets a thread of its own, beside the jobs that wait for each other.
    """

    def __init__(
        self,
        work: Callable[[Progress], T],
        *,
        done: Callable[[T], None],
        failed: Callable[[Exception], None],
        progress: Progress,
        alone: bool = False,
    ) -> None:
        self._alone = alone
        self._work, self._done, self._failed, self._progress = work, done, failed, progress
        self._cancelled, self._worked = False, threading.Event()

    def start(self) -> Job[T]:
        """Begin; without a running event loop (in a script or a test) the work is done at once."""
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
            self._run()
        else:
            if self._alone:
                threading.Thread(target=self._run, name="mnuts-job-alone", daemon=True).start()
            else:
                _workers.submit(self._run)
        return self

    @property
    def ended(self) -> bool:
        """Whether the work has ended, in whatever way."""
        return self._worked.is_set()

    def cancel(self) -> None:
        """Ask the work to stop at its next report of progress."""
        self._cancelled = True

    def _run(self) -> None:
        try:
            result = self._work(self._report)
        except Exception as error:  # reported to the page, which shows it
            self._deliver(self._failed, error)
        else:
            self._deliver(self._done, result)
        finally:
            self._worked.set()

    def _report(self, share: float) -> None:
        if self._cancelled:
            raise Cancelled
        self._deliver(self._progress, share)

    def _deliver(self, callback: Callable[[Any], None], value: Any) -> None:
        if self._loop is None:
            callback(value)
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(callback, value)

"""One line for all verifications of a server, whose visitors' kernels are processes of their own.

A place is a locked file in a folder. A process that ends, in whatever way, gives up its lock, and with it
its place.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

LINE_VARIABLE = "MNUTS_LINE"
"""The environment variable with the folder of the server's line; without it nobody waits."""
JOBS_VARIABLE = "MNUTS_JOBS"
"""The environment variable with how many verifications may run at once."""
_ENDING = ".place"


class Place:
    """A place in the line, from `with` to its end.

    Args:
        folder: The line; None for no line at all.
        jobs: How many may run at once.
    """

    def __init__(self, folder: Path | None, jobs: int = 1) -> None:
        self._line, self._jobs = None if folder is None else _Line(folder), jobs
        self._own: FileLock | None = None
        self._number = 0

    @classmethod
    def of_server(cls) -> Place:
        """A place in the line of the server that started this process, if one did."""
        folder = os.environ.get(LINE_VARIABLE)
        return cls(Path(folder) if folder else None, int(os.environ.get(JOBS_VARIABLE, "1")))

    def __enter__(self) -> Place:
        if self._line is not None:
            self._number, self._own = self._line.join()
        return self

    def before(self) -> int:
        """How many have to finish before it is this one's turn; 0 if it is."""
        if self._line is None or self._own is None:
            return 0
        return max(0, self._line.ahead_of(self._number) - self._jobs + 1)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._own is not None:
            with contextlib.suppress(OSError):
                Path(self._own.lock_file).unlink(missing_ok=True)
            self._own.release()
            self._own = None


class _Line:
    """The folder of the places."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def join(self) -> tuple[int, FileLock]:
        """Take the last place: its number, and its lock, which is held."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._counter():
            number = max(self._numbers(), default=0) + 1
            lock = FileLock(self._path(number))
            lock.acquire(timeout=0)
        return number, lock

    def ahead_of(self, own: int) -> int:
        """How many places before the given one are taken."""
        with self._counter():
            return len([number for number in self._numbers() if number < own and self._held(number)])

    def _counter(self) -> FileLock:
        """Held for the moment in which someone counts: numbers are given once, and no place is half made."""
        return FileLock(self._folder / "counter")

    def _numbers(self) -> list[int]:
        return sorted(int(path.stem) for path in self._folder.glob(f"*{_ENDING}"))

    def _held(self, number: int) -> bool:
        """Whether somebody holds the place; one that nobody holds is cleared away."""
        lock = FileLock(self._path(number))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        self._path(number).unlink(missing_ok=True)
        lock.release()
        return False

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:09d}{_ENDING}"

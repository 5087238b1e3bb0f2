"""A server's own folder: what it and its kernels put down for a while, and what goes when they go."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

PREFIX = "mnuts-server-"
PART = ".part"
"""The ending of an upload that is not complete."""
_LOCK = "lock"


class ServerFolder:
    """A folder in the temporary one, with a folder of each kernel's in it.

    A lock says that its server lives; a crash takes the lock away, and the next server removes the folder.

    Attributes:
        path: The folder.
    """

    def __init__(self) -> None:
        remove_left_over()
        new = Path(tempfile.mkdtemp(prefix="mnuts-new-"))
        self._lock = FileLock(new / _LOCK)
        self._lock.acquire(timeout=0)
        self.path = new.with_name(PREFIX + new.name.removeprefix("mnuts-new-"))
        new.rename(self.path)  # it has its name once it is locked: nobody takes it for one that was left

    def of_kernel(self, kernel_id: str) -> Path:
        """A kernel's temporary folder; it is made on the first call."""
        path = self.path / "kernels" / kernel_id
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        return path

    def drop_unfinished(self, kernel_id: str) -> None:
        """Free the disk of a kernel's uploads that nobody sends any more, though it may have them open."""
        for path in (self.path / "kernels" / kernel_id).rglob(f"*{PART}"):
            with contextlib.suppress(OSError):
                os.truncate(path, 0)
                path.unlink()

    def drop(self, kernel_id: str) -> None:
        """Remove what an ended kernel left."""
        shutil.rmtree(self.path / "kernels" / kernel_id, ignore_errors=True)

    def close(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.path, ignore_errors=True)
        with contextlib.suppress(OSError):
            self._lock.release()


def temporary(path: Path) -> dict[str, str]:
    """The environment of a process whose temporary folder is `path`."""
    return dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(path))


def remove_left_over() -> None:
    """Remove the folders of this user's servers that were killed."""
    for path in _left_over():
        lock = FileLock(path / _LOCK)
        with contextlib.suppress(OSError, Timeout):
            lock.acquire(timeout=0)
            shutil.rmtree(path, ignore_errors=True)
            lock.release()


def _left_over() -> Iterator[Path]:
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            own = not hasattr(os, "getuid") or path.lstat().st_uid == os.getuid()
            if own and path.is_dir() and not path.is_symlink() and (path / _LOCK).exists():
                yield path

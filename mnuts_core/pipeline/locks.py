"""Who works in a folder: one process at a time, by a lock that goes with its holder, however that one ends.

The lock is `flock` on a file in the folder. The system takes it back from a process that is killed, so what a
crash leaves is a file that nobody holds. Linux has it on NFS, too, if the server's lock service runs; a file
system without locks is worked on without one. (`filelock`, which the dashboards use, does not
name the holder.)
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import stat
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from mnuts_core.bundles.manifest import now
from mnuts_core.errors import WorkFolderError
from mnuts_core.io.files import make_folder, shown

if sys.platform != "win32":
    import fcntl

LOCK = ".lock"
PATIENCE = 2.0
"""Seconds to wait for a lock: a process that was killed a moment ago may still be on its way out."""
POLL = 0.05
MAX_CARD = 4096
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
"""What a file system without locks answers."""

_held: set[tuple[int, str]] = set()
"""The folders of this process, each with the thread that holds it: to it they are open again."""


class LockedError(WorkFolderError):
    """Another process works in the folder."""


@contextlib.contextmanager
def held(folder: str | os.PathLike[str] | None, *, patience: float = PATIENCE) -> Iterator[None]:
    """Have a folder to oneself while the block runs; it is made if it is missing, and removed if left empty.

    A thread that holds the folder already may enter again.

    Args:
        folder: The folder; None holds nothing.
        patience: Seconds to wait for another process to let go.

    Raises:
        LockedError: If another process holds it; the message says which, where, and since when.
        WorkFolderError: If the folder cannot be made or written.
    """
    key = (threading.get_ident(), os.path.realpath(folder or ""))
    if folder is None or key in _held:
        yield
        return
    folder = Path(folder)
    handle = _acquire(folder, patience)
    _held.add(key)
    try:
        _sign(handle)
        yield
    finally:
        _held.discard(key)
        _release(folder, handle)


def refuse_held(folder: str | os.PathLike[str]) -> None:
    """Refuse to go on while another process works in a folder, which need not be there.

    Raises:
        LockedError: See `held`.
    """
    if (Path(folder) / LOCK).is_file():
        with held(folder):
            pass


def _acquire(folder: Path, patience: float) -> int:
    """The descriptor of the locked file. Whoever held it before may have removed it: then once more."""
    give_up = time.monotonic() + patience
    while True:
        make_folder(folder, WorkFolderError)
        if (handle := _open(folder)) is None:
            continue
        if not _lock(handle):
            holder = _holder(handle)
            os.close(handle)
            if time.monotonic() >= give_up:
                raise LockedError(
                    f"{shown(folder)} is in use by {holder}: wait until it has ended, or give another --out"
                )
            time.sleep(POLL)
        elif _is_there(folder / LOCK, handle):
            return handle
        else:
            os.close(handle)


def _open(folder: Path) -> int | None:
    """The folder's lock file, made if it is missing; None if the folder has just gone."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(folder / LOCK, flags, 0o666)
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise WorkFolderError(f"cannot lock {shown(folder)}: {problem.strerror or problem}") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise WorkFolderError(f"cannot lock {shown(folder)}: {LOCK} in it is no regular file, remove it")
    return handle


def _lock(handle: int) -> bool:
    """Take the lock, if nobody has it."""
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        return problem.errno in _NO_LOCKS
    return True


def _is_there(path: Path, handle: int) -> bool:
    """Whether the open file is the one that lies at the path."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(handle))
    except FileNotFoundError:
        return False


def _sign(handle: int) -> None:
    """Write into the lock file who holds it."""
    card = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": now()})
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, card.encode(), 0)
    except OSError as problem:
        raise WorkFolderError(f"cannot write a work folder's {LOCK}: {problem.strerror or problem}") from None


def _holder(handle: int) -> str:
    """Who holds the lock, in words."""
    try:
        card = json.loads(os.pread(handle, MAX_CARD, 0))
        pid, host, since = int(card["pid"]), str(card["host"])[:64], str(card["since"])[:32]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "another process"
    return f"process {pid} on {shown(host)} since {shown(since)}"


def _release(folder: Path, handle: int) -> None:
    """Remove the file while the lock is held, let go, and remove the folder if nothing is left in it."""
    if _is_there(folder / LOCK, handle):  # and not another's, after the folder was discarded
        with contextlib.suppress(OSError):
            (folder / LOCK).unlink()
    os.close(handle)
    with contextlib.suppress(OSError):
        folder.rmdir()

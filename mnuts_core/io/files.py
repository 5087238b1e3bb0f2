"""Writing files so that they are whole or absent, and never in the place of anything but a regular file.

A device, a pipe, a socket, a folder or a symbolic link where a file should go is refused, not replaced. What
would stop the writing can be found before the work begins: `check_writable`, `check_folder`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

FILE, FOLDER = "file", "folder"
KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISLNK, "symbolic link"),
    (stat.S_ISDIR, FOLDER),
    (stat.S_ISCHR, "device"),
    (stat.S_ISBLK, "device"),
    (stat.S_ISFIFO, "pipe"),
    (stat.S_ISSOCK, "socket"),
)
"""What may lie at a path besides a regular file, and its name."""

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)
"""Errors of a disk rather than of a path or a program."""


def kind_of(path: str | os.PathLike[str]) -> str | None:
    """What lies at a path, in a word: `"file"`, `"folder"`, `"symbolic link"`, ...; None if nothing does.

    Nothing lies below a file either.

    Raises:
        OSError: If it cannot be found out; `ValueError` where no file can have such a name.
    """
    try:
        mode = os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    return next((word for holds, word in KINDS if holds(mode)), FILE)


def write_atomically(path: str | os.PathLike[str], content: bytes, error: type[Exception]) -> Path:
    """Write to a temporary name beside the target and rename, so that nothing is ever half written.

    Args:
        path: The target: a regular file, which is replaced, or nothing yet.
        content: What to write.
        error: The exception to raise if the target is anything else, or cannot be written.
    """
    return write_together({Path(path): content}, error)[0]


def write_together(contents: Mapping[Path, bytes], error: type[Exception]) -> list[Path]:
    """Write several files as `write_atomically` does; no target changes before all contents are on the disk.

    Args:
        contents: What to write to each target.
        error: See `write_atomically`.
    """
    temporary: dict[Path, Path] = {}
    try:
        for path, content in contents.items():
            with _reraised(f"cannot write {shown(path)}", error):
                _refuse_obstacle(path)
                temporary[path] = _beside(path)
                with open(temporary[path], "xb") as stream:  # the umask alone decides who may read it
                    stream.write(content)
                    stream.flush()
                    os.fsync(stream.fileno())
        for step in (_refuse_obstacle, lambda path: os.replace(temporary[path], path)):
            for path in contents:  # the obstacles once more: one may have come meanwhile
                with _reraised(f"cannot write {shown(path)}", error):
                    step(path)
    finally:
        for left in temporary.values():
            with contextlib.suppress(OSError):
                left.unlink()
    return list(contents)


def check_writable(path: str | os.PathLike[str], error: type[Exception]) -> None:
    """Find out before any work whether a file can be written: an empty one beside it is made and removed.

    Args:
        path: As for `write_atomically`.
        error: Likewise.
    """
    path = Path(path)
    with _reraised(f"cannot write {shown(path)}", error):
        _refuse_obstacle(path)
        _try_to_write(path)


def check_file(path: str | os.PathLike[str], error: type[Exception], option: str, *, force: bool) -> None:
    """As `check_writable`, and refuse to overwrite a file unasked.

    Args:
        path: The target.
        error: The exception to raise.
        option: What named it, for the message.
        force: Whether it was asked for.
    """
    with _reraised(f"cannot write {shown(path)}", error):
        there = kind_of(path) == FILE
    if there and not force:
        raise error(f"{shown(path)} exists already: give another {option}, or --force to overwrite it")
    check_writable(path, error)


def check_folder(folder: str | os.PathLike[str], error: type[Exception], name: str) -> None:
    """Find out before any work whether a folder, which may not be there yet, can be made and written into.

    Args:
        folder: The folder.
        error: The exception to raise if not.
        name: What the folder is, for the message: the name of an option.
    """
    folder, problem = Path(folder), f"{name} {shown(folder)} cannot be made"
    with _reraised(problem, error):
        kind = kind_of(folder)
    if kind not in (None, FOLDER):
        raise error(f"{name} must name a folder, got the {kind} {shown(folder)}")
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    with _reraised(problem, error):
        _try_to_write(there / "x")


def make_folder(folder: str | os.PathLike[str], error: type[Exception]) -> None:
    """Make a folder and those above it, as far as they are missing; a symbolic link is refused.

    Args:
        folder: The folder.
        error: The exception to raise if it cannot be made.
    """
    folder = Path(folder)
    with _reraised(f"cannot make {shown(folder)}", error):
        with contextlib.suppress(FileExistsError):  # a folder, or what is refused next
            folder.mkdir(parents=True)
        if (kind := kind_of(folder)) not in (FOLDER, None):  # none: another process has just removed it
            raise FileExistsError(errno.EEXIST, f"it is a {kind}, give the path of a folder")


def shown(path: str | os.PathLike[str]) -> str:
    r"""A path for a message: quoted and escaped if it holds what would break the line.

    Example:
        >>> print(shown("runs/mine.csv"), shown("two\nlines"))
        runs/mine.csv 'two\nlines'
    """
    text = os.fspath(path)
    return text if text.isprintable() else repr(text)


@contextlib.contextmanager
def _reraised(problem: str, error: type[Exception]) -> Iterator[None]:
    """Raise errors of the operating system as one of ours: what cannot be done, and why."""
    try:
        yield
    except (OSError, ValueError) as cause:  # ValueError: no file can have such a name
        raise error(f"{problem}: {getattr(cause, 'strerror', None) or cause}") from None


def _try_to_write(path: Path) -> None:
    temporary = _beside(path)
    try:
        open(temporary, "xb").close()
    finally:
        temporary.unlink(missing_ok=True)


def _refuse_obstacle(path: Path) -> None:
    """Raise an `OSError` where something lies that a file must not take the place of."""
    kind = kind_of(path)
    if kind is None:
        return
    if kind != FILE:
        raise FileExistsError(errno.EEXIST, f"it is a {kind}, give the path of a regular file")
    if not (path.stat().st_mode & 0o222 and os.access(path, os.W_OK)):
        raise PermissionError(errno.EACCES, "it is read-only, give another path or make it writable")


def _beside(path: Path) -> Path:
    """A name that nobody has, in the same folder; short, whatever the target's."""
    return path.with_name(f".{path.name[:40]}.{secrets.token_hex(4)}")

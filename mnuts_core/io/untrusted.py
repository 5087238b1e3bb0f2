"""Reading files from strangers: nothing in them runs, and nothing is allocated that they do not hold."""

from __future__ import annotations

import json
import os
import re
import stat
from collections import Counter
from pathlib import Path
from typing import IO, Any

from mnuts_core.text import one_line, shortened

MAX_BYTES = 8 * 2**30
"""Files, and what they unpack to, may be this large at most."""
SMALL = 64 * 2**20
RATIO = 16
"""What a file unpacks to may take `SMALL` bytes, or `RATIO` times the file: more, and it is made to hurt."""
MAX_DEPTH = 100
"""JSON may be nested so deeply."""
MAX_HEADER = 16 * 2**20
"""The header of a safetensors file, with its metadata, may take so many bytes."""
SIGNATURE = 256
"""By so many bytes at its start a file is known that is another than it should be."""
MISTAKEN = (
    (
        (b"<!doctype html", b"<html", b"\xef\xbb\xbf<!doctype html"),
        "an HTML page",
        "the server answered with a page (of a login, a warning or an error): open the link in a browser, "
        "and download the file from there",
    ),
    (
        (b"version https://git-lfs.github.com/spec/",),
        "a pointer of Git LFS",
        "get its contents with `git lfs pull` in the repository's folder",
    ),
)
"""What is often saved in the place of a file: how it begins, what it is, what to do."""
_JSON_NESTING = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)

Error = type[Exception]


def open_regular(path: str | os.PathLike[str], limit: int, error: Error) -> IO[bytes]:
    """A regular file of at most `limit` bytes, opened for reading; nothing else is waited for.

    Args:
        path: What the user gave.
        limit: So many bytes at most.
        error: The exception to raise.
    """
    path = Path(path).expanduser()
    try:  # a pipe would be waited for, were it not for O_NONBLOCK
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as problem:
        raise error(f"cannot read {path}: {getattr(problem, 'strerror', None) or problem}") from None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or (not status.st_size and _says_something(handle)):
            raise error(f"cannot read {path}: it is a folder, device or pipe, not a regular file")
        if status.st_size > limit:
            raise error(_too_large(path, limit))
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def _says_something(handle: int) -> bool:
    """Whether an "empty" file can be read all the same, as those in `/proc`: its size tells nothing."""
    try:
        return bool(os.read(handle, 1))
    except OSError:
        return True


def existing_file(path: str | os.PathLike[str], error: Error) -> Path:
    """The path, if it is a regular file of at most `MAX_BYTES`, and not what a failed download leaves.

    Args:
        path: What the user gave.
        error: The exception to raise.
    """
    path = Path(path).expanduser()
    if not os.path.exists(path) or os.path.isdir(path):
        raise error(f"no file at {path}: give the path of an existing file")
    with open_regular(path, MAX_BYTES, error) as stream:
        try:
            start = stream.read(SIGNATURE).lstrip().lower()
        except OSError as problem:
            raise error(_unreadable(path, problem)) from None
    for signs, kind, remedy in MISTAKEN:
        if start.startswith(signs):
            raise error(f"{path} is {kind}, not the file itself: {remedy}")
    return path


def read_bytes(path: str | os.PathLike[str], limit: int, error: Error) -> bytes:
    """What a regular file holds.

    Args:
        path: What the user gave.
        limit: So many bytes at most.
        error: The exception to raise.
    """
    with open_regular(path, limit, error) as stream:
        try:
            content = stream.read(limit + 1)
        except OSError as problem:
            raise error(_unreadable(path, problem)) from None
    if len(content) > limit:
        raise error(_too_large(path, limit))
    return content


def _unreadable(path: str | os.PathLike[str], problem: OSError) -> str:
    return f"cannot read {path}: {problem.strerror or problem}"


def _too_large(path: str | os.PathLike[str], limit: int) -> str:
    return f"{path} is larger than {limit // 2**20:,} MiB, the most that is read of such a file"


def parse_json(text: str | bytes, where: str, error: Error) -> Any:
    """What JSON text says, if it says one thing only.

    Refused are names that stand twice in one object, integers beyond 64 bits, halves of surrogate pairs,
    deep nesting, a byte order mark, and bytes that are not UTF-8. NaN and infinities are read, for the
    caller's validation to name their place.

    Args:
        text: The JSON.
        where: How to call it in messages.
        error: The exception to raise.
    """
    try:
        text = text.decode("utf-8") if isinstance(text, bytes) else text
        text.encode("utf-8")
        if text.startswith("\ufeff"):
            raise ValueError("it begins with a byte order mark: save it as UTF-8 without one")
        _check_nesting(text)
        value = json.loads(text, parse_int=_integer, object_pairs_hook=_object)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
        return value
    except UnicodeError as problem:
        raise error(f"{where} is not valid JSON: it must be UTF-8 ({brief(problem)})") from None
    except (ValueError, RecursionError) as problem:
        raise error(f"{where} is not valid JSON: {one_line(str(problem), 300)}") from None


def _check_nesting(text: str) -> None:
    depth = 0
    for found in _JSON_NESTING.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
        if depth > MAX_DEPTH:
            raise ValueError(f"it is nested more than {MAX_DEPTH} deep")


def _integer(digits: str) -> int:
    if len(digits) > 20 or not -(2**63) <= int(digits) < 2**63:
        raise ValueError(f"integers must fit into 64 bits, got {shortened(digits, 40)}")
    return int(digits)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"{shortened(twice)} stands twice in one object")
    return content


def safetensors_header(path: str | os.PathLike[str], error: Error) -> dict[str, Any]:
    """What a safetensors file says of its tensors, and its metadata as `__metadata__`; nothing else is read.

    Args:
        path: The file.
        error: The exception to raise if it is missing, or no such file.
    """
    path = existing_file(path, error)
    with path.open("rb") as stream:
        size = int.from_bytes(stream.read(8), "little")
        if not 2 <= size <= min(MAX_HEADER, path.stat().st_size - 8):
            raise error(f"{path} is not a readable safetensors file: it does not begin as these do")
        header = parse_json(
            stream.read(size), f"{path} is not a readable safetensors file: its header", error
        )
    if not isinstance(header, dict):
        raise error(f"{path} is not a readable safetensors file: its header must be an object")
    return header


def brief(problem: BaseException, limit: int = 300) -> str:
    """An exception of a library in one line of at most `limit` characters."""
    return one_line(f"{type(problem).__name__}: {problem}", limit)


def allowed_size(path: Path) -> int:
    """So many bytes a file may unpack to: what it holds honestly never takes more."""
    return min(MAX_BYTES, max(SMALL, RATIO * path.stat().st_size))

"""Where words go: results to standard output, all else to standard error."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from rich.console import Console, RenderableType

from mnuts_core.errors import MnutsError

PIPE_WIDTH = 100
"""Columns of a table that no terminal limits."""
STDOUT = "-"
"""The file name that means standard output."""


def show(*parts: RenderableType) -> None:
    """Print tables and text for people on standard output."""
    _console(sys.stdout).print(*parts, sep="\n")


def note(text: str) -> None:
    """Say something in passing, on standard error."""
    _console(sys.stderr).print(printable(text), style="dim", soft_wrap=True)


def warn(text: str) -> None:
    """Say what a reader of the result must know, on standard error."""
    _console(sys.stderr).print(printable(f"warning: {text}"), style="yellow", soft_wrap=True)


def fail(message: str) -> None:
    """Say in one line on standard error what is wrong."""
    print(f"mnuts: {printable(' '.join(message.split()))}", file=sys.stderr)


def printable(text: str) -> str:
    """Text from a file without control characters, which could drive the terminal; line ends stay."""
    return "".join(char if char.isprintable() or char == "\n" else "?" for char in text)


def write_json(target: str, data: Mapping[str, Any]) -> None:
    """Write one JSON object to a file, or to standard output if the target is `-`.

    Args:
        target: A path, or `-`.
        data: Mappings, sequences, numbers, NumPy arrays and None; a number that is not finite becomes null.

    Raises:
        MnutsError: If the file cannot be written.
    """
    write_text(target, json.dumps(plain(data), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_text(target: str, text: str) -> None:
    """Write text to a file, or to standard output if the target is `-`.

    Raises:
        MnutsError: If the file cannot be written.
    """
    if target == STDOUT:
        sys.stdout.write(text)
        return
    from mnuts_core.io.files import write_atomically

    note(f"written: {write_atomically(target, text.encode(), MnutsError)}")


def check_target(option: str, target: str | None) -> None:
    """Refuse a target whose folder is missing before any work is done.

    Args:
        option: The option's name, for the message.
        target: A path, `-`, or None.

    Raises:
        MnutsError: If its folder does not exist, or it is a folder itself.
    """
    if target is None or target == STDOUT:
        return
    path = Path(target)
    if not path.parent.is_dir():
        raise MnutsError(f"{option} must name a file in an existing folder, got {target}: make {path.parent}")
    if path.is_dir():
        raise MnutsError(f"{option} must name a file, got the folder {target}")


def check_free(option: str, path: Path | None, *, force: bool) -> None:
    """Refuse to overwrite a file unasked.

    Args:
        option: The option's name, for the message.
        path: The target, or None.
        force: Whether it was asked for.

    Raises:
        MnutsError: If the target exists and `force` was not given.
    """
    if path is not None and path.exists() and not force:
        raise MnutsError(f"{path} exists already: give another {option}, or --force to overwrite it")


def plain(value: Any) -> Any:
    """A value as JSON can hold it: arrays as lists, numbers that are not finite as None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "tolist"):  # NumPy's arrays and numbers
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


@contextmanager
def progress(description: str) -> Iterator[Callable[[float], None]]:
    """A progress bar on standard error while the block runs, only where that is a terminal.

    Args:
        description: What is going on.

    Yields:
        What to call with the share done, in [0, 1].
    """
    from rich.progress import Progress

    console = _console(sys.stderr)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(description, total=1.0)
        yield lambda share: bar.update(task, completed=share)


def _console(stream: IO[str]) -> Console:
    limited = stream.isatty() or "COLUMNS" in os.environ
    width = None if limited else PIPE_WIDTH
    return Console(file=stream, width=width, markup=False, emoji=False, highlight=False)

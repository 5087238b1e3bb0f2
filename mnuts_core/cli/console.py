"""Where words go: results to standard output, all else to standard error."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from rich.console import Console, RenderableType

from mnuts_core.errors import MnutsError
from mnuts_core.io.files import check_file, shown, write_atomically
from mnuts_core.text import one_line, visible, visible_json

PIPE_WIDTH = 100
"""Columns of a table that no terminal limits."""
STDOUT = "-"
"""The file name that means standard output."""


def show(*parts: RenderableType) -> None:
    """Print tables and text for people on standard output."""
    lines = (visible(part, keep="\n") if isinstance(part, str) else part for part in parts)
    with to_stdout():
        _console(sys.stdout).print(*lines, sep="\n")


@contextlib.contextmanager
def to_stdout() -> Iterator[None]:
    """Tell of a standard output that is full; a reader that has gone is no error.

    Raises:
        MnutsError: If it takes no more.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as problem:
        raise MnutsError(f"cannot write to standard output: {problem.strerror or problem}") from None


def note(text: str) -> None:
    """Say something in passing, on standard error."""
    _on_stderr(text, "dim")


def warn(text: str) -> None:
    """Say what a reader of the result must know, on standard error."""
    _on_stderr(f"warning: {text}", "yellow")


def fail(message: str) -> None:
    """Say in one line on standard error what is wrong."""
    with contextlib.suppress(OSError):
        print(f"mnuts: {one_line(message)}", file=sys.stderr)


def _on_stderr(text: str, style: str) -> None:
    """Work goes on where standard error is full."""
    with contextlib.suppress(OSError):
        _console(sys.stderr).print(printable(text), style=style, soft_wrap=True)


def printable(text: str) -> str:
    """Text from a file in which control and bidi characters, which could drive the terminal, are escaped."""
    return visible(text)


def write_json(target: str, data: Mapping[str, Any]) -> None:
    """Write one JSON object to a file, or to standard output if the target is `-`.

    Args:
        target: A path, or `-`.
        data: Mappings, sequences, numbers, NumPy arrays and None; a number that is not finite becomes null.

    Raises:
        MnutsError: If the file cannot be written.
    """
    text = json.dumps(plain(data), indent=2, ensure_ascii=False, allow_nan=False)
    write_text(target, visible_json(text) + "\n")


def write_text(target: str, text: str) -> None:
    """Write text to a file, or to standard output if the target is `-`.

    Raises:
        MnutsError: If the file cannot be written.
    """
    if target == STDOUT:
        with to_stdout():
            sys.stdout.write(text)
            sys.stdout.flush()
        return
    note(f"written: {write_atomically(target, text.encode(), MnutsError)}")


def check_outputs(targets: Mapping[str, str | Path | None], *, force: bool) -> None:
    """Refuse outputs that cannot be written, before any work is done, and to overwrite one unasked.

    Args:
        targets: The options that name files, and what they name: a path, None, or the text `-`.
        force: Whether existing files may be overwritten.

    Raises:
        MnutsError: If one names anything but a regular file or a new one in an existing folder that can be
            written to, names an existing file and `force` is not given, or names the same as another.
    """
    seen: dict[str, str] = {}
    for option, target in targets.items():
        if target is None or target == STDOUT:
            continue
        _check_output(option, Path(target), force)
        other = seen.setdefault(os.path.realpath(target), option)
        if other != option:
            raise MnutsError(f"{other} and {option} must name different files, got {shown(target)} for both")


def _check_output(option: str, path: Path, force: bool) -> None:
    if not os.path.isdir(path.parent):
        taken = os.path.lexists(path.parent)
        remedy = f"{shown(path.parent)} is no folder" if taken else f"make {shown(path.parent)}"
        raise MnutsError(f"{option} must name a file in an existing folder, got {shown(path)}: {remedy}")
    if os.path.isdir(path) and not path.is_symlink():
        raise MnutsError(f"{option} must name a file, got the folder {shown(path)}")
    check_file(path, MnutsError, option, force=force)


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


@contextlib.contextmanager
def progress(description: str) -> Iterator[Callable[..., None]]:
    """A progress bar on standard error while the block runs, only where that is a terminal.

    Args:
        description: What is going on.

    Yields:
        What to call with the share done, in [0, 1], or None, and, where that changes, what is going on.
    """
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.table import Column

    console = _console(sys.stderr)
    columns = (
        # It wraps in a narrow terminal: nothing of it may be cut.
        TextColumn("{task.description}", markup=False, table_column=Column()),
        BarColumn(bar_width=20),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(description, total=1.0)
        yield lambda share, what=None: bar.update(task, completed=share, description=what)


def _console(stream: IO[str]) -> Console:
    limited = stream.isatty() or "COLUMNS" in os.environ
    width = None if limited else PIPE_WIDTH
    return Console(file=stream, width=width, markup=False, emoji=False, highlight=False)

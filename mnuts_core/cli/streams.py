"""Standard output and error as a command finds them: closed, full, a pipe whose reader is gone, no Greek."""

from __future__ import annotations

import contextlib
import io
import os
import sys


def prepare() -> None:
    """Open what the caller has closed to nowhere, and print `?` for what a terminal's encoding lacks."""
    if None in (sys.stdin, sys.stdout, sys.stderr):
        while (spare := os.open(os.devnull, os.O_RDWR)) <= 2:  # lest the next file opened becomes one of them
            pass
        os.close(spare)
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115  # for as long as the process lives
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def settle() -> None:
    """Leave nothing behind that the interpreter's own flush at its end would stumble over."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

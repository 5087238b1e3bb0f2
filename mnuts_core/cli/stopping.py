"""What a command does when it is asked to stop: by Ctrl-C, or by the system with SIGTERM or SIGHUP.

All three unwind the stack, so that temporary files, folders and locks go; the exit code is 128 + the signal.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from mnuts_core.cli.console import note
from mnuts_core.errors import Stopped
from mnuts_core.io.files import shown

SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


@contextmanager
def stoppable() -> Iterator[None]:
    """Have SIGTERM and SIGHUP raise `Stopped` while the block runs; a second one cannot cut it short.

    Left as they are: signals that the caller ignores, as under `nohup`; and all of them under `torchrun`,
    whose processes wait for each other outside of Python, where a handler would not run.
    """
    alone = os.environ.get("WORLD_SIZE", "1") == "1"
    if not alone or threading.current_thread() is not threading.main_thread():
        yield
        return
    ours = [number for number in SIGNALS if signal.getsignal(number) == signal.SIG_DFL]

    def stop(number: int, frame: FrameType | None) -> None:
        for each in ours:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped(number)

    for number in ours:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def resumable(work: Path, patience: float, *, fresh: bool = False) -> Iterator[None]:
    """Have a work folder to oneself while the block runs; when it is stopped, say how to go on.

    Args:
        work: The folder.
        patience: Seconds to wait for another process that has it.
        fresh: Whether the command is to throw away what is there.

    Raises:
        WorkFolderError: If another process works in it; the message says which.
    """
    from mnuts_core.pipeline.locks import held

    try:
        with held(work, patience=patience):
            yield
    except (KeyboardInterrupt, Stopped):
        if work.is_dir():
            again = "the same command without --fresh" if fresh else "the same command"
            note(f"stopped: {again} goes on where this one was, from {shown(work)}")
        raise

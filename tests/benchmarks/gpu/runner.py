"""Runs steps in processes of their own, each within its time; what fails, fails alone.

The folder of results says what is done: a step that is done is passed over by the next call, one that failed
or was ended is run again and goes on from what it has kept.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from mnuts_core.errors import MnutsError
from mnuts_core.io.files import make_folder
from tests.benchmarks.gpu.summary import Outcome, State, Summary

LAST_LINES = 12
"""So many of a log are quoted where a step did not end well."""
GRACE = 5.0
"""Seconds between the friendly and the other signal."""
LEAST = 5.0
"""Seconds that must be left for a step to begin."""


class Timed(Protocol):
    """What the runner has to know of a step."""

    @property
    def name(self) -> str: ...

    @property
    def limit(self) -> float: ...

    @property
    def after(self) -> tuple[str, ...]: ...


def run_steps(
    steps: Sequence[Timed],
    out: Path,
    command: Callable[[str], Sequence[str]],
    *,
    total: float,
    say: Callable[[str], None] = print,
) -> Summary:
    """Run the steps that are not done yet, in their order.

    Args:
        steps: What is to be run.
        out: The folder of results; made if it is missing.
        command: By a step's name, what to start for it.
        total: Seconds for all of them together.
        say: Called with a line for each step.

    Returns:
        All steps that the folder knows of, those of earlier calls too; also written there, after each step.
    """
    make_folder(out / "logs", MnutsError)
    summary, end = Summary.load(out), time.monotonic() + total
    for step in steps:
        left = min(step.limit, end - time.monotonic())
        if summary.is_done(step.name, step.after):
            say(f"{step.name}: done before")
        elif left < LEAST:
            say(f"{step.name}: no time left for it")
            summary.note(step.name, Outcome(State.NOT_BEGUN))
        else:
            say(f"{step.name}: at most {left:.0f} s")
            outcome = _run(command(step.name), out / "logs" / f"{step.name}.log", left)
            summary.note(step.name, outcome)
            say(f"{step.name}: {outcome}")
        summary.save()
    return summary


def _run(command: Sequence[str], log: Path, limit: float) -> Outcome:
    """One step's process: its outcome; everything that it started ends with it."""
    begun = time.monotonic()
    with log.open("a", encoding="utf-8") as stream:
        offset = stream.tell()
        process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            process.wait(timeout=limit)
            state = State.FAILED if process.returncode else State.DONE
        except subprocess.TimeoutExpired:
            state = State.TIMED_OUT
        finally:
            _end(process)
    with log.open(encoding="utf-8", errors="replace") as written:
        written.seek(offset)
        lines = tuple(line.rstrip() for line in written if line.strip())[-LAST_LINES:]
    return Outcome(state, time.monotonic() - begun, time.time(), () if state is State.DONE else lines)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started, first asking."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=GRACE)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue

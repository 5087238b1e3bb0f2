"""Our own server in a process of its own, for tests of what it answers and of the pages that it serves."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

START_TIMEOUT = 90  # seconds; a busy two-core machine takes its time


class Server:
    """A running server: its address, its process and where its log is."""

    def __init__(self, process: subprocess.Popen, line: str, log: Path) -> None:
        self.process, self.line, self.log = process, line, log
        self.url = re.search(r"https?://\S+", line)[0]


@contextmanager
def serving(
    notebook: Path, *, before: str = "", environment: Mapping[str, str] = os.environ, **options
) -> Iterator[Server]:
    """Our server on `notebook`, in a process of its own, after some Python; ended with all its kernels."""
    call = f"serve({str(notebook)!r}, **{ {'open_browser': False, **options}!r})"
    code = f"{before}\nfrom mnuts_dashboards.server.serve import serve\nraise SystemExit({call})"
    command = [sys.executable, "-c", code]
    log = notebook.with_suffix(".log")
    with log.open("w") as stderr:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
            env=dict(environment),
        )
    try:
        ready, _, _ = select.select([process.stdout], [], [], START_TIMEOUT)
        line = process.stdout.readline() if ready else ""
        if "http" not in line:
            pytest.fail(f"the server did not start: {line!r}\n{log.read_text()[-3000:]}")
        yield Server(process, line, log)
    finally:
        end(process)


def end(process: subprocess.Popen) -> None:
    """Ask the server to stop (it ends its kernels); if it does not, end its whole group."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        time.sleep(0.2)
    process.wait(10)
    process.stdout.close()

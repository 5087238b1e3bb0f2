"""The lock of a work folder, between real processes: who learns what, and what a kill leaves behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mnuts_core.pipeline.locks import LOCK, LockedError, WorkFolderError, held, refuse_held

HOLD = """
import sys, time
from mnuts_core.pipeline.locks import held
with held(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""
TAKE_TURNS = """
import pathlib, sys
from mnuts_core.pipeline.locks import held
inside = pathlib.Path(sys.argv[2])
for _ in range(20):
    with held(sys.argv[1], patience=60):
        inside.touch(exist_ok=False)  # an error if another process is inside, too
        inside.unlink()
"""


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "out.mnuts-work"


@pytest.fixture
def holder(work: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLD, str(work)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_second_learns_who_where_and_since_when(work: Path, holder: subprocess.Popen[str]) -> None:
    for second in (lambda: held(work, patience=0.2).__enter__(), lambda: refuse_held(work)):
        with pytest.raises(LockedError) as caught:
            second()
        message = str(caught.value)
        assert f"in use by process {holder.pid} on {socket.gethostname()} since 20" in message
        assert "give another --out" in message


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_process_leaves_no_lock(work: Path, holder: subprocess.Popen[str], end: int) -> None:
    holder.send_signal(end)
    holder.wait()
    assert (work / LOCK).exists(), "the file is there, but nobody holds it"
    refuse_held(work)
    with held(work, patience=0.0):
        assert f'"pid": {os.getpid()}' in (work / LOCK).read_text()
    assert not (work / LOCK).exists()


def test_a_folder_made_for_the_lock_goes_if_nothing_is_in_it(work: Path) -> None:
    with held(work):
        assert [path.name for path in work.iterdir()] == [LOCK]
    assert not work.exists()
    with held(work):
        (work / "batch").touch()
    assert [path.name for path in work.iterdir()] == ["batch"]


def test_its_own_thread_may_enter_again_and_no_other(work: Path) -> None:
    events: list[str] = []

    def enter() -> None:
        try:
            with held(work, patience=0.0):
                events.append("entered")
        except LockedError as error:
            events.append(str(error))

    with held(work), held(work), held(None):
        other = threading.Thread(target=enter)
        other.start()
        other.join()
    assert f"in use by process {os.getpid()} on" in events[0]
    enter()
    assert events[1] == "entered"


def test_an_error_lets_go(work: Path) -> None:
    with pytest.raises(KeyboardInterrupt), held(work):
        raise KeyboardInterrupt
    with held(work, patience=0.0):
        pass


def test_many_take_turns_although_the_folder_comes_and_goes(work: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", TAKE_TURNS, str(work), str(tmp_path / "inside")]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate(timeout=100)[1] for process in processes] == [""] * 3
    assert not work.exists()


@pytest.mark.parametrize("content", ["", "x", "[]", '{"pid": "x", "host": 1, "since": 2}', "[" * 5000])
def test_a_card_that_cannot_be_read(work: Path, holder: subprocess.Popen[str], content: str) -> None:
    (work / LOCK).write_text(content)
    with pytest.raises(LockedError, match="in use by another process: "), held(work, patience=0.0):
        pass


def test_what_is_planted_in_its_place_is_refused(work: Path, tmp_path: Path) -> None:
    work.mkdir()
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (work / LOCK).symlink_to(precious)
    with pytest.raises(WorkFolderError, match="cannot lock"), held(work):
        pass
    (work / LOCK).unlink()
    os.mkfifo(work / LOCK)
    with pytest.raises(WorkFolderError, match="no regular file"), held(work):
        pass
    assert precious.read_text() == "precious"
    linked = tmp_path / "linked"
    linked.symlink_to(tmp_path)
    with pytest.raises(WorkFolderError, match="it is a symbolic link"), held(linked):
        pass

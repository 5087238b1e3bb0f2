"""One line for all verifications: places, turns, and what a killed process leaves (nothing)."""

import subprocess
import sys

import pytest

from mnuts_dashboards.verification.queue import JOBS_VARIABLE, LINE_VARIABLE, Place
from mnuts_dashboards.widgets.folders import PART, ServerFolder, temporary

HOLD = """
import sys
from pathlib import Path
from mnuts_dashboards.verification.queue import Place
with Place(Path(sys.argv[1])) as place:
    print(place.before(), flush=True)
    sys.stdin.read()
"""


def other_process(folder) -> subprocess.Popen:
    command = [sys.executable, "-c", HOLD, str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_places_move_up(tmp_path):
    with Place(tmp_path) as first, Place(tmp_path) as second, Place(tmp_path) as third:
        assert [place.before() for place in (first, second, third)] == [0, 1, 2]
        first.__exit__(None, None, None)
        assert [place.before() for place in (second, third)] == [0, 1]
        with Place(tmp_path) as fourth:
            assert fourth.before() == 2
            second.__exit__(None, None, None)
            assert [place.before() for place in (third, fourth)] == [0, 1]


def test_several_may_run_at_once(tmp_path):
    with Place(tmp_path, 2) as first, Place(tmp_path, 2) as second, Place(tmp_path, 2) as third:
        assert [place.before() for place in (first, second, third)] == [0, 0, 1]


def test_a_killed_process_gives_up_its_place(tmp_path):
    processes = []
    try:
        for expected in ("0", "1"):
            processes.append(other_process(tmp_path))
            assert processes[-1].stdout.readline().strip() == expected
        with Place(tmp_path) as own:
            assert own.before() == 2
            processes[1].kill()
            processes[1].wait()
            assert own.before() == 1
            processes[0].kill()
            processes[0].wait()
            assert own.before() == 0
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert not list(tmp_path.glob("*.place"))


def test_without_a_server_nobody_waits(monkeypatch):
    monkeypatch.delenv(LINE_VARIABLE, raising=False)
    with Place.of_server() as one, Place.of_server() as other:
        assert (one.before(), other.before()) == (0, 0)


def test_the_servers_line_and_jobs_come_with_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv(LINE_VARIABLE, str(tmp_path / "line"))
    monkeypatch.setenv(JOBS_VARIABLE, "2")
    with Place.of_server(), Place.of_server() as second, Place.of_server() as third:
        assert (second.before(), third.before()) == (0, 1)


class TestServerFolder:
    @pytest.fixture(autouse=True)
    def here(self, monkeypatch, tmp_path):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def test_a_kernels_files_go_with_it_and_all_with_the_server(self, tmp_path):
        server = ServerFolder()
        one, other = server.of_kernel("one"), server.of_kernel("other")
        assert temporary(one)["TMPDIR"] == str(one)
        (one / "folder").mkdir()
        (one / "folder" / f"a{PART}").write_bytes(b"1234")
        (one / "folder" / "done").write_bytes(b"1234")
        with (one / "folder" / f"a{PART}").open("rb") as still_open:
            server.drop_unfinished("one")
            assert still_open.read() == b""  # its bytes are gone, though somebody has it open
        assert [path.name for path in (one / "folder").iterdir()] == ["done"]
        server.drop("one")
        assert not one.exists()
        assert other.exists()
        server.close()
        assert not list(tmp_path.iterdir())

    def test_one_that_lives_stays_and_what_a_killed_one_left_goes(self, tmp_path):
        living = ServerFolder()
        code = (
            "import os, tempfile; tempfile.tempdir = os.environ['HERE']\n"
            "from mnuts_dashboards.widgets.folders import ServerFolder\n"
            "folder = ServerFolder(); folder.of_kernel('one'); print(folder.path, flush=True); os._exit(9)"
        )
        left = subprocess.run(
            [sys.executable, "-c", code], env={"HERE": str(tmp_path)}, stdout=subprocess.PIPE, text=True
        ).stdout.strip()
        assert left in [str(path) for path in tmp_path.iterdir()]
        another = ServerFolder()
        assert sorted(tmp_path.iterdir()) == sorted([living.path, another.path])
        another.close()
        living.close()

"""Writing: whole or absent, together or not at all, and never in the place of anything but a regular file."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnuts_core.errors import MnutsError
from mnuts_core.io.files import (
    check_folder,
    check_writable,
    kind_of,
    make_folder,
    write_atomically,
    write_together,
)


def link(path: Path) -> None:
    path.symlink_to(path.with_name("precious"))


def dangling(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere"))


def link_to_folder(path: Path) -> None:
    path.symlink_to(path.parent)


def bind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def device(path: Path) -> None:
    try:
        os.mknod(path, 0o20600, os.makedev(1, 3))
    except OSError:
        pytest.skip("devices are made by root alone")


OBSTACLES = {
    "symbolic link": link,
    "a dangling symbolic link": dangling,
    "a symbolic link to a folder": link_to_folder,
    "pipe": os.mkfifo,
    "socket": bind,
    "folder": Path.mkdir,
    "device": device,
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    (tmp_path / "precious").write_text("precious")
    return Path("target")


def snapshot() -> dict[str, tuple[int, int]]:
    return {name: (os.lstat(name).st_ino, os.lstat(name).st_mode) for name in os.listdir()}


@pytest.mark.parametrize("what", OBSTACLES)
def test_anything_but_a_regular_file_is_refused_and_left(place: Path, what: str) -> None:
    OBSTACLES[what](place)
    before = snapshot()
    kind = next(word for word in ("symbolic link", *OBSTACLES) if word in what)
    assert kind_of(place) == kind
    for write in (write_atomically, lambda path, _, error: check_writable(path, error)):
        with pytest.raises(MnutsError, match=rf"^cannot write target: it is a {kind}, give the path of a "):
            write(place, b"new", MnutsError)
        assert snapshot() == before
        assert Path("precious").read_text() == "precious"


@pytest.mark.parametrize("what", OBSTACLES)
def test_what_comes_while_it_is_written_is_refused_too(
    place: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda handle: OBSTACLES[what](place))
    with pytest.raises(MnutsError, match="cannot write target: it is a "):
        write_atomically(place, b"new", MnutsError)
    assert sorted(os.listdir()) == ["precious", "target"]
    assert Path("precious").read_text() == "precious"
    assert kind_of(place) != "file"


def test_nothing_lies_below_a_file(place: Path) -> None:
    assert kind_of("precious/below") is None
    for path in ("precious", "precious/below"):
        with pytest.raises(MnutsError, match=f"^cannot make {path}: "):
            make_folder(path, MnutsError)
    with pytest.raises(MnutsError, match=r"^cannot write precious/below: Not a directory"):
        check_writable("precious/below", MnutsError)


def test_a_read_only_file_is_left_even_by_root(place: Path) -> None:
    write_atomically(place, b"old", MnutsError)
    place.chmod(0o444)
    with pytest.raises(MnutsError, match="it is read-only"):
        write_atomically(place, b"new", MnutsError)
    assert place.read_bytes() == b"old"


def test_files_together_are_all_written_or_none(place: Path) -> None:
    write_atomically(place, b"old", MnutsError)
    os.mkfifo("pipe")
    with pytest.raises(MnutsError, match="cannot write pipe"):
        write_together({place: b"new", Path("other"): b"new", Path("pipe"): b"new"}, MnutsError)
    assert place.read_bytes() == b"old"
    assert sorted(os.listdir()) == ["pipe", "precious", "target"]
    os.unlink("pipe")
    assert write_together({place: b"1", Path("other"): b"2"}, MnutsError) == [place, Path("other")]
    assert (place.read_bytes(), Path("other").read_bytes()) == (b"1", b"2")


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_the_umask_holds_and_is_never_changed(
    place: Path, monkeypatch: pytest.MonkeyPatch, umask: int
) -> None:
    before = os.umask(umask)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(os, "umask", lambda mask: pytest.fail("a change is seen by all threads"))
            write_atomically(place, b"new", MnutsError)
    finally:
        os.umask(before)
    assert place.stat().st_mode & 0o777 == 0o666 & ~umask


NAMES = (  # without a slash: none may lead out of the folder
    st.text(st.characters(exclude_characters="/"), max_size=12).filter(lambda name: name != "..")
    | st.integers(240, 260).map("n".__mul__)
)


@settings(max_examples=200, deadline=None)
@given(name=NAMES)
def test_any_name_is_written_or_reported_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    path = folder / name
    try:
        write_atomically(path, b"content", MnutsError)
    except MnutsError as error:
        assert str(error).isprintable()  # noqa: PT017
        assert "\n" not in str(error)  # noqa: PT017
        assert list(folder.iterdir()) == []
        with pytest.raises(MnutsError):
            check_writable(path, MnutsError)
    else:
        assert [file.read_bytes() for file in folder.rglob("*")] == [b"content"]


def test_a_name_as_long_as_names_may_be(place: Path) -> None:
    write_atomically("n" * 255, b"content", MnutsError)
    with pytest.raises(MnutsError, match="File name too long"):
        check_writable("n" * 256, MnutsError)


def test_folders_are_looked_at_before_they_are_made(place: Path) -> None:
    check_folder("a/b/c", MnutsError, "--out")
    assert os.listdir() == ["precious"]
    link_to_folder(Path("link"))
    with pytest.raises(MnutsError, match="--out must name a folder, got the symbolic link link"):
        check_folder("link", MnutsError, "--out")
    with pytest.raises(MnutsError, match="cannot make link: it is a symbolic link"):
        make_folder("link", MnutsError)
    with pytest.raises(MnutsError, match="--out must name a folder, got the file precious"):
        check_folder("precious", MnutsError, "--out")
    for path in ("precious/x", "n" * 256, "a\0b", "/proc/no-such/x"):
        with pytest.raises(MnutsError, match=r"^--out .* cannot be made: "):
            check_folder(path, MnutsError, "--out")


FULL = """
import os, resource, sys
from mnuts_core.errors import MnutsError
from mnuts_core.io.files import write_atomically
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write_atomically("target", bytes(200_000), MnutsError)
except MnutsError as error:
    print(error, os.listdir())
"""


def test_a_full_disk_is_reported_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    assert resource.RLIMIT_FSIZE  # for the process below
    done = subprocess.run(
        [sys.executable, "-c", FULL], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "cannot write target: File too large []\n"

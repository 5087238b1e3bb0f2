"""Files from a visitor: pieces in, a file out, bounded in size."""

import pytest

from mnuts_core.errors import MnutsError
from mnuts_dashboards.widgets import upload as uploads
from mnuts_dashboards.widgets.upload import Incoming, harmless


@pytest.fixture
def make(monkeypatch):
    """Makes what takes files; all count together."""
    monkeypatch.setattr(Incoming, "_total", 0)
    made = []
    yield lambda: made.append(Incoming((".json",))) or made[-1]
    for incoming in made:
        incoming.close()


def send(incoming, name, pieces, size=None):
    """The path of the file once it is complete."""
    incoming.begin(name, sum(map(len, pieces)) if size is None else size)
    return [incoming.piece(piece) for piece in pieces][-1]


def test_pieces_become_a_file(make):
    path = send(make(), "../../my config.json", [b"{", b'"a": 1', b"}"])
    assert path.name == "my config.json"
    assert path.read_bytes() == b'{"a": 1}'


@pytest.mark.parametrize(
    ("name", "pieces", "size", "message"),
    [
        ("x.exe", [b"1"], None, "x.exe must end in .json"),
        ("x.json", [], 0, "must hold 1 byte to 256 MiB, got a size of 0"),
        ("x.json", [], "many", "must hold 1 byte to 256 MiB"),
        ("x.json", [], True, "must hold 1 byte to 256 MiB"),
        ("x.json", [], uploads.MAX_FILE + 1, "must hold 1 byte to 256 MiB"),
        ("x.json", [b"123"], 2, "larger than announced"),
    ],
)
def test_what_is_not_taken_is_reported(make, name, pieces, size, message):
    with pytest.raises(MnutsError, match=message):
        send(make(), name, pieces, size)


def test_one_visitor_cannot_fill_the_disk(make, monkeypatch):
    monkeypatch.setattr(uploads, "MAX_TOTAL", 5)
    incoming = make()
    send(incoming, "a.json", [b"1234"])
    with pytest.raises(MnutsError, match="reload the page"):
        send(incoming, "b.json", [b"12"])


def test_a_piece_of_no_file_is_refused(make):
    with pytest.raises(MnutsError, match="choose it again"):
        make().piece(b"123")


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("a/b.json", "b.json"),
        ("..\\..\\x.json", "x.json"),
        (".json", "json"),
        ("", "file"),
        ("ü\n.json", "ü_.json"),
    ],
)
def test_names_are_made_harmless(name, clean):
    assert harmless(name) == clean


def test_an_unfinished_file_counts_and_its_bytes_are_free_when_it_is_given_up(make, monkeypatch, tmp_path):
    monkeypatch.setattr(uploads, "MAX_TOTAL", 5)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    one, other = make(), make()
    send(one, "a.json", [b"12"], size=4)
    assert len(list(tmp_path.rglob("*.part"))) == 1
    with pytest.raises(MnutsError, match="you may leave"):
        send(other, "b.json", [b"12"])
    one.close()
    assert not list(tmp_path.rglob("*.part"))
    send(other, "b.json", [b"12"])
    send(one, "c.json", [b"1"], size=3)
    send(one, "d.json", [b"1"], size=3)  # in the place of the one before
    assert len(list(tmp_path.rglob("*.part"))) == 1

"""The small widgets of the page: address and clipboard, table, upload. Messages in, calls out."""

import ipywidgets as w
import pytest

from mnuts_dashboards.compare.app import Compare
from mnuts_dashboards.widgets import upload as uploads
from mnuts_dashboards.widgets.browser import Page
from mnuts_dashboards.widgets.heartbeat import Heartbeat
from mnuts_dashboards.widgets.table import Column, Table
from mnuts_dashboards.widgets.upload import Incoming, Upload, harmless
from mnuts_dashboards.widgets.widget import PageWidget


def listening(widget):
    widget.sent = []
    widget.send = lambda content, buffers=None: widget.sent.append(content)
    return widget


def test_the_page_receives_steps_and_reports_arrivals():
    page, seen = listening(Page("compare")), []
    page.on_arrive = lambda *given: seen.append(given)
    page.push("s=1", 1)
    assert (page.link, page.place) == ("s=1", 1)  # for a page that comes later
    assert page.sent == [{"type": "push", "link": "s=1", "place": 1}]
    page._receive(None, {"type": "arrive", "place": 0, "query": "s=2"}, [])
    page._receive(None, {"type": "arrive", "place": None, "query": "s=3"}, [])
    assert seen == [(0, "s=2"), (None, "s=3")]


def test_a_page_that_asks_hears_that_the_kernel_is_there():
    heartbeat = listening(Heartbeat(w.VBox()))
    for content in ({"type": "there?"}, {"type": "other"}, {}):
        heartbeat._receive(None, content, [])
    assert heartbeat.sent == [{"type": "here"}]


def test_a_page_that_has_drawn_the_app_gets_every_state_anew(monkeypatch):
    """What changed between the page's reading and its listening would be lost otherwise."""
    line, table = w.HTML("changed meanwhile"), Table([Column("name", "name")], label="things")
    app = w.VBox([w.HBox([line]), table])
    sent = []
    monkeypatch.setattr(w.Widget, "send_state", lambda widget, key=None: sent.append((widget, key)))
    Heartbeat(app)._receive(None, {"type": "drawn"}, [])
    assert {widget for widget, _ in sent} >= {app, line, line.layout, table}
    assert next("value" in keys for widget, keys in sent if widget is line)
    assert next("rows" in keys and "_esm" not in keys for widget, keys in sent if widget is table)


def test_an_app_of_widgets_has_a_heartbeat():
    assert sum(isinstance(child, Heartbeat) for child in Compare().children) == 1


def test_in_jupyterlab_a_line_of_python_is_copied():
    page, seen = listening(Page("compare")), []
    page.on_copied = seen.append
    page.copy("s=1")
    assert page.sent[0]["code"] == 'compare.open_link("s=1")'
    page._receive(None, {"type": "copied", "text": None}, [])
    assert seen == [None]


def test_a_table_answers_to_rows_that_it_has():
    table = listening(Table([Column("name", "name")], label="things"))
    table.rows = [{"key": 3, "name": "three"}]
    chosen = []
    table.on_choose = chosen.append
    for content in (
        {"type": "choose", "key": 3},
        {"type": "choose", "key": 4},
        {"type": "choose", "key": "3"},
        {"type": "action", "key": 3},
    ):
        table._receive(None, content, [])
    assert chosen == [3]


@pytest.fixture
def upload(monkeypatch):
    monkeypatch.setattr(Incoming, "_total", 0)
    made = Upload(
        (".json",),
        "take",
        take=lambda path: made.taken.append(path),
        refuse=lambda m: made.messages.append(m),
    )
    made.taken, made.messages = [], []
    return listening(made)


def send(upload, name, pieces, size=None):
    total = sum(map(len, pieces)) if size is None else size
    upload._receive(None, {"type": "begin", "name": name, "size": total}, [])
    for piece in pieces:
        upload._receive(None, {"type": "piece"}, [memoryview(piece)])


def test_pieces_become_a_file(upload):
    send(upload, "../../my config.json", [b"{", b'"a": 1', b"}"])
    assert upload.messages == []
    assert upload.taken[0].name == "my config.json"
    assert upload.taken[0].read_bytes() == b'{"a": 1}'
    assert upload.sent == [{"type": "next"}] * 3 + [{"type": "end"}]


@pytest.mark.parametrize(
    ("name", "pieces", "size", "message"),
    [
        ("x.exe", [b"1"], None, "x.exe must end in .json"),
        ("x.json", [], 0, "must hold 1 byte to 256 MiB, got 0 bytes"),
        ("x.json", [], "many", "must hold 1 byte to 256 MiB"),
        ("x.json", [], uploads.MAX_FILE + 1, "must hold 1 byte to 256 MiB"),
        ("x.json", [b"123"], 2, "larger than announced"),
    ],
)
def test_what_is_not_taken_is_reported(upload, name, pieces, size, message):
    send(upload, name, pieces, size)
    assert message in upload.messages[0]
    assert upload.taken == []
    assert upload.sent[-1] == {"type": "end"}


def test_one_visitor_cannot_fill_the_disk(upload, monkeypatch):
    monkeypatch.setattr(uploads, "MAX_TOTAL", 5)
    send(upload, "a.json", [b"1234"])
    send(upload, "b.json", [b"12"])
    assert len(upload.taken) == 1
    assert "reload the page" in upload.messages[0]


def test_pieces_without_a_beginning_are_dropped(upload):
    upload._receive(None, {"type": "piece"}, [b"123"])
    assert (upload.taken, upload.messages) == ([], [])


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


def test_an_unfinished_file_counts_and_its_bytes_are_free_when_it_is_given_up(upload, monkeypatch, tmp_path):
    monkeypatch.setattr(uploads, "MAX_TOTAL", 5)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    other = listening(
        Upload((".json",), "take", take=lambda path: None, refuse=lambda m: other.messages.append(m))
    )
    other.messages = []
    send(upload, "a.json", [b"12"], size=4)
    assert len(list(tmp_path.rglob("*.part"))) == 1
    send(other, "b.json", [b"12"])
    assert "you may leave" in other.messages[0]
    upload._receive(None, {"type": "refused", "message": "gone"}, [])
    assert not list(tmp_path.rglob("*.part"))
    send(other, "b.json", [b"12"])
    assert len(other.messages) == 1
    send(upload, "c.json", [b"1"], size=3)
    assert len(list(tmp_path.rglob("*.part"))) == 1
    upload.close()
    assert not list(tmp_path.rglob("*.part"))


def test_no_bound_lies_in_what_a_page_may_write(upload):
    upload.set_state({"limit": 2**62, "endings": [".exe"], "label": "<b>"})
    assert upload.label == "take"
    send(upload, "x.exe", [b"1"])
    send(upload, "x.json", [], uploads.MAX_FILE + 1)
    send(upload, "x.json", [], True)
    assert upload.taken == []
    assert len(upload.messages) == 3


def test_a_page_writes_only_the_traits_that_it_may():
    """Our widgets' other traits stay as they are, whatever a page sends."""
    found = own_widgets(Compare())
    assert any(isinstance(widget, Heartbeat) for widget in found)
    for widget in found:
        for name in set(widget.trait_names(sync=True)) - widget.from_page - {"layout"}:
            before = getattr(widget, name)
            widget.set_state({name: "evil"})
            assert getattr(widget, name) == before, (type(widget).__name__, name)


def own_widgets(widget):
    """All widgets of ours in an app."""
    found = [widget] if isinstance(widget, PageWidget) else []
    for child in getattr(widget, "children", ()):
        found += own_widgets(child)
    return found

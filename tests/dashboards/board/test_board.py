"""The board without a browser: what it sends, when, and what it does when things go wrong."""

import asyncio
import json

import numpy as np
import pytest

from mnuts_dashboards.board.board import Board
from mnuts_dashboards.board.events import BoardEvent
from mnuts_dashboards.board.packing import Packer
from mnuts_dashboards.board.panels import Panel

DTYPES = {"f4": "<f4", "f8": "<f8", "i4": "<i4", "u1": "|u1"}


class Page:
    """Stands in for the browser: keeps what the board sends and answers as the page would."""

    def __init__(self, board: Board) -> None:
        self.board, self.sent = board, []
        board.send = lambda content, buffers=None: self.sent.append((content, buffers or []))

    def post(self, **content) -> None:
        self.board._receive(self.board, content, [])

    @property
    def frames(self) -> list[dict]:
        return [content for content, _ in self.sent if content["type"] == "frame"]

    def ack(self) -> None:
        self.post(type="ack", id=self.frames[-1]["id"])


@pytest.fixture
def board() -> Board:
    return Board([Panel("a", "First"), Panel("b", "Second", span=4, height=200)])


@pytest.fixture
def page(board) -> Page:
    return Page(board)


def figure(value: float) -> dict:
    return {"data": [{"type": "scatter", "y": np.array([value])}], "layout": {"title": {"text": str(value)}}}


def title(frame: dict, name: str) -> float:
    return float(frame["figures"][name]["layout"]["title"]["text"])


def revive(node, buffer: bytes):
    """What board.js does."""
    if isinstance(node, list):
        return [revive(child, buffer) for child in node]
    if not isinstance(node, dict):
        return node
    if "$nd" not in node:
        return {key: revive(child, buffer) for key, child in node.items()}
    code, offset, shape = node["$nd"]
    return np.frombuffer(buffer, DTYPES[code], int(np.prod(shape)), offset).reshape(shape)


# --- what travels


@pytest.mark.parametrize(
    ("array", "code"),
    [
        (np.arange(3, dtype=np.float32), "f4"),
        (np.arange(3, dtype=np.float64), "f8"),
        (np.arange(3, dtype=">f8"), "f8"),
        (np.arange(3, dtype=np.float16), "f4"),
        (np.arange(3, dtype=np.int32), "i4"),
        (np.arange(3, dtype=np.int64), "i4"),
        (np.array([0, 2**40]), "f8"),
        (np.arange(3, dtype=np.uint8), "u1"),
        (np.arange(3, dtype=np.int8), "i4"),
        (np.arange(12, dtype=np.float32).reshape(3, 4)[:, ::2], "f4"),
        (np.array([1.0, np.nan, np.inf]), "f8"),
        (np.zeros((0, 4)), "f8"),
    ],
)
def test_arrays_travel_as_typed_bytes(array, code):
    packer = Packer()
    packed = packer.figure({"data": [{"x": np.uint8([7]), "y": array}]})
    assert packed["data"][0]["y"]["$nd"][0] == code
    assert packed["data"][0]["y"]["$nd"][1] % 8 == 0
    back = revive(json.loads(json.dumps(packed, allow_nan=False)), packer.buffer())
    np.testing.assert_array_equal(back["data"][0]["y"], array)
    np.testing.assert_array_equal(back["data"][0]["x"], [7])


def test_what_has_no_typed_array_is_plain_json():
    given = {
        "name": np.str_("cells"),
        "text": np.array(["a", "b"]),
        "visible": np.array([True, False]),
        "x": np.array(["2024-01-01"], dtype="datetime64[D]"),
        "size": np.float32(2.5),
        "hole": float("nan"),
        "customdata": np.array([1, "x", None], dtype=object),
        "range": (0, 1),
    }
    packed = Packer().figure({"data": [given], "layout": {"xaxis": {"range": np.array([0.0, np.inf])}}})
    assert json.loads(json.dumps(packed, allow_nan=False)) == {
        "data": [
            {
                "name": "cells",
                "text": ["a", "b"],
                "visible": [True, False],
                "x": ["2024-01-01"],
                "size": 2.5,
                "hole": None,
                "customdata": [1, "x", None],
                "range": [0, 1],
            }
        ],
        "layout": {"xaxis": {"range": [0.0, None]}},
    }


def test_one_message_with_one_buffer_per_update(board, page):
    page.post(type="ready")
    board.draw({"a": figure(1), "b": figure(2)}, {"a": "n = 1"})
    assert len(page.sent) == 1
    content, buffers = page.sent[0]
    assert len(buffers) == 1
    assert sorted(content["figures"]) == ["a", "b"]
    assert content["notes"] == {"a": "n = 1"}
    np.testing.assert_array_equal(revive(content["figures"]["b"], buffers[0])["data"][0]["y"], [2.0])


def test_only_changed_arrays_travel_and_a_new_page_gets_all(board, page):
    page.post(type="ready")
    x, y = np.arange(5.0), np.zeros(5)
    drawn = {"a": {"data": [{"type": "scatter", "x": x, "y": y}]}}
    board.draw(drawn)
    page.ack()
    y += 1.0  # in place: what was sent is not what is here
    board.draw(drawn)
    content, buffers = page.sent[-1]
    trace = content["figures"]["a"]["data"][0]
    assert trace["x"] == {"$as": "before"}
    np.testing.assert_array_equal(revive(trace["y"], buffers[0]), np.ones(5))
    assert len(buffers[0]) == y.nbytes
    assert [frame["after"] for frame in page.frames] == [0, page.frames[0]["id"]]
    page.post(type="ready")
    content, buffers = page.sent[-1]
    np.testing.assert_array_equal(revive(content["figures"]["a"], buffers[0])["data"][0]["x"], x)
    assert content["after"] == 0


def test_only_changed_panels_travel(board, page):
    page.post(type="ready")
    board.draw({"a": figure(1), "b": figure(2)})
    page.ack()
    board.draw({"b": figure(3)})
    assert list(page.frames[-1]["figures"]) == ["b"]


# --- back-pressure


def test_nothing_leaves_and_nothing_is_made_before_a_page_listens(board, page):
    calls = []
    board.request(lambda visible: calls.append(visible) or {})
    board.draw({"a": figure(1)})
    assert (page.sent, calls) == ([], [])
    page.post(type="ready")
    assert calls == [frozenset({"a", "b"})]
    assert title(page.frames[0], "a") == 1


def test_one_frame_in_flight_and_the_newest_request_wins(board, page):
    page.post(type="ready")
    made = []

    def maker(value):
        return lambda visible: made.append(value) or {"a": figure(value)}

    for value in range(10):
        board.request(maker(value))
    assert made == [0]
    page.ack()
    assert made == [0, 9]
    page.ack()
    assert made == [0, 9]
    assert [title(frame, "a") for frame in page.frames] == [0, 9]


def test_draws_while_in_flight_merge_into_one_frame(board, page):
    page.post(type="ready")
    board.draw({"a": figure(0)})
    board.draw({"a": figure(1)})
    board.draw({"b": figure(2)})
    board.draw({"a": figure(3)})
    assert len(page.frames) == 1
    page.ack()
    assert len(page.frames) == 2
    assert (title(page.frames[1], "a"), title(page.frames[1], "b")) == (3, 2)


def test_a_maker_may_draw_and_request(board, page):
    page.post(type="ready")

    def make(visible):
        board.draw({"b": figure(2)})
        board.request(lambda visible: {"a": figure(9)})
        return {"a": figure(1)}

    board.request(make)
    assert (title(page.frames[0], "a"), title(page.frames[0], "b")) == (1, 2)
    page.ack()
    assert title(page.frames[1], "a") == 9


def test_only_visible_panels_are_asked_for_and_the_rest_when_it_appears(board, page):
    page.post(type="ready")
    board.visible = ["a"]
    asked = []
    board.request(lambda visible: asked.append(visible) or {name: figure(1) for name in visible})
    page.ack()
    assert asked == [{"a"}]
    board.visible = ["a", "b"]
    assert asked == [{"a"}, {"a", "b"}]
    page.ack()
    board.visible = ["b"]
    assert len(asked) == 2


# --- what goes wrong


def test_a_lost_acknowledgement_frees_the_board_by_the_clock(board, page):
    board.timeout = 0.0
    page.post(type="ready")
    board.draw({"a": figure(1)})
    board.draw({"a": figure(2)})
    assert [title(frame, "a") for frame in page.frames] == [1, 2]


def test_a_lost_acknowledgement_frees_the_board_on_the_event_loop(board, page):
    async def drag() -> None:
        board.timeout = 0.02
        page.post(type="ready")
        board.request(lambda visible: {"a": figure(1)})
        board.request(lambda visible: {"a": figure(2)})
        assert len(page.frames) == 1
        async with asyncio.timeout(5):
            while len(page.frames) < 2:
                await asyncio.sleep(0.01)

    asyncio.run(drag())
    assert title(page.frames[1], "a") == 2


def test_a_page_that_is_gone_costs_no_more_work_until_it_speaks(board, page):
    board.timeout = 0.0
    page.post(type="ready")
    for value in range(20):
        board.draw({"a": figure(value)})
    assert len(page.frames) == board.patience
    board.timeout = 2.0
    page.ack()  # slow, not gone
    assert title(page.frames[-1], "a") == 19


def test_a_late_acknowledgement_does_not_free_the_next_frame(board, page):
    board.timeout = 0.0
    page.post(type="ready")
    board.draw({"a": figure(1)})
    board.draw({"a": figure(2)})
    board.timeout = 60.0
    page.post(type="ack", id=page.frames[0]["id"])
    board.draw({"a": figure(3)})
    assert len(page.frames) == 2


def test_an_error_in_a_maker_is_reported_and_leaves_the_board_working():
    errors = []
    board = Board([Panel("a", "First")], on_error=errors.append)
    page = Page(board)
    page.post(type="ready")
    board.request(lambda visible: 1 / 0)
    assert [type(error) for error in errors] == [ZeroDivisionError]
    board.request(lambda visible: {"a": figure(1)})
    assert title(page.frames[0], "a") == 1


def test_without_a_callback_the_error_is_raised_and_leaves_the_board_working(board, page):
    page.post(type="ready")
    with pytest.raises(ZeroDivisionError):
        board.request(lambda visible: 1 / 0)
    board.draw({"a": figure(1)})
    assert len(page.frames) == 1


def test_a_new_page_gets_everything_even_with_a_frame_in_flight(board, page):
    page.post(type="ready")
    board.draw({"a": figure(1), "b": figure(2)}, {"b": "n = 2"})
    page.ack()
    board.draw({"a": figure(3)})
    page.post(type="ready")
    frame = page.frames[-1]
    assert (title(frame, "a"), title(frame, "b"), frame["notes"]) == (3, 2, {"b": "n = 2"})


def test_bad_names_and_figures_are_refused_by_name(board):
    with pytest.raises(ValueError, match=r"No such panel: \['c'\].*\['a', 'b'\]"):
        board.draw({"c": figure(1)})
    with pytest.raises(ValueError, match="Figure 'a' must be Plotly JSON"):
        board.draw({"a": {"layout": {}}})
    with pytest.raises(ValueError, match="span must be 1 to 12 columns, got 13"):
        Panel("a", "First", span=13)
    with pytest.raises(ValueError, match="must differ"):
        Board([Panel("a", "First"), Panel("a", "Again")])


# --- events and files


def test_events_reach_those_who_asked_for_their_kind(board, page):
    clicks, everything = [], []
    board.on_event(clicks.append, kinds=["click"])
    assert board.wanted == ["click"]
    board.on_event(everything.append)
    assert len(board.wanted) == 5
    point = {"curve": 0, "point": 3, "x": 1.5, "y": 2, "customdata": [7]}
    page.post(type="event", panel="a", kind="click", points=[point])
    page.post(type="event", panel="b", kind="relayout", points=[], detail={"xaxis.range[0]": 0.5})
    page.post(type="event", panel="nowhere", kind="click", points=[])
    page.post(type="event", panel="a", kind="mystery", points=[])
    page.post(type="nonsense")
    assert clicks == [BoardEvent("a", "click", (point,))]
    assert everything == [clicks[0], BoardEvent("b", "relayout", (), {"xaxis.range[0]": 0.5})]


def test_what_the_page_cannot_draw_is_reported():
    errors = []
    page = Page(Board([Panel("a", "First")], on_error=errors.append))
    page.post(type="error", panel="a", message="no such trace type")
    assert "'a' could not be drawn: no such trace type" in str(errors[0])


def test_download_sends_the_text_as_bytes(board, page):
    board.download("mix.json", '{"α": 1}')
    content, buffers = page.sent[0]
    assert content == {"type": "download", "filename": "mix.json", "mime": "application/json"}
    assert json.loads(bytes(buffers[0])) == {"α": 1}


def test_the_library_is_sent_where_there_is_no_server_of_ours(board, page):
    page.post(type="library")
    content, buffers = page.sent[0]
    assert content == {"type": "library"}
    assert b"plotly.js (cartesian" in bytes(buffers[0][:100])

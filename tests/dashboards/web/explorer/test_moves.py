"""Which axes stay while a slider moves: never one that marks would leave."""

from __future__ import annotations

from typing import Any

import pytest

MOVES = "charts/moves.js"


def figure(*ends: float, **axis: Any) -> dict[str, Any]:
    """A line between the ends of its axis."""
    trace = {"type": "scatter", "x": [0, 1], "y": list(ends)}
    return {"data": [trace], "layout": {"yaxis": {"range": list(ends), **axis}}}


def moved(page, before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Whether the frame only moves marks, on the axes that are drawn."""
    return page.call(MOVES, "movesOf", [before, after])[0] is not None


def given_room(page, before: dict[str, Any], after: dict[str, Any]) -> list[float]:
    return page.call(MOVES, "roomy", [before["layout"], after["layout"]])[0]["yaxis"]["range"]


@pytest.mark.parametrize(
    ("ends", "stays"),
    [
        ((0, 10), True),
        ((2, 9), True),
        ((4, 5.5), True),
        ((4, 4.5), False),
        ((0, 10.01), False),
        ((-1, 9), False),
    ],
)
def test_an_axis_stays_while_all_marks_lie_on_it_and_can_be_told_apart(page, ends, stays):
    assert moved(page, figure(0, 10), figure(*ends)) is stays


def test_an_axis_that_is_outgrown_gets_room_on_that_side(page):
    assert given_room(page, figure(0, 10), figure(0, 12)) == [0, 36]
    assert given_room(page, figure(0, 10), figure(-2, 10)) == [-26, 10]
    assert given_room(page, figure(0, 10), figure(4, 4.5)) == [4, 4.5]


def test_no_room_is_given_where_there_is_nothing_to_be_seen(page):
    shares = {"minallowed": -5, "maxallowed": 105}
    assert given_room(page, figure(80, 90, **shares), figure(60, 100, **shares)) == [-5, 105]
    units = {"tickvals": [-1, 0, 1]}
    assert given_room(page, figure(-0.1, 1.1, **units), figure(-1.1, 1.1, **units)) == [-1.1, 1.1]

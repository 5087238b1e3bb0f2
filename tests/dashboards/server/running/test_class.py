"""A class's predictions on a real server: visitors are counted, the teacher's key shows the counts."""

import json

import pytest

from mnuts_dashboards.lesson.questions import PARTS
from tests.dashboards.server.running.client import ask, port

COUNTS = "/class?bundle=0&question=line"


def say(served, body, origin=None, **more):
    own = origin or f"http://127.0.0.1:{port(served)}"
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ask(served, "/class", method="POST", body=text, Origin=own, **more)


def counts(served, key):
    return json.loads(ask(served, COUNTS, X_Class_Key=key).text)["counts"]


def test_a_prediction_is_counted_once_and_shown_to_the_teacher_alone(served, kernel, teacher_key):
    said = {"page": kernel, "bundle": 0, "question": "line", "part": 4}
    assert json.loads(say(served, said).text) == {"counted": True}
    assert json.loads(say(served, said | {"part": 5}).text) == {"counted": False}
    assert counts(served, teacher_key) == [0, 0, 0, 0, 1] + [0] * (PARTS - 5)
    assert [ask(served, COUNTS).status, ask(served, COUNTS, X_Class_Key="guess").status] == [403, 403]
    assert ask(served, "/class?bundle=0&question=../line", X_Class_Key=teacher_key).status == 400


@pytest.mark.parametrize(
    "change",
    [
        {"part": 1e99},
        {"part": True},
        {"part": "4"},
        {"bundle": None},
        {"question": ["line"]},
        {"name": "Ann"},
    ],
)
def test_strange_predictions_are_refused(served, kernel, teacher_key, change):
    before = counts(served, teacher_key)
    assert say(served, {"page": kernel, "bundle": 0, "question": "line", "part": 4} | change).status == 400
    assert counts(served, teacher_key) == before


def test_hostile_requests_do_nothing(served, kernel, teacher_key):
    said = {"page": kernel, "bundle": 0, "question": "norm", "part": 1}
    statuses = [
        say(served, b"[" * 500).status,
        say(served, b"1" * 5000).status,
        say(served, b"\xff\xfe").status,
        say(served, said, origin="https://evil.example").status,
        say(served, said, token=None).status,
        ask(served, "/class", method="POST", body=json.dumps(said)).status,
    ]
    assert statuses == [400, 400, 400, 403, 403, 403]
    assert say(served, said | {"page": "somebody-else"}).status == 410, "who is not here is told so"

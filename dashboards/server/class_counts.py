"""What a class predicts: counts for each question, without names, in memory, as long as the server runs.

A page says in which part of the scale its answer lies; a visitor counts once for each question. All that can
be said is known beforehand, so that nothing that comes in can make the table grow.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Container

from tornado.web import HTTPError

from mnuts_dashboards.lesson.questions import MAX_BUNDLES, PARTS, QUESTIONS
from mnuts_dashboards.server.gate import Gate

MAX_BYTES = 512
"""Of one prediction, as JSON."""
_FIELDS = {"page": str, "bundle": int, "question": str, "part": int}


class ClassCounts:
    """Counts of a class's predictions.

    Args:
        visitors: Who is here, by kernel: nobody else is counted.
    """

    def __init__(self, visitors: Container[str]) -> None:
        self._visitors = visitors
        self._counts: dict[tuple[int, str], list[int]] = {}
        self._answered: dict[str, set[tuple[int, str]]] = {}  # by visitor: which questions, not what

    def add(self, visitor: str, bundle: int, question: str, part: int) -> bool:
        """Count a prediction; False where it is none, or this visitor's second one.

        Args:
            visitor: The page's kernel.
            bundle: Place of the bundle among those that the page offers, from 0.
            question: One of `QUESTIONS`.
            part: In which part of the scale it lies, from 0.
        """
        if not self.knows(visitor) or question not in QUESTIONS:
            return False
        if not 0 <= bundle < MAX_BUNDLES or not 0 <= part < PARTS:
            return False
        self._answered = {one: asked for one, asked in self._answered.items() if one in self._visitors}
        answered = self._answered.setdefault(visitor, set())
        if (bundle, question) in answered:
            return False
        answered.add((bundle, question))
        self._counts.setdefault((bundle, question), [0] * PARTS)[part] += 1
        return True

    def knows(self, visitor: str) -> bool:
        """Whether a page's visitor is here, so that its predictions are counted."""
        return visitor in self._visitors

    def of(self, bundle: int, question: str) -> list[int]:
        """How many predictions lie in each part."""
        return list(self._counts.get((bundle, question), [0] * PARTS))


class ClassHandler(Gate):
    """Takes predictions from the class's pages, and shows the counts to who has the teacher's key."""

    def initialize(self, counts: ClassCounts, key: str) -> None:
        """See `tornado.web.RequestHandler`."""
        self._counts, self._key = counts, key

    def check_xsrf_cookie(self) -> None:
        """Nothing: `post` asks for an origin, and the gate has refused those of other sites."""

    def post(self) -> None:
        """Count a prediction: `{"page", "bundle", "question", "part"}`; answers whether it counts.

        Raises:
            HTTPError: 403 without an origin, 410 for a page whose kernel has ended, 400 for anything else.
        """
        if "Origin" not in self.request.headers:
            raise HTTPError(403)
        said = _prediction(self.request.body)
        if not self._counts.knows(said[0]):
            raise HTTPError(410)
        self._answer({"counted": self._counts.add(*said)})

    def get(self) -> None:
        """The counts of a question, `?bundle=0&question=line`.

        Raises:
            HTTPError: 403 without the teacher's key, 400 for a question that there is not.
        """
        given = self.request.headers.get("X-Class-Key", "").encode()
        if not hmac.compare_digest(given, self._key.encode()):
            raise HTTPError(403)
        bundle, question = self.get_query_argument("bundle", ""), self.get_query_argument("question", "")
        if bundle not in map(str, range(MAX_BUNDLES)) or question not in QUESTIONS:
            raise HTTPError(400)
        self._answer({"counts": self._counts.of(int(bundle), question)})

    def _answer(self, value: dict[str, object]) -> None:
        self.set_header("Cache-Control", "no-store")
        self.finish(value)


def _prediction(body: bytes) -> tuple[str, int, str, int]:
    try:
        said = json.loads(body) if len(body) <= MAX_BYTES else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or said.keys() != _FIELDS.keys():
        raise HTTPError(400)
    if any(type(said[name]) is not kind for name, kind in _FIELDS.items()):  # True is no number here
        raise HTTPError(400)
    return said["page"], said["bundle"], said["question"], said["part"]

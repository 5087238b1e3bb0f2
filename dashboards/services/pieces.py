"""Answers that are too long for one message: the page fetches their bytes in pieces.

A server closes a connection on which too much lies unfetched; pieces asked for one by one never pile up.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from mnuts_core.errors import MnutsError

PIECE = 8 * 2**20
"""Bytes of a message at most."""
MOST_KEPT = 4
"""So many answers wait for their pages, which may be gone."""


class Unfetched:
    """The bytes of answers that pages have not fetched yet."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def keep(self, identity: str, buffers: Sequence[bytes]) -> None:
        """Keep an answer's bytes; the oldest of too many is dropped.

        Args:
            identity: Of the call.
            buffers: The bytes.
        """
        self._kept[identity] = b"".join(buffers)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    def piece(self, identity: object, start: object) -> bytes:
        """The next piece of an answer; with its last one the answer is dropped.

        Args:
            identity: Of the call.
            start: The piece's first byte.

        Raises:
            MnutsError: If there is no such answer, or nothing from there on.
        """
        content = self._kept.get(identity) if isinstance(identity, str) else None
        if content is None or type(start) is not int or not 0 <= start < len(content):
            raise MnutsError("the rest of this answer is no longer here: try again, or reload the page")
        end = start + PIECE
        if end >= len(content):
            del self._kept[str(identity)]
        return content[start:end]

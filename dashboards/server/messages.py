"""What a page may send to its kernel: checked before anything else looks at it.

Jupyter's own reader believes what a message claims of itself: 64 bytes of 0xff claim 2^64 - 1 offsets, and
while they are counted one by one nobody is served. Here a message is refused unless its parts lie inside it,
and only the few kinds that a page needs reach a kernel. None of them runs code.
"""

from __future__ import annotations

import itertools
import json
import re
import struct
from typing import Any, NamedTuple

V1 = "v1.kernel.websocket.jupyter.org"
"""The newer of Jupyter's two protocols; the other one has no name."""
MAX_MESSAGE = 8 * 2**20
"""Bytes of one message; a piece of an upload is 1 MiB."""
MAX_JSON = 2**20
"""Bytes of each JSON part of a message."""
MAX_DEPTH = 64
"""Levels of lists and objects in each other."""
MAX_PARTS = 64
CHANNEL = "shell"
ALLOWED = frozenset({"comm_open", "comm_close", "comm_msg", "comm_info_request", "kernel_info_request"})
PARTS = ("header", "parent_header", "metadata", "content")

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_IDLE = re.compile(rb'"execution_state": ?"idle"')
_BRACKET = re.compile(rb"[\[\]{}]")


class BadMessageError(ValueError):
    """Why a message is none, in one sentence without anything of the message."""


class Kind(NamedTuple):
    """What a message is, as far as the server has to know."""

    channel: str
    type: str

    @property
    def allowed(self) -> bool:
        """Whether a page needs this kind."""
        return self.channel == CHANNEL and self.type in ALLOWED


def kind_of(message: str | bytes, protocol: str | None) -> Kind:
    """Read a message as its kernel would, within bounds.

    Args:
        message: As it came from the websocket.
        protocol: `V1`, or None for the legacy protocol.

    Raises:
        BadMessageError: It is damaged, too large or too deep.
    """
    if len(message) > MAX_MESSAGE:
        raise BadMessageError(f"a message may have {MAX_MESSAGE} bytes")
    if protocol == V1:
        if isinstance(message, str):
            raise BadMessageError("this protocol has binary messages only")
        return _kind_v1(message)
    text = message.encode("utf-8", "surrogatepass") if isinstance(message, str) else _legacy_json(message)
    whole = _parse(text, "the message")
    channel = whole.get("channel")
    for name in PARTS:
        if not isinstance(whole.get(name), dict):
            raise BadMessageError(f"{name} must be an object")
    if not isinstance(whole.get("buffers", []), list):
        raise BadMessageError("buffers must be a list")
    return Kind(_text(channel, "channel"), _text(whole["header"].get("msg_type"), "msg_type"))


def _kind_v1(message: bytes) -> Kind:
    """Offsets of 8 bytes: their number, the ends of the offsets, of the channel and of each part."""
    offsets = _offsets(message, "<Q", least=6)
    if offsets[-1] != len(message):
        raise BadMessageError("the last offset must be the end of the message")
    channel, *parts = [message[start:end] for start, end in itertools.pairwise(offsets)]
    header, *_ = [_parse(part, name) for name, part in zip(PARTS, parts, strict=False)]
    try:
        name = channel.decode("utf-8")
    except UnicodeDecodeError:
        raise BadMessageError("the channel must be UTF-8") from None
    return Kind(name, _text(header.get("msg_type"), "msg_type"))


def _legacy_json(message: bytes) -> bytes:
    """Offsets of 4 bytes: their number, the beginnings of the JSON and of each buffer."""
    offsets = _offsets(message, "!I", least=1)
    return message[offsets[0] : [*offsets, len(message)][1]]


def _offsets(message: bytes, code: str, *, least: int) -> tuple[int, ...]:
    """The offsets at the beginning of a binary message, each inside it and none before the one ahead."""
    width = struct.calcsize(code)
    if len(message) < width:
        raise BadMessageError("a binary message begins with the number of its parts")
    (count,) = struct.unpack_from(code, message)
    end = width * (count + 1)
    if not least <= count <= MAX_PARTS or end > len(message):
        raise BadMessageError(f"the number of parts must be {least} to {MAX_PARTS}")
    offsets = struct.unpack_from(f"{code[0]}{count}{code[1]}", message, width)
    if offsets[0] != end or list(offsets) != sorted(offsets) or offsets[-1] > len(message):
        raise BadMessageError("the parts must lie one after the other inside the message")
    return offsets


def _parse(text: bytes, name: str) -> dict[str, Any]:
    """A JSON object of bounded size and depth, in which no key stands twice."""
    if len(text) > MAX_JSON:
        raise BadMessageError(f"{name} may have {MAX_JSON} bytes")
    if _depth(text) > MAX_DEPTH:
        raise BadMessageError(f"{name} may have {MAX_DEPTH} levels")
    try:
        value = json.loads(text.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except BadMessageError:
        raise
    except (ValueError, RecursionError):
        raise BadMessageError(f"{name} must be JSON") from None
    if not isinstance(value, dict):
        raise BadMessageError(f"{name} must be an object")
    return value


def _depth(text: bytes) -> int:
    """How deep lists and objects lie in each other; without recursion, and never mind if it is JSON."""
    if text.count(b"[") + text.count(b"{") <= MAX_DEPTH:
        return 0
    deepest = depth = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", text)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    whole = dict(pairs)
    if len(whole) != len(pairs):
        raise BadMessageError("a key stands twice")  # readers differ in which of the two they take
    return whole


def _no_constant(name: str) -> None:
    raise BadMessageError(f"{name} is no JSON")


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise BadMessageError(f"{name} must be text")
    return value


def sent_type(message: str | bytes, protocol: str | None) -> str | None:
    """The type of a message from a kernel; None if it cannot be read.

    Voilà reads every binary message as one of `V1`: one of the legacy protocol claims billions of offsets
    then, and the server freezes.

    Args:
        message: As it goes to the websocket.
        protocol: `V1`, or None for the legacy protocol.
    """
    try:
        if protocol == V1 and isinstance(message, bytes):
            _, start, end = _offsets(message, "<Q", least=6)[:3]
            kind = json.loads(message[start:end]).get("msg_type")
        else:
            text = message if isinstance(message, str) else _legacy_json(message)
            kind = json.loads(text)["header"]["msg_type"]
        return kind if isinstance(kind, str) else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def says_idle(message: str | bytes) -> bool:
    """Whether a message of type `status` says that the kernel has finished with one of the page's."""
    return _IDLE.search(message.encode() if isinstance(message, str) else message) is not None

"""Selected images as one text of the state and of links: `3,5-9;margin of M(h) 0.10 to 0.20`.

Their numbers, and what they have in common. Where the numbers would be long, a bit for each image stands in
their place, in base64url after a tilde. The page has the same in `dashboards/web/app/images.js`.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterable

import numpy as np

from mnuts_core.errors import ParameterError

MOST = 200_000
"""So many characters the whole text may have."""
MOST_IN_LINK = 3000
"""And in a link: of 18,000 images any can be in it, of more as long as they are together."""
MOST_WORDS = 160
READABLE = 60
"""So many characters of numbers stand as they are."""
_NUMBERS = re.compile(r"(?:\d{1,7}(?:-\d{1,7})?(?:,\d{1,7}(?:-\d{1,7})?)*)?", re.ASCII)
_BITS = re.compile(r"~(?:[\w-]{4})*(?:[\w-]{2,3})?", re.ASCII)


def write_images(rows: Iterable[int], words: str = "") -> str:
    """The text for some images.

    Args:
        rows: Clean rows.
        words: What they have in common.

    Example:
        >>> write_images([3, 5, 6, 7, 8, 9], "digit 4")
        '3,5-9;digit 4'
    """
    ordered = sorted(set(rows))
    short = words if len(words) <= MOST_WORDS else f"{words[: MOST_WORDS - 1]}…"
    numbers, bits = _ranges(ordered), _bits(ordered)
    images = numbers if len(numbers) <= max(READABLE, len(bits)) else bits
    return images + (f";{short}" if short else "")


def check_images(text: str) -> str:
    """The text, if it is one for images.

    Raises:
        ParameterError: If it is none.
    """
    images, _, words = text.partition(";")
    said = len(words) <= MOST_WORDS and not any(unicodedata.category(one) == "Cc" for one in words)
    if len(text) <= MOST and said and (_BITS.fullmatch(images) or _in_order(images)):
        return text
    raise ParameterError(f"selected must be numbers of images, such as 3,5-9, got {text[:40]!r}")


def in_link(text: str) -> str:
    """What a link has of it: nothing where it is too long."""
    return text if len(text) <= MOST_IN_LINK else ""


def read_images(text: str, n: int) -> tuple[int, ...]:
    """The clean rows that a text names, ascending.

    Args:
        text: The text.
        n: The number of clean images; there are no others.

    Raises:
        ParameterError: If the text is none for images.

    Example:
        >>> read_images("3,5-9;digit 4", 8)
        (3, 5, 6, 7)
    """
    images = check_images(text).partition(";")[0]
    marks = np.zeros(n, np.bool_)
    if images.startswith("~"):
        padded = images[1:] + "=" * (-len(images[1:]) % 4)
        data = np.frombuffer(base64.urlsafe_b64decode(padded), np.uint8)
        bits = np.unpackbits(data, bitorder="little")[:n]
        marks[: len(bits)] = bits
    else:
        for first, last in _ends(images):
            marks[first : last + 1] = True
    return tuple(np.flatnonzero(marks).tolist())


def _ends(images: str) -> list[tuple[int, int]]:
    """The first and last image of each range."""
    ranges = [one.partition("-") for one in images.split(",") if one]
    return [(int(first), int(last or first)) for first, _, last in ranges]


def _in_order(images: str) -> bool:
    return bool(_NUMBERS.fullmatch(images)) and all(first <= last for first, last in _ends(images))


def _ranges(rows: list[int]) -> str:
    ranges: list[list[int]] = []
    for row in rows:
        if ranges and row == ranges[-1][1] + 1:
            ranges[-1][1] = row
        else:
            ranges.append([row, row])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def _bits(rows: list[int]) -> str:
    marks = np.zeros(max(rows, default=0) + 1, np.uint8)
    marks[rows] = 1
    packed = np.packbits(marks, bitorder="little").tobytes()
    return "~" + base64.urlsafe_b64encode(packed).decode("ascii").rstrip("=")

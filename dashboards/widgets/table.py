"""A column of a table, declared once for all who fill or save it."""

from __future__ import annotations

from typing import NamedTuple


class Column(NamedTuple):
    """One column.

    Attributes:
        key: Name of the row's entry.
        label: Heading.
        numeric: Whether it is aligned and sorted as numbers.
        digits: Digits after the point of a number.
        help: Tooltip of the heading.
    """

    key: str
    label: str
    numeric: bool = False
    digits: int = 0
    help: str = ""

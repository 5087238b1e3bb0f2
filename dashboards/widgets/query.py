"""Reading values from a URL's query, which anybody may have written."""

from __future__ import annotations

from collections.abc import Callable, Collection

from mnuts_core.errors import ParameterError
from mnuts_dashboards.widgets.entries import read_number

FROM_LINK = "the link has"
"""Whose number it is, for a message."""

MAX_QUERY = 8000
"""Characters; browsers and servers take no longer address for certain."""

FOREIGN = frozenset({"token", "theme", "reset"})
"""Words of the query that belong to the server or the page, not to the view."""


def parameter_reader(name: str) -> Callable[[str], float]:
    """A function that reads a parameter's value; it raises `ParameterError` where that is wrong."""
    return lambda text: read_number(name, text, FROM_LINK)


def read_whole(name: str, text: str) -> int:
    """A whole number.

    Raises:
        ParameterError: If the text is none.
    """
    try:
        return int(text) if len(text) < 20 else int("")
    except ValueError:
        raise ParameterError(f"{name} must be a whole number, got {text[:40]!r}") from None


def one_of(name: str, text: str, allowed: Collection[str]) -> str:
    """The text, if it is one of those allowed.

    Raises:
        ParameterError: If not.
    """
    if text not in allowed:
        raise ParameterError(f"{name} must be one of {', '.join(allowed)}, got {text[:40]!r}")
    return text

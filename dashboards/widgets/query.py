"""Reading values from a URL's query, which anybody may have written."""

from __future__ import annotations

from collections.abc import Collection

from mnuts_core.errors import ParameterError

FROM_LINK = "the link has"
"""Whose number it is, for a message."""

MAX_QUERY = 8000
"""Characters; browsers and servers take no longer address for certain."""

FOREIGN = frozenset({"token", "theme", "reset"})
"""Words of the query that belong to the server or the page, not to the view."""


def one_of(name: str, text: str, allowed: Collection[str]) -> str:
    """The text, if it is one of those allowed.

    Raises:
        ParameterError: If not.
    """
    if text not in allowed:
        raise ParameterError(f"{name} must be one of {', '.join(allowed)}, got {text[:40]!r}")
    return text

"""What stands inside a script element of a page: nothing in it may end the element, or begin another."""

from __future__ import annotations

import json
import re
from typing import Any

from markupsafe import Markup

from mnuts_core.errors import MnutsError
from mnuts_core.text import visible_json

_ESCAPED = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}
_MARKUP = re.compile(r"<(?:!--|/?script)", re.IGNORECASE)


def json_in_script(value: Any) -> Markup:
    r"""A value as JSON that may stand inside a script element; it means the same as before.

    Args:
        value: Plain JSON; a number that is not finite is refused.

    Example:
        >>> json_in_script({"name": "</script>"})
        Markup('{"name":"\\u003c/script\\u003e"}')
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(visible_json(text.translate(_ESCAPED)))


def library_in_script(source: str) -> Markup:
    """A script as it is, inside a script element.

    Args:
        source: A published library, or a packed script of our own.

    Raises:
        MnutsError: If it holds what could end the element.
    """
    if found := _MARKUP.search(source):
        raise MnutsError(f"a script of the page holds {found[0]!r}, which ends a script element: escape it")
    return Markup(source)

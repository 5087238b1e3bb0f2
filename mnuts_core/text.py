"""Text that somebody else wrote, made fit to be shown: nothing invisible, one line where it must be."""

from __future__ import annotations

import html
import json
import reprlib
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

MESSAGE = 900
"""So many characters an error's message may have."""
_CUT = " [...] "


def visible(text: str, keep: str = "") -> str:
    r"""The text with its control, bidi and other invisible characters escaped, and unchanged else.

    Terminals obey control characters, and bidi characters let text read as another: so both are shown,
    wherever they come from. Spaces of all widths stay.

    Args:
        text: Any text.
        keep: Characters that stay as they are.

    Example:
        >>> visible("cat\u202etac\n")
        'cat\\u202etac\\n'
    """
    if text.isprintable():
        return text
    return "".join(char if _harmless(char) or char in keep else _escaped(char) for char in text)


def one_line(text: str, limit: int = MESSAGE) -> str:
    r"""The text in one visible line of at most `limit` characters; what is too long is cut in its middle.

    Args:
        text: Any text; runs of white space become one space.
        limit: So many characters at most.

    Example:
        >>> one_line("a\nb" + 50 * "c", 20)
        'a bcccccc [...] cccc'
    """
    text = visible(" ".join(text.split()))
    if len(text) <= limit:
        return text
    room = limit - len(_CUT)
    end = room // 3  # the remedy stands at the end
    return text[: room - end] + _CUT + text[len(text) - end :]


def counted(n: int, one: str, more: str = "") -> str:
    """How many of something there are, in words.

    Args:
        n: How many.
        one: What one is called.
        more: What several are called; empty: the same with an s.

    Example:
        >>> counted(1, "attacked image"), counted(1200, "image"), counted(2, "class", "classes")
        ('1 attacked image', '1,200 images', '2 classes')
    """
    return f"{n:,} {one if n == 1 else more or f'{one}s'}"


def shortened(value: object, limit: int = 80) -> str:
    """A value for a message: its repr, cut where it is long or deep, whatever it holds."""
    try:
        text = visible(_Repr().repr(value))
    except Exception:  # a stranger's value may refuse: say, an integer of 5,000 digits
        text = f"a {type(value).__name__}"
    return text if len(text) <= limit else text[: limit - 3] + "..."


def visible_json(text: str) -> str:
    r"""JSON text in which no invisible character stands as it is; it means the same as before.

    Example:
        >>> visible_json('{"name": "a\u202e"}')
        '{"name": "a\\u202e"}'
    """
    if text.isprintable():
        return text
    return "".join(char if _harmless(char) or char == "\n" else json.dumps(char)[1:-1] for char in text)


def escape(text: str, quote: bool = True) -> str:
    r"""Text for an HTML page: nothing in it is markup, nothing invisible; line ends stay.

    Args:
        text: Any text.
        quote: Escape quotes too, for attributes.

    Example:
        >>> escape("<b>\u202e")
        '&lt;b&gt;\\u202e'
    """
    return html.escape(visible(text, keep="\n"), quote)


def html_templates(folder: Path) -> Environment:
    """A package's HTML templates: whatever is filled in is escaped, unless it is HTML already (`Markup`).

    Each package has its own, of the same rules, since the core does not know where the dashboards lie.

    Args:
        folder: The package's folder; templates are named by their path from it.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # `mnuts --help` needs none

    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _finalized(value: object) -> object:
    """A value as a template fills it in: text with nothing invisible, HTML and all else as it is."""
    return visible(value, keep="\n") if type(value) is str else value  # markup is a subclass of str


class _Repr(reprlib.Repr):
    """`repr` of bounded work: a few levels, a few items of each."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 2
        self.maxstring = self.maxother = self.maxlong = 100
        self.maxlist = self.maxtuple = self.maxdict = 10


def _harmless(char: str) -> bool:
    return char.isprintable() or unicodedata.category(char) == "Zs"


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")

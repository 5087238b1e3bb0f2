"""Names that anyone may have given, in plots: as text and not as markup, with as much room as there is.

Plotly takes `<b>`, `<br>` and `&amp;` in any text of a figure for markup. On an axis names stand as tick
texts at whole numbers and never as categories: cut ones may be equal, and some would be no category at all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mnuts_dashboards.figures.layout import Figure

ROOM = 24
"""Characters of a name on an axis."""
LINE = 40
"""Characters of a line of a hover."""
MOST_TICKS = 20
"""Of more names on an axis not each stands there."""

_LINES = re.compile(f".{{1,{LINE}}}(?: |\\Z)|.{{1,{LINE}}}", re.DOTALL)


def escaped(name: str) -> str:
    """A name as Plotly has to be given it, to show it as it is.

    Example:
        >>> escaped("<b>R&D</b>")
        '&lt;b&gt;R&amp;D&lt;/b&gt;'
    """
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def label(name: str, room: int = ROOM) -> str:
    """The name on an axis, in a legend or a title: one that is longer than its room is cut.

    Args:
        name: The name.
        room: Characters that it may take.

    Example:
        >>> label("a <stop> sign"), label("tench, Tinca tinca, a fish")
        ('a &lt;stop&gt; sign', 'tench, Tinca tinca, a f…')
    """
    return escaped(name if len(name) <= room else f"{name[: room - 1]}…")


def whole(name: str) -> str:
    """The whole name for a hover, in lines."""
    return "<br>".join(map(escaped, _LINES.findall(name)))


def name_ticks(names: Sequence[str]) -> Figure:
    """Names on an axis, the first one at 0, as `nameTicks` in `charts/names.js`.

    Example:
        >>> name_ticks(["<a>", "b"])
        {'range': [-0.5, 1.5], 'at': [0, 1], 'text': ['&lt;a&gt;', 'b']}
    """
    at = list(range(0, len(names), -(-len(names) // MOST_TICKS) or 1))
    return {"range": [-0.5, len(names) - 0.5], "at": at, "text": [label(names[place]) for place in at]}

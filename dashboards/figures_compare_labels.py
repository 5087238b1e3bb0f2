"""Names of bundles and signed numbers, short enough for the comparison's figures."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .figures_parts import Figure


def name_axis(names: Sequence[str], room: int) -> Figure:
    """An axis of bundles whose labels fit beside each other.

    Args:
        names: The bundles.
        room: Characters that the whole axis holds.
    """
    each = max(7, room // max(len(names), 1))
    return {
        "type": "category",
        "categoryarray": list(names),
        "range": [-0.5, len(names) - 0.5],
        "showgrid": False,
        "tickangle": 0,
        "tickvals": list(names),
        "ticktext": [wrapped(name, each) for name in names],
        "tickfont": {"size": 10},
    }


def wrapped(name: str, room: int, lines: int = 3) -> str:
    """A label in a few short lines, broken at marks where there are any.

    Args:
        name: The name.
        room: Characters of a line.
        lines: So many at most.

    Example:
        >>> wrapped("digits-square-seed-3", 8)
        'digits-<br>square-<br>seed-3'
    """
    made = [""]
    for piece in re.findall(r"[^-_ .]*[-_ .]?", name):
        if made[-1] and len(made[-1] + piece) > room:
            made.append(piece)
        else:
            made[-1] += piece
    made[lines - 1 :] = ["".join(made[lines - 1 :])] if len(made) >= lines else []
    short = (line if len(line) <= room else f"{line[: room - 1]}…" for line in map(str.strip, made))
    return "<br>".join(short)


def shortened(name: str, room: int) -> str:
    """A name in `room` characters: its beginning and its end, since names often differ there.

    Example:
        >>> shortened("digits-square-seed-3", 11)
        'digit…eed-3'
    """
    half = (room - 1) // 2
    return name if len(name) <= room else f"{name[: room - 1 - half]}…{name[-half:]}"


def signed(value: float, digits: int = 3) -> str:
    """A number with its sign, the minus as it is printed; what rounds to zero has a plus."""
    return f"{round(value, digits) + 0.0:+.{digits}f}".replace("-", "−")

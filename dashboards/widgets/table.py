"""A table to choose from: sorted in the page, reached by mouse and keyboard alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import traitlets

from mnuts_dashboards.widgets.widget import PageWidget

Cell = str | float | int | None


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


class Table(PageWidget):
    """Rows of text and numbers; a row is chosen by click or Enter.

    Args:
        columns: The columns.
        label: What the table shows, for screen readers.
        empty: What to say when there are no rows.

    Attributes:
        rows: Each a mapping with `key` (a number) and the columns' entries; `dot` colours
            it, `COLUMN_more` and `COLUMN_tip` add to a cell, and a cell of text is sorted by `COLUMN_sort`
            where there is one.
        chosen: Key of the chosen row, -1 for none; the page and Python both set it.
        on_choose: Called with the key of a row that the visitor chose.
    """

    _esm = Path(__file__).with_name("table.js")
    _css = Path(__file__).with_name("table.css")
    columns = traitlets.List(traitlets.Dict()).tag(sync=True)
    rows = traitlets.List(traitlets.Dict()).tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    empty = traitlets.Unicode().tag(sync=True)
    chosen = traitlets.Int(-1).tag(sync=True)

    def __init__(self, columns: Sequence[Column], *, label: str, empty: str = "") -> None:
        super().__init__(columns=[column._asdict() for column in columns], label=label, empty=empty)
        self.on_choose: Callable[[int], None] = lambda key: None
        self.on_msg(self._receive)

    def _receive(self, _: Any, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        del buffers
        key = content.get("key")
        if content.get("type") == "choose" and isinstance(key, int) and key in {r["key"] for r in self.rows}:
            self.on_choose(key)

"""A table to choose from: sorted and filtered in the page, reached by mouse and keyboard alike."""

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
    """Rows of text and numbers; a row is chosen by click or Enter, and may carry buttons.

    Args:
        columns: The columns.
        label: What the table shows, for screen readers.
        actions: Buttons of each row: their name and label.
        empty: What to say when there are no rows.
        filtered: Whether to offer a search field.
        height: Height in pixels, beyond which it scrolls; None for as high as it takes.

    Attributes:
        rows: Each a mapping with `key` (a number) and the columns' entries; `dot` colours
            it, `fixed` leaves its buttons out, `COLUMN_more` and `COLUMN_tip` add to a cell, and a cell of
            text is sorted by `COLUMN_sort` where there is one.
        chosen: Key of the chosen row, -1 for none; the page and Python both set it.
        visible: Whether it is on the screen; the page keeps it.
        on_action: Called with a button's name and the row's key.
        on_choose: Called with the key of a row that the visitor chose.
    """

    _esm = Path(__file__).with_name("table.js")
    _css = Path(__file__).with_name("table.css")
    columns = traitlets.List(traitlets.Dict()).tag(sync=True)
    rows = traitlets.List(traitlets.Dict()).tag(sync=True)
    actions = traitlets.List(traitlets.Dict()).tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)
    empty = traitlets.Unicode().tag(sync=True)
    from_page = frozenset({"visible"})
    filtered = traitlets.Bool(False).tag(sync=True)
    height = traitlets.Int(0).tag(sync=True)
    chosen = traitlets.Int(-1).tag(sync=True)
    visible = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        label: str,
        actions: Mapping[str, str] | None = None,
        empty: str = "",
        filtered: bool = False,
        height: int | None = None,
    ) -> None:
        super().__init__(
            columns=[column._asdict() for column in columns],
            actions=[{"name": name, "label": text} for name, text in (actions or {}).items()],
            label=label,
            empty=empty,
            filtered=filtered,
            height=height or 0,
        )
        self.on_action: Callable[[str, int], None] = lambda name, key: None
        self.on_choose: Callable[[int], None] = lambda key: None
        self.on_msg(self._receive)

    def _receive(self, _: Any, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        del buffers
        key = content.get("key")
        if not isinstance(key, int) or key not in {row["key"] for row in self.rows}:
            return
        if content.get("type") == "choose":
            self.on_choose(key)
        elif content.get("type") == "action" and any(a["name"] == content.get("name") for a in self.actions):
            self.on_action(str(content["name"]), key)

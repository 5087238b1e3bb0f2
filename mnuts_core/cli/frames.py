"""Data frames as tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from mnuts_core.cli.console import printable

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 40
"""Rows of a long table that are printed; `--csv` has them all."""
UPRIGHT = 7
"""So many rows at most, with more columns than that, are set upright."""


def brief(frame: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The rows to print of a long frame, and which they are."""
    if len(frame) <= SHOWN:
        return frame, ""
    if "objective" in frame:
        return frame.nsmallest(SHOWN, "objective"), f"the {SHOWN} smallest objectives"
    step = -(-len(frame) // SHOWN)
    sampled = frame.index % step == 0
    if "beta" in frame:
        sampled |= frame["beta"].notna()
    return frame[sampled], f"one row in {step}"


def frame_table(frame: pd.DataFrame) -> Table:
    """A frame as a table: an estimate's four columns become one, a column that never changes goes above, one
    with nothing in it is left out.

    Few rows with many columns are set upright, a column for each row.
    """
    frame = _joined(frame)
    whole = [str(name) for name in frame.columns]
    figures = {name for name in whole if {f"{name}_low", f"{name}_high", f"{name}_n"} <= set(whole)}
    hidden = {f"{name}{end}" for name in figures for end in ("_low", "_high", "_n")}
    shown = [name for name in whole if name not in hidden and not _empty(frame[name])]
    constant = [
        n for n in shown if n not in figures and len(frame) > 1 and frame[n].nunique(dropna=False) == 1
    ]
    words = ", ".join(f"{name.replace('_', ' ')} = {cell_words(frame[name].iloc[0])}" for name in constant)
    title = Text(printable(f"in all rows: {words}"), style="dim") if words else None
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left")
    shown = [name for name in shown if name not in constant]
    counts = {name: frame[f"{name}_n"].dropna().unique() for name in figures}
    headings = [
        name.replace("_", " ")
        + (f"\nn = {int(counts[name][0]):,}" if name in figures and len(counts[name]) == 1 else "")
        for name in shown
    ]
    cells = [[_shown(row, name, counts) for name in shown] for row in frame.to_dict("records")]
    if len(frame) <= UPRIGHT < len(shown):
        headings, cells = [headings[0], *(row[0] for row in cells)], _turned(headings[1:], cells)
    for place, heading in enumerate(headings):
        words_in = any(isinstance(value, str) for value in frame[shown[min(place, len(shown) - 1)]])
        table.add_column(
            heading, justify="left" if place == 0 else "right", no_wrap=not words_in, overflow="fold"
        )
    for row in cells:
        table.add_row(*row)
    return table


def _empty(column: pd.Series) -> bool:
    return bool((column.isna() | (column == "")).all())


def _joined(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with s, p and c in one column, where all three change and the table is not upright."""
    axes = ["s", "p", "c"]
    if (
        len(frame) <= UPRIGHT
        or not set(axes) <= set(frame)
        or any(frame[axis].nunique() < 2 for axis in axes)
    ):
        return frame
    words = frame[axes].map(cell_words).agg(", ".join, axis=1)
    joined = frame.drop(columns=["p", "c"])
    joined["s"] = words
    return joined.rename(columns={"s": "s, p, c"})


def _turned(headings: list[str], cells: list[list[str]]) -> list[list[str]]:
    """Rows made columns, the headings before them; the first column has become the headings."""
    columns = [list(column) for column in zip(*cells, strict=True)][1:]
    return [[heading.replace("\n", ", "), *column] for heading, column in zip(headings, columns, strict=True)]


def _shown(row: dict[Any, Any], name: str, counts: dict[str, Any]) -> str:
    if name not in counts or row[name] is None or row[name] != row[name]:
        return printable(cell_words(row[name]))
    value, low, high = (100 * row[key] for key in (name, f"{name}_low", f"{name}_high"))
    n = "" if len(counts[name]) == 1 else f"\nn = {int(row[f'{name}_n']):,}"
    return f"{value:.2f}\n[{low:.1f}, {high:.1f}]{n}"


def cell_words(value: Any) -> str:
    """A value of a frame or of its settings in a few letters; a dash where there is none."""
    if isinstance(value, dict):
        return "; ".join(f"{key} {cell_words(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(cell_words, value))
    if value is None or value != value:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)

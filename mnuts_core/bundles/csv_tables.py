"""Tables of numbers from `.csv` files, as programs and people of many countries write them."""

from __future__ import annotations

import codecs
import csv
import warnings
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnuts_core.errors import BundleError
from mnuts_core.io.untrusted import brief
from mnuts_core.text import shortened

if TYPE_CHECKING:
    import pandas as pd

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
MAX_COLUMNS = 200_010
MAX_HEADING = 2**23
"""So many bytes the first line of a table may have."""
MAX_VALUE = 100
"""So many bytes a value may have, on the average of its line."""
NOT_TEXT = "it is not UTF-8; save it as CSV in UTF-8"
BLOCK = 2**20
"""So many values are parsed at a time, so that text in the place of numbers is found before it takes room."""
MASK = ": a mask of right and wrong is not classes"


def read_table(path: Path, words: Collection[str] = ()) -> pd.DataFrame:
    """The table in a file with a heading; values are separated by commas, semicolons or tabs.

    Where semicolons or tabs separate them, numbers may have decimal commas.

    Args:
        path: An existing file.
        words: Columns that may hold text.

    Raises:
        BundleError: If it is not such a table.
    """
    heading = _heading(path)
    separator = max(SEPARATORS, key=heading.count)
    if heading.count(separator) > MAX_COLUMNS:
        raise BundleError(f"{path} has more than {MAX_COLUMNS:,} columns")
    _check_lines(path, MAX_VALUE * (heading.count(separator) + 1) + 1000)
    table, text = _parsed(path, heading, separator, words)
    if separator not in heading:
        raise BundleError(
            f"{path} has the one column {shortened(heading, 40)}: columns must be separated by "
            f"{', '.join(SEPARATORS.values())}"
        )
    if text and separator != "," and _has_commas(table[text[0]]):
        table, text = _parsed(path, heading, separator, words, decimal=",")
    if text:
        kind, hint = table[text[0]].dtype, ""
        if kind.kind == "b":
            hint = MASK
        elif _has_commas(table[text[0]]):
            hint = ": decimal commas need semicolons or tabs between the columns, and no points beside them"
        raise BundleError(
            f"{path}: column {shortened(text[0])} must hold numbers in every row, got {kind}{hint}"
        )
    return table


def _has_commas(column: pd.Series[Any]) -> bool:
    return bool(column.astype(str).str.contains(",", regex=False).any())


def check_names(path: Path, names: Sequence[str]) -> None:
    """Refuse a table in which two columns have one name.

    Args:
        path: The file, for the message.
        names: Those of its columns.

    Raises:
        BundleError: If so.
    """
    name, count = Counter(names).most_common(1)[0] if names else ("", 0)
    if count > 1:
        raise BundleError(f"{path} has {count} columns of the name {shortened(name)}: leave one")


def _heading(path: Path) -> str:
    """The first line."""
    with path.open("rb") as stream:
        heading = stream.readline(MAX_HEADING)
    if len(heading) == MAX_HEADING:
        raise BundleError(f"{path} has more than {MAX_COLUMNS:,} columns")
    if heading.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise BundleError(f"{path} is not a readable table: it is UTF-16; save it as UTF-8")
    try:
        return heading.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise BundleError(f"{path} is not a readable table: {NOT_TEXT}") from None


def _check_lines(path: Path, limit: int) -> None:
    """Refuse a line of more bytes than its columns can need: pandas would take room for all its values."""
    with path.open("rb") as stream:
        stream.readline()
        for number, line in enumerate(iter(lambda: stream.readline(limit + 1), b""), start=2):
            if len(line) > limit:
                raise BundleError(f"{path}: line {number:,} is longer than {limit:,} bytes: it is no row")


def _parsed(
    path: Path, heading: str, separator: str, words: Collection[str], decimal: str = "."
) -> tuple[pd.DataFrame, list[str]]:
    """The table, and which columns hold no numbers; where there are such, the block in which that shows."""
    import pandas as pd

    try:
        check_names(path, next(csv.reader([heading], delimiter=separator), []))
        blocks: list[pd.DataFrame] = []
        for block in _blocks(path, heading, separator, decimal):
            if not isinstance(block.index, pd.RangeIndex):
                raise BundleError(
                    f"{path} has more values in a row than headings in its first line; its columns are "
                    f"separated by {SEPARATORS[separator]}"
                )
            blocks.append(block)
            text = [str(name) for name in block if block[name].dtype.kind not in "iuf" and name not in words]
            if text and len(block):
                return block, text
        return pd.concat(blocks, ignore_index=True), []
    except BundleError:
        raise
    except UnicodeDecodeError:
        raise BundleError(f"{path} is not a readable table: {NOT_TEXT}") from None
    except (ValueError, csv.Error) as error:  # what pandas raises
        raise BundleError(f"{path} is not a readable table: {brief(error)}") from None


def _blocks(path: Path, heading: str, separator: str, decimal: str) -> Iterator[pd.DataFrame]:
    import pandas as pd

    rows = max(1, BLOCK // (heading.count(separator) + 1))
    with warnings.catch_warnings():  # of columns with numbers and text, which are refused
        warnings.simplefilter("ignore")
        reader = pd.read_csv(
            path, compression=None, sep=separator, decimal=decimal, encoding="utf-8-sig", chunksize=rows
        )
        with reader:
            yield from reader

"""Tables of logits, one row an image, as named arrays; `importers` tells the form."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mnuts_core.bundles.csv_tables import MASK, MAX_COLUMNS, check_names, read_table
from mnuts_core.errors import BundleError
from mnuts_core.extras import MissingExtraError, import_extra
from mnuts_core.io.untrusted import allowed_size, brief
from mnuts_core.text import shortened

if TYPE_CHECKING:
    import pandas as pd

PLAIN = ("part", "label", "index", "margin", "alpha", "certified_radius")
PARTS = ("clean", "adv")
MODELS = ("std", "rob")
UNNAMED = re.compile(r"__index_level_\d+__|Unnamed: \d+|")
"""How pandas writes the numbers of rows that have no name."""

Arrays = dict[str, Any]


def read_csv(path: Path) -> Arrays:
    """Named arrays from a `.csv` file, see `csv_tables.read_table`.

    Args:
        path: An existing file.

    Raises:
        BundleError: If it is not such a table.
    """
    return table_arrays(path, read_table(path, words=("part",)))


def read_parquet(path: Path) -> Arrays:
    """Named arrays from a `.parquet` file; an index that pandas stored is columns like any other.

    Args:
        path: An existing file.

    Raises:
        BundleError: If it is not such a table, or pyarrow is not installed.
    """
    try:
        pa, parquet = import_extra("pyarrow"), import_extra("pyarrow.parquet")
    except MissingExtraError as error:
        raise BundleError(f"{path.name}: {error}; or save as .csv") from None
    try:
        with parquet.ParquetFile(path, memory_map=True) as file:
            _check_parquet(path, pa, file)
            words = [name for name in ("part",) if name in file.schema_arrow.names]
        # text is read as a dictionary: repeated words take no room
        table = parquet.read_table(path, read_dictionary=words, partitioning=None, use_threads=False)
        frame = table.replace_schema_metadata(None).to_pandas()
    except BundleError:
        raise
    except Exception as error:  # of the library, which a damaged file may upset anywhere
        raise BundleError(f"{path} is not a readable Parquet file: {brief(error)}") from None
    return table_arrays(path, frame)


def _check_parquet(path: Path, pa: Any, file: Any) -> None:
    """Refuse a table that would unpack to much more than it is, and columns that are not ours."""
    card = file.metadata
    groups = range(card.num_row_groups)
    size = max(card.num_rows * card.num_columns * 8, sum(card.row_group(i).total_byte_size for i in groups))
    if card.num_columns > MAX_COLUMNS or size > (allowed := allowed_size(path)):
        raise BundleError(
            f"{path} unpacks to some {size:,} bytes in {card.num_columns:,} columns, more than "
            f"{allowed:,}, which a file of its size may take: split it"
        )
    check_names(path, file.schema_arrow.names)
    for column in file.schema_arrow:
        if column.name != "part" and not UNNAMED.fullmatch(column.name) and not _is_number(pa, column.type):
            raise BundleError(f"{path}: column {shortened(column.name)} must hold numbers, got {column.type}")


def table_arrays(path: Path, table: pd.DataFrame) -> Arrays:
    """The arrays of `LogitBundle.from_arrays` in a table.

    Args:
        path: Where the table comes from, for messages.
        table: One row an image.

    Raises:
        BundleError: If columns are missing, unknown or not numbers, or attacked rows lack their clean one.
    """
    table = _without_row_numbers(table)
    k = _count_classes(path, [str(name) for name in table.columns])
    attacked = _attacked_rows(path, table)
    clean, adv = table[~attacked], table[attacked]
    if not len(clean):
        raise BundleError(f"{path} has no clean rows: it needs one row an image")
    labels = _integers(path, clean, "label")
    arrays: Arrays = {"clean_labels": labels, **_logits(path, clean, "clean", k)}
    if len(adv):
        arrays |= {"adv_index": _match(path, clean, adv, labels), **_logits(path, adv, "adv", k)}
        if "margin" in adv:
            arrays["adv_margin"] = _numbers(path, adv, "margin")
    return arrays | _columns(path, clean, adv)


def _columns(path: Path, clean: pd.DataFrame, adv: pd.DataFrame) -> Arrays:
    """What images have beside logits, where the table says it; a column of blanks says nothing."""
    found: Arrays = {}
    for part, rows, names in (("clean", clean, ("alpha", "certified_radius")), ("adv", adv, ("alpha",))):
        for name in names:
            if name in rows and not rows[name].isna().all():
                found[f"{part}_{name}"] = _numbers(path, rows, name)
    return found


def _without_row_numbers(table: pd.DataFrame) -> pd.DataFrame:
    """The table without columns of whole numbers that have no name: pandas numbers its rows so."""
    unnamed = [name for name in table if UNNAMED.fullmatch(str(name)) and table[name].dtype.kind in "iu"]
    return table.drop(columns=unnamed)


def _attacked_rows(path: Path, table: pd.DataFrame) -> NDArray[np.bool_]:
    """Which rows are at attacked images."""
    if "part" not in table:
        return np.zeros(len(table), bool)
    parts = table["part"].astype(object)
    wrong = np.flatnonzero(~parts.isin(PARTS))
    if len(wrong):
        blank = np.flatnonzero(parts.isna())
        kind = "nothing" if len(blank) else shortened(parts.iloc[wrong[0]], 40)
        rows = blank if len(blank) else wrong
        numbers = ", ".join(str(row) for row in rows[:5]) + (", ..." if len(rows) > 5 else "")
        raise BundleError(
            f"{path}: part must be clean or adv in every row, got {kind} in {len(rows):,} of {len(table):,} "
            f"rows: {numbers} (counted from 0)"
        )
    return (parts == "adv").to_numpy()


def _is_number(pa: Any, kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind))


def _count_classes(path: Path, columns: list[str]) -> int:
    k = sum(name.startswith("rob_") for name in columns)
    expected = {f"{model}_{i}" for model in MODELS for i in range(k)}
    missing = sorted({"label", *expected} - set(columns)) if k >= 2 else ["rob_0, rob_1, ..."]
    unknown = sorted(set(columns) - expected - set(PLAIN))
    if missing or unknown:
        what = (
            f"lacks the column {missing[0]}"
            if missing
            else f"has an unknown column {shortened(unknown[0], 40)}"
        )
        raise BundleError(
            f"{path} {what}: needed are label, std_0 to std_{{K-1}} and rob_0 to rob_{{K-1}} with the same "
            "K ≥ 2; part, index, margin, alpha and certified_radius may be there"
        )
    return k


def _logits(path: Path, rows: pd.DataFrame, part: str, k: int) -> Arrays:
    """Both models' logits (rows, K), float32 where the table has that, else float64."""
    return {
        f"{part}_{model}_logits": np.stack([_numbers(path, rows, f"{model}_{i}") for i in range(k)], axis=1)
        for model in MODELS
    }


def _numbers(path: Path, rows: pd.DataFrame, name: str) -> NDArray[Any]:
    values = rows[name].to_numpy()
    if values.dtype.kind not in "iuf":
        hint = MASK if values.dtype.kind == "b" else ""
        raise BundleError(f"{path}: column {name!r} must hold numbers in every row, got {values.dtype}{hint}")
    return values if values.dtype == np.float32 else values.astype(np.float64)


def _integers(path: Path, rows: pd.DataFrame, name: str) -> NDArray[np.int64]:
    values = _numbers(path, rows, name)
    with np.errstate(invalid="ignore"):
        whole = np.isfinite(values) & (values == np.round(values)) & (np.abs(values) < 2**53)
    if not whole.all():
        wrong = values[~whole][0]
        raise BundleError(f"{path}: column {name!r} must hold whole numbers in every row, got {wrong}")
    return values.astype(np.int64)


def _match(
    path: Path, clean: pd.DataFrame, adv: pd.DataFrame, labels: NDArray[np.int64]
) -> NDArray[np.int64]:
    """For each attacked row the position of the clean row with its number."""
    if "index" not in adv:
        raise BundleError(
            f"{path} lacks the column index, which says which clean row each adv row belongs to"
        )
    counted = bool(clean["index"].isna().all())
    numbers = np.arange(len(clean)) if counted else _integers(path, clean, "index")
    if len(np.unique(numbers)) < len(numbers):
        raise BundleError(f"{path}: index numbers two clean rows alike: give every image its own number")
    place = {int(number): position for position, number in enumerate(numbers)}
    wanted = _integers(path, adv, "index")
    if strangers := [int(number) for number in wanted if int(number) not in place]:
        raise BundleError(f"{path}: an adv row has index {strangers[0]}, which no clean row has")
    found = np.array([place[int(number)] for number in wanted], dtype=np.int64)
    stated = _numbers(path, adv, "label")
    if (differ := ~np.isnan(stated) & (stated != labels[found])).any():
        row = int(np.flatnonzero(differ)[0])
        raise BundleError(
            f"{path}: the adv row with index {wanted[row]} has label {stated[row]:g}, its clean row "
            f"{labels[found[row]]}: the rows are misaligned"
        )
    return found

"""Tables of logits, one row an image, as named arrays; `importers` tells the form."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mnuts_core.errors import BundleError
from mnuts_core.io.untrusted import MAX_BYTES, brief

if TYPE_CHECKING:
    import pandas as pd

PLAIN = ("part", "label", "index", "margin")
PARTS = ("clean", "adv")
MODELS = ("std", "rob")
MAX_COLUMNS = 200_010
MAX_HEADING = 2**23
"""So many bytes the first line of a table may have."""

Arrays = dict[str, Any]


def read_csv(path: Path) -> Arrays:
    """Named arrays from a `.csv` file with a heading, comma-separated.

    Args:
        path: An existing file.

    Raises:
        BundleError: If it is not such a table.
    """
    import pandas as pd

    with path.open("rb") as stream:
        heading = stream.readline(MAX_HEADING)
    if heading.count(b",") > MAX_COLUMNS or len(heading) == MAX_HEADING:
        raise BundleError(f"{path} has more than {MAX_COLUMNS:,} columns")
    try:
        table = pd.read_csv(path, compression=None)
    except ValueError as error:  # what pandas raises, and what is not UTF-8
        raise BundleError(f"{path} is not a readable table: {brief(error)}") from None
    if not isinstance(table.index, pd.RangeIndex):
        raise BundleError(f"{path} has more values in a row than headings in its first line")
    return table_arrays(path, table)


def read_parquet(path: Path) -> Arrays:
    """Named arrays from a `.parquet` file.

    Args:
        path: An existing file.

    Raises:
        BundleError: If it is not such a table, or pyarrow is not installed.
    """
    try:
        pa, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise BundleError(
            f"reading {path.name} needs pyarrow: pip install pyarrow, or save as .csv"
        ) from None
    try:
        with parquet.ParquetFile(path) as file:
            rows, columns = file.metadata.num_rows, file.metadata.num_columns
            kinds = {column.name: column.type for column in file.schema_arrow}
        if (size := rows * columns * 8) > MAX_BYTES or columns > MAX_COLUMNS:
            raise BundleError(f"{path} unpacks to some {size:,} bytes, more than {MAX_BYTES:,}: split it")
        for name, kind in kinds.items():
            if name != "part" and not _is_number(pa, kind):
                raise BundleError(f"{path}: column {name!r} must hold numbers, got {kind}")
        words = ["part"] if "part" in kinds else None  # read as a dictionary: repeated text takes no room
        table = parquet.read_table(path, read_dictionary=words, partitioning=None)
    except (pa.ArrowException, OSError) as error:
        raise BundleError(f"{path} is not a readable Parquet file: {brief(error)}") from None
    return table_arrays(path, table.to_pandas())


def table_arrays(path: Path, table: pd.DataFrame) -> Arrays:
    """The arrays of `LogitBundle.from_arrays` in a table.

    Args:
        path: Where the table comes from, for messages.
        table: One row an image.

    Raises:
        BundleError: If columns are missing, unknown or not numbers, or attacked rows lack their clean one.
    """
    k = _count_classes(path, [str(name) for name in table.columns])
    parts = table["part"].astype(str) if "part" in table else None
    if parts is not None and not parts.isin(PARTS).all():
        wrong = parts[~parts.isin(PARTS)].iloc[0]
        raise BundleError(f"{path}: part must be clean or adv in every row, got {wrong[:40]!r}")
    attacked = np.zeros(len(table), bool) if parts is None else (parts == "adv").to_numpy()
    clean, adv = table[~attacked], table[attacked]
    if not len(clean):
        raise BundleError(f"{path} has no clean rows: it needs one row an image")
    labels = _integers(path, clean, "label")
    arrays: Arrays = {"clean_labels": labels, **_logits(path, clean, "clean", k)}
    if len(adv):
        arrays |= {"adv_index": _match(path, clean, adv, labels), **_logits(path, adv, "adv", k)}
        if "margin" in adv:
            arrays["adv_margin"] = _numbers(path, adv, "margin").astype(np.float32)
    return arrays


def _is_number(pa: Any, kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind))


def _count_classes(path: Path, columns: list[str]) -> int:
    k = sum(name.startswith("rob_") for name in columns)
    expected = {f"{model}_{i}" for model in MODELS for i in range(k)}
    missing = sorted({"label", *expected} - set(columns)) if k >= 2 else ["rob_0, rob_1, ..."]
    unknown = sorted(set(columns) - expected - set(PLAIN))
    if missing or unknown:
        what = f"lacks the column {missing[0]}" if missing else f"has an unknown column {unknown[0][:40]!r}"
        raise BundleError(
            f"{path} {what}: needed are label, std_0 to std_{{K-1}} and rob_0 to rob_{{K-1}} with the same "
            "K ≥ 2; part, index and margin may be there"
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
        raise BundleError(f"{path}: column {name!r} must hold numbers in every row, got {values.dtype}")
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
    told = _numbers(path, adv, "label")
    if (differ := ~np.isnan(told) & (told != labels[found])).any():
        row = int(np.flatnonzero(differ)[0])
        raise BundleError(
            f"{path}: the adv row with index {wanted[row]} has label {told[row]:g}, its clean row "
            f"{labels[found[row]]}: the rows are misaligned"
        )
    return found

"""The numbers that the MixedNUTS paper prints: its tables and figures as data frames.

They are the authors' results, to stand beside one's own, never instead of them. The files and their
sources are described in `data/paper/README.md`.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mnuts_core.bundles.library import require_shipped_folder
from mnuts_core.errors import MnutsError

if TYPE_CHECKING:
    import pandas as pd

INDEX = "index"


class PaperTable(NamedTuple):
    """One table or figure of the paper whose numbers are shipped.

    Attributes:
        name: What `paper_table` takes, such as `table01`, `fig05` or `text`.
        title: What it holds, in a line.
        page: Its page in the paper; None where the numbers come from several.
    """

    name: str
    title: str
    page: int | None


def paper_tables() -> list[PaperTable]:
    """Every table and figure at hand, figures first, in the paper's order.

    Raises:
        MnutsError: If the data files are not installed.

    Example:
        >>> next(table.title for table in paper_tables() if table.name == "table07")
        'Ablation of the clamping function'
    """
    with _file(INDEX).open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    return [PaperTable(row["name"], row["title"], int(row["page"]) if row["page"] else None) for row in rows]


def paper_table(name: str) -> pd.DataFrame:
    """One table or figure of the paper, a row per observation.

    Args:
        name: One of the names of `paper_tables`.

    Returns:
        The numbers as printed: accuracies in percent where the column's name says so, margins, α, β and
        objectives in [0, 1]. The last column, `source`, says which table or page each row comes from.
        NaN stands where the paper's cell is blank.

    Raises:
        MnutsError: If there is no such table; the message lists the names.

    Example:
        >>> paper_table("fig05").query("dataset == 'cifar100' and model == 'MixedNUTS'").clean_percent.item()
        83.08
    """
    import pandas as pd

    with _known(name).open(encoding="utf-8") as lines:
        return pd.read_csv(lines)


def paper_rows(name: str) -> list[dict[str, str]]:
    """The same cells as text, without pandas, which a page's kernel need not hold; blank ones are empty.

    Args:
        name: One of the names of `paper_tables`.

    Raises:
        MnutsError: If there is no such table; the message lists the names.
    """
    with _known(name).open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def _known(name: str) -> Path:
    names = [table.name for table in paper_tables()]
    if name not in names:
        raise MnutsError(f"the paper's table must be one of {', '.join(names)}, got {name!r}")
    return _file(name)


def _file(name: str) -> Path:
    path = require_shipped_folder() / "paper" / f"{name}.csv"
    if not path.is_file():
        raise MnutsError(f"{path} is missing: install the project with `make install`")
    return path

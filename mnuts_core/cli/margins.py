"""What `mnuts info` says of the authors' `NAME_margins.json` and `NAME_summary.csv`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from mnuts_core.cli.answers import NONE
from mnuts_core.cli.console import STDOUT, printable, show, write_json

MARGINS = ("_margins.json", "_summary.csv")
"""How the names of such files end."""


def report_margins(path: Path, json_out: str | None) -> None:
    """Accuracy and margins of one model on one set of images, as the authors' scripts have left them.

    Args:
        path: The file.
        json_out: Where JSON goes, if anywhere.

    Raises:
        BundleError: If the file is missing or broken.
    """
    card = _from_margins(path) if path.name.lower().endswith(MARGINS[0]) else _from_summary(path)
    if json_out is not None:
        write_json(json_out, {"path": path, **card})
    if json_out != STDOUT:
        show(_table(path, card))


def _from_margins(path: Path) -> dict[str, Any]:
    import numpy as np

    from mnuts_core.bundles.authors_margins import read_margins

    margins, parts = read_margins(path), {}
    for name, values in margins._asdict().items():
        parts[name] = {"n": len(values)}
        if len(values):
            parts[name] |= {"mean": values.mean(), "median": np.median(values)}
    return {"n": sum(part["n"] for part in parts.values()), "accuracy": margins.accuracy, **parts}


def _from_summary(path: Path) -> dict[str, Any]:
    from mnuts_core.bundles.authors_margins import read_summary

    found = read_summary(path)
    parts = {
        name: {"mean": found.mean[place], "median": found.median[place]}
        for place, name in enumerate(("correct", "incorrect"))
    }
    return {"model": found.model, "images": found.images, "n": found.n, "accuracy": found.accuracy, **parts}


def _table(path: Path, card: dict[str, Any]) -> Table:
    about = " on ".join(card[name] for name in ("model", "images") if name in card)
    title = f"{printable(about or path.name)}: {100 * card['accuracy']:.2f} % of {card['n']:,} right"
    table = Table(title=Text(title, style="bold"), box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for heading in ("predictions", "n", "mean margin", "median margin"):
        table.add_column(heading, justify="left" if heading == "predictions" else "right")
    for name in ("correct", "incorrect"):
        part = card[name]
        count = f"{part['n']:,}" if "n" in part else ""
        figures = (f"{part[kind]:.4g}" if kind in part else NONE for kind in ("mean", "median"))
        table.add_row(name, count, *figures)
    return table

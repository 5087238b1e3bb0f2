"""The report's files: Markdown, CSV, PNG, HTML, and the configurations that it made."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from pathlib import Path

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.errors import MnutsError
from mnuts_core.io import files
from mnuts_core.report.compute import Report, made_configs
from mnuts_core.report.plot import plane_png
from mnuts_core.report.render import Figure, to_html, to_markdown
from mnuts_core.report.wording import document, to_frame

FIXED = ("report.md", "report.html", "report.csv", "report.png")
"""The files of every report; `report.png` only where something is known under attack."""
ALT = "Clean accuracy against accuracy under attack for every row of the table, with 95 % intervals."


def default_folder(name: str) -> Path:
    """Where a report goes if nobody says: a folder named after the bundle, in the current one.

    Args:
        name: The bundle's name, which may hold anything.

    Example:
        >>> default_folder("a/b c").name
        'report-a-b-c'
    """
    return Path("report-" + (re.sub(r"[^A-Za-z0-9.-]+", "-", name).strip("-.") or "bundle"))


def check_folder(folder: Path, *, force: bool) -> None:
    """Refuse a folder that cannot take the report, before any work is done.

    Raises:
        MnutsError: If it is no folder, cannot be written into, or holds a report already and `force` is not
            given.
    """
    files.check_folder(folder, MnutsError, "--out")
    _check_files(folder, FIXED, force=force)


def write_report(
    report: Report, bundle: LogitBundle, folder: Path, *, force: bool = False, device: str = "auto"
) -> list[Path]:
    """Write the report into a folder, which is made if it is missing: all files, or none if it fails.

    Args:
        report: The report.
        bundle: The bundle that it is of.
        folder: Where to.
        force: Overwrite what is there.
        device: As for `make_report`.

    Returns:
        The files written: `report.md`, `.html`, `.csv`, `.png`, and one `.json` for each mix that the
        report chose itself, to be given to `mnuts evaluate`.

    Raises:
        MnutsError: If a file exists, or the folder cannot be made or written.
    """
    check_folder(folder, force=force)
    png = plane_png(report)
    figure = None if png is None else Figure("report.png", png, ALT)
    words = document(report, figure)
    contents = {
        "report.md": to_markdown(words).encode(),
        "report.html": to_html(words).encode(),
        "report.csv": to_frame(report).to_csv(index=False).encode(),
    }
    if png is not None:
        contents["report.png"] = png
    made = made_configs(report, bundle, device=device)
    contents |= {f"{key}.json": config.to_json().encode() for key, config in made.items()}
    _check_files(folder, contents, force=force)
    new = not folder.exists()
    files.make_folder(folder, MnutsError)
    try:
        return files.write_together({folder / name: text for name, text in contents.items()}, MnutsError)
    except BaseException:
        if new:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def _check_files(folder: Path, names: Iterable[str], *, force: bool) -> None:
    for name in names if folder.exists() else ():
        files.check_file(folder / name, MnutsError, "--out", force=force)

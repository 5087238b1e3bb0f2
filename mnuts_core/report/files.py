"""The report's files: Markdown, CSV, PNG, HTML, and the configurations that it made."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.errors import MnutsError
from mnuts_core.io.files import write_atomically
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
        MnutsError: If it is a file, or holds a report already and `force` is not given.
    """
    if folder.exists() and not folder.is_dir():
        raise MnutsError(f"--out must name a folder, got the file {folder}")
    _refuse_existing((folder / name for name in FIXED), force=force)


def write_report(
    report: Report, bundle: LogitBundle, folder: Path, *, force: bool = False, device: str = "auto"
) -> list[Path]:
    """Write the report into a folder, which is made if it is missing; each file appears whole or not at all.

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
    _refuse_existing((folder / name for name in contents), force=force)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MnutsError(f"--out {folder} cannot be made: {error.strerror or error}") from None
    return [write_atomically(folder / name, content, MnutsError) for name, content in contents.items()]


def _refuse_existing(paths: Iterable[Path], *, force: bool) -> None:
    for path in paths:
        if path.exists() and not force:
            raise MnutsError(f"{path} exists already: give another --out, or --force to overwrite it")

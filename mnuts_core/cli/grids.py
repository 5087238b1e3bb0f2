"""The grid of a search, from options: a named one, ranges, or a file; and a grid to a file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from mnuts_core.cli.options import Range
from mnuts_core.errors import ParameterError

if TYPE_CHECKING:
    from mnuts_core.clamps import Clamp
    from mnuts_core.search.grids import GridSpec

DEFAULT_GRID = "cifar10"
STEPS = 8
_FILE = re.compile(r"(.+\.(?:ya?ml|json))(?::(.+))?", re.IGNORECASE | re.DOTALL)


def split_entry(given: str) -> tuple[str, str | None]:
    """A file, and the entry in it that somebody names after a colon.

    Example:
        >>> split_entry("grids.yaml:cifar10/Peng2023Robust"), split_entry("grid.json"), split_entry("cifar10")
        (('grids.yaml', 'cifar10/Peng2023Robust'), ('grid.json', None), ('cifar10', None))
    """
    found = _FILE.fullmatch(given)
    return (found[1], found[2]) if found else (given, None)


def make_grid(grid: str | None, s: Range, p: Range, c: Range, steps: int = STEPS) -> GridSpec:
    """The grid that the options mean: a file's, or a named one whose ranges may be replaced one by one.

    Raises:
        ParameterError: If there is no such name or file, it is broken, or a range is wrong.
    """
    from mnuts_core.search.grid_files import read_grid
    from mnuts_core.search.grids import PAPER_RANGES, GridSpec

    name, given = grid or DEFAULT_GRID, (s, p, c)
    if _FILE.fullmatch(name):
        if given != (None,) * 3 or steps != STEPS:
            raise ParameterError("--grid FILE has the values to search: leave --s, --p, --c and --steps out")
        return read_grid(*split_entry(name))
    if name not in PAPER_RANGES:
        known = ", ".join(PAPER_RANGES)
        raise ParameterError(f"--grid must be {known}, or a .yaml or .json file, got {name!r}")
    ranges = [mine or theirs for mine, theirs in zip(given, PAPER_RANGES[name], strict=True)]
    return GridSpec.from_ranges(*ranges, steps=steps, name=name if given == (None,) * 3 else "custom")


def check_grid_file(given: str | None) -> Path | None:
    """The file that `--save-grid` names, without the entry.

    Raises:
        ParameterError: If its ending or its entry is another than a grid's.
    """
    if given is None:
        return None
    file, entry = split_entry(given)
    if not _FILE.fullmatch(given):
        raise ParameterError(f"--save-grid must name a .yaml or .json file, got {file!r}")
    if entry is not None:
        entry_place(entry)
    return Path(file)


def grid_file_text(grid: GridSpec, given: str, clamp: Clamp) -> str:
    """What `--save-grid` writes, see `mnuts_core.search.grid_files.grid_text`.

    Args:
        grid: The grid.
        given: `FILE` or `FILE:DATASET/MODEL`.
        clamp: The clamp that is searched with.
    """
    from mnuts_core.search.grid_files import grid_text

    file, entry = split_entry(given)
    return grid_text(grid, file, None if entry is None else (*entry_place(entry), clamp))


def entry_place(entry: str) -> tuple[str, str]:
    """The data set and the robust model of an entry."""
    dataset, _, model = entry.partition("/")
    if not dataset or not model or "/" in model:
        raise ParameterError(f"an entry must be DATASET/MODEL, such as cifar10/Peng2023Robust, got {entry!r}")
    return dataset, model

"""What a built wheel and sdist hold, against the tree (`python -m tests.dist DIST`); `make dist` runs it."""

from __future__ import annotations

import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

from tests import ROOT

SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
FOLDERS = {folder: name for name, folder in SETTINGS["tool"]["setuptools"]["package-dir"].items()}
ONLY_IN_SDIST = ("tests", "notebooks", "docs", ".binder")
MADE = {"PKG-INFO", "setup.cfg"}
"""What setuptools adds to an sdist, beside its own folder."""


def tree(*folders: str) -> set[str]:
    """All files below folders of the repository, but for what Python leaves there."""
    files = (path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file())
    return {path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts}


def installed(path: str) -> str:
    """Where a file of the tree lies in a wheel."""
    folder, _, rest = path.partition("/")
    return f"{FOLDERS[folder]}/{rest}"


def wheel_faults(names: set[str]) -> list[str]:
    """What a wheel lacks, and what it has for no reason.

    Args:
        names: The files in it.
    """
    metadata = {name for name in names if ".dist-info/" in name}
    licences = {name.partition("/licenses/")[2] for name in metadata} - {""}
    faults = _compared(set(map(installed, tree(*FOLDERS))), names - metadata)
    return faults + [
        f"no licence {one}" for one in SETTINGS["project"]["license-files"] if one not in licences
    ]


def sdist_faults(names: set[str]) -> list[str]:
    """The same of an sdist, its names without its own folder."""
    beside = {path.name for path in ROOT.iterdir() if path.is_file() and not path.name.startswith(".")}
    own = {name for name in names if not name.startswith("mnuts.egg-info/")} - MADE
    return _compared(tree(*FOLDERS, *ONLY_IN_SDIST) | beside, own)


def _compared(wanted: set[str], there: set[str]) -> list[str]:
    return [f"missing: {name}" for name in sorted(wanted - there)] + [
        f"not ours: {name}" for name in sorted(there - wanted)
    ]


def main(folder: Path) -> int:
    """Look into a folder's wheel and sdist; 1 if something is missing or does not belong there."""
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        faults = {wheel.name: wheel_faults({name for name in archive.namelist() if name[-1] != "/"})}
    with tarfile.open(sdist) as archive:
        names = {member.name.partition("/")[2] for member in archive if not member.isdir()}
        faults[sdist.name] = sdist_faults(names)
    for name, found in faults.items():
        print(name, *(found or ["as it should be"]), sep="\n  ")
    return int(any(faults.values()))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

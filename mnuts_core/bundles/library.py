"""Bundles by name: those that the package ships, and those in the user's own data folder.

Only the headers of files are read here, so that listing costs milliseconds; loading validates.
"""

from __future__ import annotations

import importlib.resources
import os
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_data_path

from mnuts_core.bundles.reading import METADATA_KEY
from mnuts_core.errors import BundleError
from mnuts_core.io.hub import local_path
from mnuts_core.io.untrusted import safetensors_header

if TYPE_CHECKING:
    pass

DATA_VARIABLE = "MNUTS_DATA"
"""The environment variable that names the user's data folder, instead of the platform's usual place."""
PREFERRED = ("cifar10", "digits")
"""What opens when nobody says which bundle, the first that is there."""
SUFFIX = ".safetensors"


def shipped_bundles() -> dict[str, Path]:
    """The bundles inside the installed package `mnuts_data`, by name (the file's, without its ending)."""
    folder = shipped_folder()
    return {} if folder is None else bundles_in(folder)


def shipped_folder() -> Path | None:
    """Where the files of the package `mnuts_data` are; None if it is not installed."""
    try:
        return Path(str(importlib.resources.files("mnuts_data")))
    except ModuleNotFoundError:
        return None


def require_shipped_folder() -> Path:
    """The same, where its files are needed.

    Raises:
        BundleError: If the package is not installed.
    """
    if (folder := shipped_folder()) is None:
        raise BundleError("mnuts_data is missing: install the project with `make install`")
    return folder


def user_folder() -> Path:
    """Where a user's own bundles are looked for: `$MNUTS_DATA`, else the platform's place for user data.

    Nothing makes this folder; it need not exist.
    """
    chosen = os.environ.get(DATA_VARIABLE)
    return Path(chosen).expanduser() if chosen else user_data_path("mnuts", appauthor=False)


def user_bundles() -> dict[str, Path]:
    """The bundles in `user_folder()`, by name."""
    return bundles_in(user_folder())


def all_bundles() -> dict[str, Path]:
    """Every bundle that has a name; a user's own stands before a shipped one of the same name."""
    return dict(sorted((shipped_bundles() | user_bundles()).items()))


def bundles_in(folder: str | os.PathLike[str]) -> dict[str, Path]:
    """The bundles that lie directly in a folder, by name; none if it cannot be listed.

    Args:
        folder: Any folder. Files that are no MixedNUTS bundles, such as weights, are passed over.
    """
    try:
        files = sorted(path for path in Path(folder).iterdir() if path.suffix == SUFFIX)
    except OSError:
        return {}
    return {path.stem: path for path in files if is_bundle(path)}


def is_bundle(path: Path) -> bool:
    """Whether a file's header says that it is a logit bundle; its tensors are not read.

    Args:
        path: Any file; one that is missing or broken is no bundle.
    """
    try:
        metadata = safetensors_header(path, BundleError).get("__metadata__")
    except (BundleError, OSError):
        return False
    return isinstance(metadata, dict) and METADATA_KEY in metadata


def find_bundle(name_or_path: str | os.PathLike[str]) -> Path:
    """The file that a name or a path means.

    Args:
        name_or_path: The name of a shipped or a user's bundle, or a path. A bare name means the named
            bundle even where a file of that name exists; `./name` means the file. Or a place on the
            Hub, see `io.hub.local_path`.

    Returns:
        The path of a file that exists; `LogitBundle.load` says whether it is sound.

    Raises:
        BundleError: If there is none; the message lists the names.
    """
    named = all_bundles()
    text = os.fspath(name_or_path)
    if text in named:
        return named[text]
    path = local_path(text, BundleError).expanduser()
    if text and path.is_file():
        return path
    what = "is a folder" if text and path.is_dir() else "is neither a file nor a bundle's name"
    raise BundleError(f"bundle {text!r} {what}: give a {SUFFIX} file, or {_names(named)}")


def default_bundle() -> Path:
    """The bundle to open when nobody says which: `cifar10`, else `digits`, else the first by name.

    Raises:
        BundleError: If there is none at all.
    """
    named = all_bundles()
    if not named:
        raise BundleError(
            "no bundle is installed: make one with `mnuts demo build digits`, or put .safetensors bundles "
            f"into {user_folder()}"
        )
    name = next((name for name in PREFERRED if name in named), min(named))
    return named[name]


def _names(named: dict[str, Path]) -> str:
    if not named:
        return "make one with `mnuts demo build digits`"
    return f"one of these names: {', '.join(named)}"

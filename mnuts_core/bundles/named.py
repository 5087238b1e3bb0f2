"""A bundle by its name, validated."""

from __future__ import annotations

import os

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.library import default_bundle, find_bundle


def load_bundle(name_or_path: str | os.PathLike[str] | None = None) -> LogitBundle:
    """The bundle that a name or a path means, see `find_bundle`; the default one if None.

    Raises:
        BundleError: If there is none, or it is broken.

    Example:
        >>> load_bundle("digits").name
        'digits'
    """
    return LogitBundle.load(default_bundle() if name_or_path is None else find_bundle(name_or_path))

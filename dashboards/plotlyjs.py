"""Where the installed plotly package keeps its browser library, found without importing the package."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path


@cache
def plotly_path() -> Path:
    """The ``plotly.min.js`` that the plotly package carries."""
    spec = find_spec("plotly")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("The plotly package is missing: pip install plotly.")
    return Path(spec.submodule_search_locations[0]) / "package_data" / "plotly.min.js"


@cache
def plotly_source() -> bytes:
    """The library itself, 4.8 MB."""
    return plotly_path().read_bytes()


def plotly_url() -> str:
    """Its address below our server's; the version is in it, so a browser may keep the file for ever."""
    return f"mnuts/plotly-{version('plotly')}.min.js"

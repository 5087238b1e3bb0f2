"""The scripts of Voilà and of the widget manager, as one: some 75 requests less while a page opens.

webpack has cut both into chunks, which a page fetches as its code comes to need them, wave after wave. A
chunk does nothing but register what it holds, so all can be there before, while the kernel still works. One
that is not listed here, as of another version, is fetched as ever; one that is gone is passed over. A browser
test says which are missing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from voila.paths import collect_static_paths
from voila.utils import get_voila_labextensions_path

CHUNKS: Mapping[str, str] = MappingProxyType(
    {
        "": """
            73 143 225 431 457 614 630 1187 1601 1621 1670 1996 2121 2296 2772 2829 2930 3144 3249
            3307 3311 3459 3649 3916 3989 3992 4041 4135 4173 4222 4371 4486 4653 4729 4875 4972 5044
            5312 5688 5764 5767 5992 6008 6049 6074 6305 6382 6468 6573 7155 7245 7259 7393 7483 7556
            7598 7770 7883 8017 8135 8487 8766 8773 8862 8925 9081 9151 9212 9582 9684 9890 9981
        """,
        "@jupyter-widgets/jupyterlab-manager": "7 32 84 160 170 452 704 967",
        "@voila-dashboards/widgets-manager8": "496 883",
        "anywidget": "2 528",
    }
)
"""The numbers of the chunks that every page of ours needs, by extension; first Voilà's own."""


@cache
def voila_scripts() -> bytes:
    """All these chunks in one script, 5 MB."""
    parts = (f"(function () {{\n{path.read_text('utf-8')}\n}})();\n" for path in _files())
    return "".join(parts).encode()


def scripts_url() -> str:
    """Its address below our server's; a digest is in it, so a browser may keep the script for ever."""
    return f"mnuts/voila-{hashlib.sha256(voila_scripts()).hexdigest()[:16]}.js"


def _files() -> Iterator[Path]:
    for extension, numbers in CHUNKS.items():
        found = {number: path for folder in _folders(extension) for number, path in _chunks_in(folder)}
        yield from (found[number] for number in numbers.split() if number in found)


def _folders(extension: str) -> list[Path]:
    """Where an extension's chunks may lie, the place that counts last."""
    if not extension:
        return [Path(folder) for folder in reversed(collect_static_paths(["voila"], "base"))]
    return [Path(folder, extension, "static") for folder in reversed(get_voila_labextensions_path())]


def _chunks_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """The chunks in a folder by their numbers: `5764.voila.js`, `7.2a0ce575775f5aad.js`."""
    for path in sorted(folder.glob("*.js")):
        if named := re.fullmatch(r"(\d+)\.\w+\.js", path.name):
            yield named[1], path
